// Packet number encoding, RFC 9000 §17.1 and appendix A. With multipath, each path ID has its own numbers
// (draft-ietf-quic-multipath-21 §2.4): callers pass what they know of that path.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/ids.h"

namespace mpquic {

inline constexpr std::size_t kMaxPacketNumberLength = 4;

/// Bytes (1 to 4) that let the peer, which has received at least `largest_acked`, tell `number` from any other:
/// more than twice the range of what is unacknowledged (RFC 9000 §17.1).
[[nodiscard]] constexpr std::size_t packet_number_length(PacketNumber number,
                                                         std::optional<PacketNumber> largest_acked) {
  const std::uint64_t unacked = largest_acked ? number.value() - largest_acked->value() : number.value() + 1;
  const auto bits = static_cast<std::size_t>(std::bit_width(unacked)) + 1;
  return std::min((bits + 7) / 8, kMaxPacketNumberLength);
}

/// The `length` low bytes of `number`.
[[nodiscard]] constexpr std::uint32_t truncate(PacketNumber number, std::size_t length) {
  return static_cast<std::uint32_t>(number.value() & ((std::uint64_t{1} << (8 * length)) - 1));
}

/// The full packet number closest to the next expected one (RFC 9000 appendix A.3). Any input gives a value below 2^62.
[[nodiscard]] constexpr PacketNumber expand_packet_number(std::uint32_t truncated, std::size_t length,
                                                          std::optional<PacketNumber> largest_received) {
  const std::uint64_t expected = largest_received ? largest_received->value() + 1 : 0;
  const std::uint64_t window = std::uint64_t{1} << (8 * length);
  const std::uint64_t half = window / 2;
  const std::uint64_t candidate = (expected & ~(window - 1)) | (truncated & (window - 1));
  if (candidate + half <= expected && candidate + window <= kMaxVarint) return PacketNumber{candidate + window};
  if ((candidate > expected + half || candidate > kMaxVarint) && candidate >= window) {
    return PacketNumber{candidate - window};
  }
  return PacketNumber{candidate};
}

}  // namespace mpquic
