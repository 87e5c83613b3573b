// What all window-based controllers share: bounds, and one reduction per recovery epoch (RFC 9002 §7).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "stack/base/bandwidth.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"
#include "stack/cc/congestion_controller.h"

namespace mpquic {

/// RFC 9002 §7.2: ten datagrams, but no more than the larger of 14,720 bytes and two datagrams.
[[nodiscard]] constexpr std::uint64_t initial_window(std::uint64_t max_datagram_size) {
  return std::min(10 * max_datagram_size, std::max<std::uint64_t>(2 * max_datagram_size, 14720));
}
/// RFC 9002 §7.2.
[[nodiscard]] constexpr std::uint64_t minimum_window(std::uint64_t max_datagram_size) { return 2 * max_datagram_size; }
using Wide = unsigned __int128;

/// No path needs more; keeps products within 128 bits.
inline constexpr std::uint64_t kMaxWindow = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kUnlimitedWindow = UINT64_MAX;

/// RFC 9002 §7.3.2: starts at a reduction and ends when a packet sent after that is acknowledged.
class RecoveryEpoch {
 public:
  [[nodiscard]] bool covers(Instant time_sent) const { return started_ && time_sent <= *started_; }
  void start(Instant now) { started_ = now; }
  void clear() { started_.reset(); }

 private:
  std::optional<Instant> started_;
};

/// RFC 9002 §7.7: window per round trip, with headroom so that pacing never starves the window: twice in slow start,
/// where the window doubles in a round trip, 5/4 otherwise.
[[nodiscard]] Bandwidth window_pacing_rate(std::uint64_t window, bool slow_start, const RttSample& rtt);

/// Window growth of amount * numerator / denominator per call, with the remainder carried over.
class GrowthRemainder {
 public:
  [[nodiscard]] std::uint64_t add(Wide numerator, Wide denominator) {
    const Wide total = numerator + carried_;
    carried_ = total % denominator;
    return static_cast<std::uint64_t>(total / denominator);
  }
  /// Growth that may be negative, for a positive denominator. Rounded down, so that what is carried never is.
  [[nodiscard]] std::int64_t add_signed(__int128 numerator, __int128 denominator) {
    const __int128 total = numerator + static_cast<__int128>(carried_);
    const __int128 remainder = (total % denominator + denominator) % denominator;
    carried_ = static_cast<Wide>(remainder);
    return static_cast<std::int64_t>((total - remainder) / denominator);
  }
  void clear() { carried_ = 0; }

 private:
  Wide carried_ = 0;
};

}  // namespace mpquic
