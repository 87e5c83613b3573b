// Our values as ngtcp2's, and back.
#pragma once

#include <ngtcp2/ngtcp2.h>
#include <sys/socket.h>

#include "stack/base/address.h"
#include "stack/base/bytes.h"
#include "stack/base/time.h"

namespace mpquic::peers {

/// Virtual time starts at zero, which ngtcp2 takes for "never" in places: its clock runs a second ahead of ours.
inline constexpr std::uint64_t kClockOffset = 1'000'000'000;

[[nodiscard]] inline ngtcp2_tstamp to_timestamp(Instant now) {
  return static_cast<ngtcp2_tstamp>(now.time_since_epoch().count()) + kClockOffset;
}
/// A nanosecond late: ngtcp2 retires connection IDs only after their expiry, and virtual time would stop right at it.
[[nodiscard]] inline Deadline to_deadline(ngtcp2_tstamp at) {
  if (at == UINT64_MAX) return std::nullopt;
  return Instant(Duration(at >= kClockOffset ? static_cast<std::int64_t>(at - kClockOffset + 1) : 0));
}
[[nodiscard]] inline ngtcp2_duration to_ngtcp2(Duration duration) {
  return static_cast<ngtcp2_duration>(duration.count());
}
[[nodiscard]] inline Duration from_ngtcp2(ngtcp2_duration duration) {
  return Duration(static_cast<std::int64_t>(duration));
}

/// A 4-tuple as two socket addresses that an ngtcp2_path points to.
class NativePath {
 public:
  explicit NativePath(const FourTuple& tuple);
  NativePath(const NativePath&) = delete;
  NativePath& operator=(const NativePath&) = delete;
  [[nodiscard]] const ngtcp2_path* get() const { return &path_; }

 private:
  sockaddr_storage local_{};
  sockaddr_storage remote_{};
  ngtcp2_path path_{};
};

[[nodiscard]] SocketAddress from_native(const ngtcp2_addr& address);
[[nodiscard]] inline FourTuple from_native(const ngtcp2_path& path) {
  return {from_native(path.local), from_native(path.remote)};
}

}  // namespace mpquic::peers
