#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mpquic {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline const std::uint8_t* u8(Bytes bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }
[[nodiscard]] inline std::uint8_t* u8(MutableBytes bytes) { return reinterpret_cast<std::uint8_t*>(bytes.data()); }

}  // namespace mpquic
