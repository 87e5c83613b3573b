// draft-ietf-quic-multipath-21 §2.4. For path 0 this is the nonce of RFC 9001 §5.3.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "stack/base/check.h"
#include "stack/base/ids.h"

namespace mpquic {

/// The path ID (32 bits), two zero bits and the full packet number (62 bits), in network order.
inline constexpr std::size_t kPathAndPacketNumberSize = 12;

/// IV xor path-and-packet-number, padded on the left with zeros to the size of the IV.
template <std::size_t N>
[[nodiscard]] constexpr std::array<std::uint8_t, N> make_nonce(const std::array<std::uint8_t, N>& iv, PathId path,
                                                               PacketNumber number) {
  static_assert(N >= kPathAndPacketNumberSize, "draft-21 §2.4 needs nonces of at least 12 bytes");
  std::array<std::uint8_t, N> nonce = iv;
  for (std::size_t i = 0; i < 8; ++i) nonce[N - 1 - i] ^= static_cast<std::uint8_t>(number.value() >> (8 * i));
  for (std::size_t i = 0; i < 4; ++i) nonce[N - 9 - i] ^= static_cast<std::uint8_t>(path.value() >> (8 * i));
  return nonce;
}

}  // namespace mpquic
