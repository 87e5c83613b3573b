#include "stack/crypto/initial.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <vector>

#include "stack/crypto/aead.h"
#include "stack/crypto/hkdf.h"

namespace mpquic {
namespace {

template <std::size_t N>
constexpr std::array<std::byte, N> bytes_of(const std::uint8_t (&values)[N]) {
  std::array<std::byte, N> bytes{};
  std::ranges::transform(values, bytes.begin(), [](std::uint8_t value) { return std::byte{value}; });
  return bytes;
}

// RFC 9001 §5.2.
constexpr auto kInitialSalt = bytes_of({0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                        0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a});
// RFC 9001 §5.8.
constexpr auto kRetryKey =
    bytes_of({0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e});
constexpr auto kRetryNonce = bytes_of({0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb});

}  // namespace

InitialSecrets derive_initial_secrets(const ConnectionId& client_dcid) {
  const TrafficSecret initial = hkdf_extract(HashAlgorithm::sha256, kInitialSalt, client_dcid.bytes());
  return {hkdf_expand_secret(HashAlgorithm::sha256, initial.view(), "client in"),
          hkdf_expand_secret(HashAlgorithm::sha256, initial.view(), "server in")};
}

RetryIntegrityTag retry_integrity_tag(const ConnectionId& original_dcid, Bytes retry_without_tag) {
  std::vector<std::byte> pseudo_packet;
  pseudo_packet.reserve(1 + original_dcid.size() + retry_without_tag.size());
  pseudo_packet.push_back(static_cast<std::byte>(original_dcid.size()));
  pseudo_packet.insert(pseudo_packet.end(), original_dcid.bytes().begin(), original_dcid.bytes().end());
  pseudo_packet.insert(pseudo_packet.end(), retry_without_tag.begin(), retry_without_tag.end());
  RetryIntegrityTag tag{};
  // The fixed nonce is the IV: path 0 and packet number 0 leave it as it is.
  Aead(CipherSuite::aes_128_gcm_sha256, AeadDirection::seal, kRetryKey, kRetryNonce)
      .seal(kInitialPath, PacketNumber{0}, pseudo_packet, tag);
  return tag;
}

bool verify_retry(const ConnectionId& original_dcid, Bytes retry_packet) {
  if (retry_packet.size() < sizeof(RetryIntegrityTag)) return false;
  const Bytes without_tag = retry_packet.first(retry_packet.size() - sizeof(RetryIntegrityTag));
  const RetryIntegrityTag expected = retry_integrity_tag(original_dcid, without_tag);
  return CRYPTO_memcmp(expected.data(), retry_packet.data() + without_tag.size(), expected.size()) == 0;
}

}  // namespace mpquic
