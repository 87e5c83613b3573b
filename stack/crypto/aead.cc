#include "stack/crypto/aead.h"

#include <openssl/crypto.h>

#include <array>
#include <cstring>
#include <utility>

#include "stack/base/check.h"
#include "stack/crypto/hkdf.h"
#include "stack/crypto/nonce.h"

namespace mpquic {

Aead::Aead(CipherSuite suite, AeadDirection direction, Bytes key, Bytes iv) { set_key(suite, direction, key, iv); }

Aead::Aead(CipherSuite suite, AeadDirection direction, Bytes secret) {
  std::array<std::byte, kMaxAeadKeySize> key;
  std::array<std::byte, kAeadIvSize> iv;
  const MutableBytes used_key = MutableBytes(key).first(key_size_of(suite));
  hkdf_expand_label(hash_of(suite), secret, "quic key", used_key);
  hkdf_expand_label(hash_of(suite), secret, "quic iv", iv);
  set_key(suite, direction, used_key, iv);
  OPENSSL_cleanse(key.data(), key.size());
}

Aead& Aead::operator=(Aead&& other) noexcept {
  cipher_ = std::exchange(other.cipher_, std::monostate{});
  iv_ = other.iv_;
  last_nonce_ = other.last_nonce_;
  return *this;
}

void Aead::set_key(CipherSuite suite, AeadDirection direction, Bytes key, Bytes iv) {
  MPQUIC_CHECK(key.size() == key_size_of(suite) && iv.size() == iv_.size());
  std::memcpy(iv_.data(), iv.data(), iv_.size());
  if (suite == CipherSuite::null)
    cipher_.emplace<NullAead>(key);
  else if (auto gcm = GcmAead::make(suite, key))
    cipher_.emplace<GcmAead>(*std::move(gcm));
  else
    cipher_.emplace<EvpAead>(suite, direction, key);
}

void Aead::seal(PathId path, PacketNumber number, Bytes header, MutableBytes payload) {
  MPQUIC_CHECK(*this && payload.size() >= kAeadTagSize);
  last_nonce_ = make_nonce(iv_, path, number);
  const MutableBytes plain = payload.first(payload.size() - kAeadTagSize);
  const MutableBytes tag = payload.last(kAeadTagSize);
  if (const auto* null = std::get_if<NullAead>(&cipher_)) return null->seal(last_nonce_, header, plain, tag);
  if (const auto* gcm = std::get_if<GcmAead>(&cipher_)) return gcm->seal(last_nonce_, header, plain, tag);
  std::get<EvpAead>(cipher_).seal(last_nonce_, header, plain, tag);
}

bool Aead::open(PathId path, PacketNumber number, Bytes header, MutableBytes payload) {
  MPQUIC_CHECK(*this);
  if (payload.size() < kAeadTagSize) return false;
  const AeadNonce nonce = make_nonce(iv_, path, number);
  const MutableBytes sealed = payload.first(payload.size() - kAeadTagSize);
  const MutableBytes tag = payload.last(kAeadTagSize);
  if (const auto* null = std::get_if<NullAead>(&cipher_)) return null->open(nonce, header, sealed, tag);
  if (const auto* gcm = std::get_if<GcmAead>(&cipher_)) return gcm->open(nonce, header, sealed, tag);
  return std::get<EvpAead>(cipher_).open(nonce, header, sealed, tag);
}

}  // namespace mpquic
