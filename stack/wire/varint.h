// Variable-length integers, RFC 9000 §16: the two most significant bits of the first byte give the size.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/base/ids.h"

namespace mpquic {

inline constexpr std::size_t kMaxVarintSize = 8;
/// Largest values of the one-, two- and four-byte encodings.
inline constexpr std::uint64_t kMaxVarint1 = (std::uint64_t{1} << 6) - 1;
inline constexpr std::uint64_t kMaxVarint2 = (std::uint64_t{1} << 14) - 1;
inline constexpr std::uint64_t kMaxVarint4 = (std::uint64_t{1} << 30) - 1;

/// Bytes of the shortest encoding. Requires value <= kMaxVarint.
[[nodiscard]] constexpr std::size_t varint_size(std::uint64_t value) {
  if (value <= kMaxVarint1) return 1;
  if (value <= kMaxVarint2) return 2;
  if (value <= kMaxVarint4) return 4;
  return 8;
}

/// An integer in network byte order, from memory of any alignment.
template <class T>
[[nodiscard]] inline T load_big_endian(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) value = std::byteswap(value);
  return value;
}
template <class T>
inline void store_big_endian(std::byte* to, T value) {
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof(T));
}

struct Varint {
  std::uint64_t value = 0;
  std::size_t size = 0;  // as it was encoded: not necessarily the shortest
};

/// The integer at the start of `bytes`, or nothing where it is cut short.
[[nodiscard]] inline std::optional<Varint> read_varint(Bytes bytes) {
  if (bytes.empty()) return std::nullopt;
  const std::byte* const at = bytes.data();
  const auto first = std::to_integer<std::uint8_t>(at[0]);
  if (first <= kMaxVarint1) return Varint{first, 1};
  const std::size_t size = std::size_t{1} << (first >> 6);
  if (bytes.size() < size) return std::nullopt;
  switch (size) {
    case 2: return Varint{load_big_endian<std::uint16_t>(at) & kMaxVarint2, size};
    case 4: return Varint{load_big_endian<std::uint32_t>(at) & kMaxVarint4, size};
    default: return Varint{load_big_endian<std::uint64_t>(at) & kMaxVarint, size};
  }
}

/// Encodes `value` in exactly `size` bytes (1, 2, 4 or 8), which need not be the shortest. Requires that it fits and
/// that `out` has room.
inline void write_varint_sized(std::byte* out, std::uint64_t value, std::size_t size) {
  switch (size) {
    case 1:
      MPQUIC_DCHECK(value <= kMaxVarint1);
      *out = static_cast<std::byte>(value);
      return;
    case 2:
      MPQUIC_DCHECK(value <= kMaxVarint2);
      store_big_endian(out, static_cast<std::uint16_t>(0x4000U | value));
      return;
    case 4:
      MPQUIC_DCHECK(value <= kMaxVarint4);
      store_big_endian(out, static_cast<std::uint32_t>(0x8000'0000U | value));
      return;
    default:
      MPQUIC_DCHECK(size == 8 && value <= kMaxVarint);
      store_big_endian(out, std::uint64_t{0xc000'0000'0000'0000U} | value);
  }
}

}  // namespace mpquic
