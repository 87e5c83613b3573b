// TLS handshake messages (RFC 8446 §4) in a stream that may be cut anywhere: where each begins and ends.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stack/base/bytes.h"

namespace mpquic {

/// Handshake types (RFC 8446 §B.3) that QUIC has rules about.
namespace handshake_type {
inline constexpr std::uint8_t kNewSessionTicket = 4;
inline constexpr std::uint8_t kCertificateRequest = 13;
inline constexpr std::uint8_t kKeyUpdate = 24;
}  // namespace handshake_type

class HandshakeMessages {
 public:
  /// Takes from `data` what belongs to one message: to its end, or all of `data`. Requires that there is some.
  [[nodiscard]] Bytes take(Bytes& data);
  /// Of the message that take() gave a piece of last.
  [[nodiscard]] std::uint8_t type() const { return std::to_integer<std::uint8_t>(header_[0]); }
  /// That piece was the message's first.
  [[nodiscard]] bool began() const { return began_; }

 private:
  std::array<std::byte, 4> header_{};  // type and length
  std::size_t header_size_ = 0;        // of it are known
  std::size_t body_left_ = 0;
  bool began_ = false;
};

}  // namespace mpquic
