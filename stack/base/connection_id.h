#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/base/check.h"

namespace mpquic {

/// RFC 9000 §17.2: 0 to 20 bytes in version 1.
class ConnectionId {
 public:
  static constexpr std::size_t kMaxLength = 20;
  constexpr ConnectionId() = default;
  explicit ConnectionId(Bytes bytes) : length_(static_cast<std::uint8_t>(bytes.size())) {
    MPQUIC_CHECK(bytes.size() <= kMaxLength);
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }
  [[nodiscard]] Bytes bytes() const { return Bytes(bytes_).first(length_); }
  [[nodiscard]] std::size_t size() const { return length_; }
  [[nodiscard]] bool empty() const { return length_ == 0; }
  auto operator<=>(const ConnectionId&) const = default;
  bool operator==(const ConnectionId&) const = default;
  /// As it stands in a packet.
  bool operator==(Bytes other) const { return std::ranges::equal(bytes(), other); }

 private:
  std::array<std::byte, kMaxLength> bytes_{};
  std::uint8_t length_ = 0;
};

inline constexpr ConnectionId kNoConnectionId;

/// All connection IDs that this stack issues have this length, so that short headers can be parsed.
inline constexpr std::size_t kLocalCidLength = 8;

/// RFC 9000 §10.3.
using StatelessResetToken = std::array<std::byte, 16>;

}  // namespace mpquic
