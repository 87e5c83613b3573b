// Hex literals and secrets for the tests of the crypto and packet rooms.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/crypto/key_ring.h"
#include "stack/crypto/suite.h"

namespace mpquic::crypto_testing {

using Buffer = std::vector<std::byte>;

inline Buffer from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Buffer out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<std::byte>(digit(text[i]) << 4 | digit(text[i + 1])));
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
template <std::size_t N>
std::string to_hex(const std::array<std::uint8_t, N>& bytes) {
  return to_hex(std::as_bytes(std::span(bytes)));
}

inline Buffer sequence(std::size_t size) {
  Buffer out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7);
  return out;
}

inline constexpr auto kOneRtt = EncryptionLevel::one_rtt;
inline constexpr std::array kAllSuites = {CipherSuite::null, CipherSuite::aes_128_gcm_sha256,
                                          CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256};

inline TrafficSecret secret_of(CipherSuite suite, std::uint8_t seed) {
  TrafficSecret secret;
  secret.size = size_of(hash_of(suite));
  std::fill_n(secret.bytes.begin(), secret.size, std::byte{seed});
  return secret;
}

/// Handshake and 1-RTT keys as a finished handshake would have left them.
inline void install_all(KeyRing& keys, CipherSuite suite, Role role) {
  for (const auto level : {EncryptionLevel::handshake, EncryptionLevel::one_rtt}) {
    const auto seed = static_cast<std::uint8_t>(level == EncryptionLevel::one_rtt ? 0x20 : 0x10);
    for (const bool write : {true, false}) {
      const Role sender = write ? role : peer_of(role);
      const auto of_sender = static_cast<std::uint8_t>(seed + (sender == Role::client ? 1 : 2));
      keys.install({level, write, suite, secret_of(suite, of_sender)});
    }
  }
}

}  // namespace mpquic::crypto_testing
