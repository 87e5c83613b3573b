// What the cipher suites of RFC 9001 §5.3 differ in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stack/crypto/tls_session.h"

namespace mpquic {

inline constexpr std::size_t kAeadTagSize = 16;
inline constexpr std::size_t kAeadIvSize = 12;
inline constexpr std::size_t kMaxAeadKeySize = 32;
enum class AeadDirection : std::uint8_t { seal, open };
using AeadNonce = std::array<std::uint8_t, kAeadIvSize>;
/// RFC 9001 §5.4.2: ciphertext that header protection looks at, from 4 bytes after the start of the packet number.
inline constexpr std::size_t kHeaderProtectionSampleSize = 16;
inline constexpr std::size_t kHeaderProtectionSampleOffset = 4;

enum class HashAlgorithm : std::uint8_t { sha256, sha384 };

[[nodiscard]] constexpr std::size_t size_of(HashAlgorithm hash) { return hash == HashAlgorithm::sha256 ? 32 : 48; }

[[nodiscard]] constexpr HashAlgorithm hash_of(CipherSuite suite) {
  return suite == CipherSuite::aes_256_gcm_sha384 ? HashAlgorithm::sha384 : HashAlgorithm::sha256;
}

[[nodiscard]] constexpr std::size_t key_size_of(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::aes_256_gcm_sha384:
    case CipherSuite::chacha20_poly1305_sha256: return 32;
    case CipherSuite::aes_128_gcm_sha256:
    case CipherSuite::null: break;
  }
  return 16;
}

/// RFC 9001 §6.6: packets that one key may encrypt, and forgeries that a connection may see. With multipath both count
/// over all paths (draft-ietf-quic-multipath-21 §7.3).
struct AeadLimits {
  std::uint64_t confidentiality = UINT64_MAX;
  std::uint64_t integrity = UINT64_MAX;
};

[[nodiscard]] constexpr AeadLimits limits_of(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::aes_128_gcm_sha256:
    case CipherSuite::aes_256_gcm_sha384: return {std::uint64_t{1} << 23, std::uint64_t{1} << 52};
    // More packets than packet numbers: no confidentiality limit.
    case CipherSuite::chacha20_poly1305_sha256: return {UINT64_MAX, std::uint64_t{1} << 36};
    case CipherSuite::null: break;
  }
  return {};
}

}  // namespace mpquic
