// Hex literals, and equality of frames field by field.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/connection_id.h"
#include "stack/wire/frame.h"

namespace mpquic::testing {

using Blob = std::vector<std::byte>;

inline Blob blob(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// "c0 ff" and "c0ff" alike.
inline Blob hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Blob out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    if (high < 0) {
      high = digit(c);
    } else {
      out.push_back(static_cast<std::byte>(high << 4 | digit(c)));
      high = -1;
    }
  }
  return out;
}

inline std::string to_hex(Bytes bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::byte b : bytes) {
    out += kDigits[std::to_integer<unsigned>(b) >> 4];
    out += kDigits[std::to_integer<unsigned>(b) & 0xf];
  }
  return out;
}

inline ConnectionId cid(std::string_view text) { return ConnectionId(hex(text)); }

inline auto fields(const StreamFrame& f) { return std::tuple(f.id, f.offset, blob(f.data), f.fin); }
inline auto fields(const AckFrame& f) {
  return std::tuple(f.path, f.largest, f.delay, f.first_range, f.range_count, blob(f.ranges), f.ecn);
}
inline auto fields(const DatagramFrame& f) { return std::tuple(blob(f.data), f.number); }
inline auto fields(const PaddingFrame& f) { return std::tuple(f.length); }
inline auto fields(const PingFrame&) { return std::tuple(); }
inline auto fields(const CryptoFrame& f) { return std::tuple(f.offset, blob(f.data)); }
inline auto fields(const MaxDataFrame& f) { return std::tuple(f.maximum); }
inline auto fields(const MaxStreamDataFrame& f) { return std::tuple(f.id, f.maximum); }
inline auto fields(const MaxStreamsFrame& f) { return std::tuple(f.dir, f.maximum); }
inline auto fields(const ResetStreamFrame& f) { return std::tuple(f.id, f.error, f.final_size); }
inline auto fields(const StopSendingFrame& f) { return std::tuple(f.id, f.error); }
inline auto fields(const NewTokenFrame& f) { return std::tuple(blob(f.token)); }
inline auto fields(const DataBlockedFrame& f) { return std::tuple(f.limit); }
inline auto fields(const StreamDataBlockedFrame& f) { return std::tuple(f.id, f.limit); }
inline auto fields(const StreamsBlockedFrame& f) { return std::tuple(f.dir, f.limit); }
inline auto fields(const NewConnectionIdFrame& f) {
  return std::tuple(f.path, f.sequence, f.retire_prior_to, f.id, f.reset_token);
}
inline auto fields(const RetireConnectionIdFrame& f) { return std::tuple(f.path, f.sequence); }
inline auto fields(const PathChallengeFrame& f) { return std::tuple(f.data); }
inline auto fields(const PathResponseFrame& f) { return std::tuple(f.data); }
inline auto fields(const ConnectionCloseFrame& f) {
  return std::tuple(f.application, f.error, f.frame_type, blob(f.reason));
}
inline auto fields(const HandshakeDoneFrame&) { return std::tuple(); }
inline auto fields(const PathAbandonFrame& f) { return std::tuple(f.path, f.error); }
inline auto fields(const PathStatusFrame& f) { return std::tuple(f.path, f.sequence, f.available); }
inline auto fields(const MaxPathIdFrame& f) { return std::tuple(f.maximum); }
inline auto fields(const PathsBlockedFrame& f) { return std::tuple(f.maximum); }
inline auto fields(const PathCidsBlockedFrame& f) { return std::tuple(f.path, f.next_sequence); }
inline auto fields(const AddAddressFrame& f) { return std::tuple(f.address_id, f.sequence, f.address); }
inline auto fields(const PathsFrame& f) { return std::tuple(f.available, f.active); }
inline auto fields(const ClosePathFrame& f) { return std::tuple(f.path, f.error, blob(f.reason)); }

inline bool same(const Frame& a, const Frame& b) {
  return a.index() == b.index() && std::visit(
                                       [&b]<class T>(const T& left) {
                                         const T* const right = std::get_if<T>(&b);
                                         return right != nullptr && fields(left) == fields(*right);
                                       },
                                       a);
}

}  // namespace mpquic::testing
