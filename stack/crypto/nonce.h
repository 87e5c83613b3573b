// draft-ietf-quic-multipath-21 §2.4. For path 0 this is the nonce of RFC 9001 §5.3.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "stack/base/check.h"
#include "stack/base/ids.h"

namespace mpquic {

/// The path ID (32 bits), two zero bits and the full packet number (62 bits), in network order.
inline constexpr std::size_t kPathAndPacketNumberSize = 12;

template <std::unsigned_integral T>
[[nodiscard]] constexpr T network_order(T value) {
  return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

/// IV xor path-and-packet-number, padded on the left with zeros to the size of the IV.
template <std::size_t N>
[[nodiscard]] constexpr std::array<std::uint8_t, N> make_nonce(const std::array<std::uint8_t, N>& iv, PathId path,
                                                               PacketNumber number) {
  static_assert(N >= kPathAndPacketNumberSize, "draft-21 §2.4 needs nonces of at least 12 bytes");
  // Whole words turned round, and the same bytes of both: compilers make a few instructions of it.
  const auto path_bytes = std::bit_cast<std::array<std::uint8_t, 4>>(network_order(path.value()));
  const auto number_bytes = std::bit_cast<std::array<std::uint8_t, 8>>(network_order(number.value()));
  std::array<std::uint8_t, N> nonce{};
  for (std::size_t i = 0; i < N - 12; ++i) nonce[i] = iv[i];
  for (std::size_t i = 0; i < 4; ++i) nonce[N - 12 + i] = iv[N - 12 + i] ^ path_bytes[i];
  for (std::size_t i = 0; i < 8; ++i) nonce[N - 8 + i] = iv[N - 8 + i] ^ number_bytes[i];
  return nonce;
}

}  // namespace mpquic
