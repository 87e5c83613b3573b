#include "stack/crypto/static_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>

#include "stack/base/check.h"
#include "stack/crypto/aead.h"
#include "stack/crypto/hkdf.h"

namespace mpquic {
namespace {

constexpr std::size_t kTokenNonceSize = kAeadIvSize;

// 96 random bits: the first 2^32 tokens have a nonce in common with probability below 2^-32 (NIST SP 800-38D §8.3).
Aead token_aead(AeadDirection direction, Bytes key, Bytes nonce) {
  return {CipherSuite::aes_256_gcm_sha384, direction, key, nonce};
}

}  // namespace

bool constant_time_equal(Bytes a, Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

StaticKeys::StaticKeys(const std::array<std::byte, 32>& key) {
  hkdf_expand_label(HashAlgorithm::sha256, key, "mpquic reset", reset_key_);
  hkdf_expand_label(HashAlgorithm::sha256, key, "mpquic token", token_key_);
  std::array<std::byte, sizeof(SipKey)> index_key;
  hkdf_expand_label(HashAlgorithm::sha256, key, "mpquic index", index_key);
  index_key_ = std::bit_cast<SipKey>(index_key);
}

StatelessResetToken StaticKeys::reset_token(const ConnectionId& id) const {
  std::array<std::byte, 32> mac;
  std::size_t size = 0;
  const bool done = EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, reset_key_.data(), reset_key_.size(),
                              u8(id.bytes()), id.size(), u8(MutableBytes(mac)), mac.size(), &size) != nullptr;
  MPQUIC_CHECK(done && size == mac.size());
  StatelessResetToken token;
  std::copy_n(mac.begin(), token.size(), token.begin());
  return token;
}

std::vector<std::byte> StaticKeys::seal_token(Bytes plain, Bytes aad, Rng& rng) const {
  std::vector<std::byte> token(plain.size() + kTokenOverhead);
  const MutableBytes nonce = MutableBytes(token).first(kTokenNonceSize);
  rng.fill(nonce);
  std::ranges::copy(plain, token.begin() + kTokenNonceSize);
  token_aead(AeadDirection::seal, token_key_, nonce)
      .seal(kInitialPath, PacketNumber{0}, aad, MutableBytes(token).subspan(kTokenNonceSize));
  return token;
}

std::optional<std::vector<std::byte>> StaticKeys::open_token(Bytes token, Bytes aad) const {
  if (token.size() < kTokenOverhead) return std::nullopt;
  std::vector<std::byte> plain(token.begin() + kTokenNonceSize, token.end());
  Aead aead = token_aead(AeadDirection::open, token_key_, token.first(kTokenNonceSize));
  if (!aead.open(kInitialPath, PacketNumber{0}, aad, plain)) return std::nullopt;
  plain.erase(plain.end() - kAeadTagSize, plain.end());
  return plain;
}

}  // namespace mpquic
