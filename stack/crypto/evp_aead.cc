#include "stack/crypto/evp_aead.h"

#include <openssl/core_names.h>

#include <array>

#include "stack/base/check.h"

namespace mpquic {
namespace {

const char* cipher_name(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::aes_128_gcm_sha256: return "AES-128-GCM";
    case CipherSuite::aes_256_gcm_sha384: return "AES-256-GCM";
    case CipherSuite::chacha20_poly1305_sha256: return "ChaCha20-Poly1305";
    case CipherSuite::null: break;
  }
  return nullptr;
}

std::array<OSSL_PARAM, 2> tag_param(MutableBytes tag) {
  return {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()),
          OSSL_PARAM_construct_end()};
}

}  // namespace

EvpAead::EvpAead(CipherSuite suite, AeadDirection direction, Bytes key) {
  // Fetched once per key: afterwards a packet only changes the IV.
  const CipherHandle cipher(EVP_CIPHER_fetch(nullptr, cipher_name(suite), nullptr));
  context_.reset(EVP_CIPHER_CTX_new());
  MPQUIC_CHECK(cipher != nullptr && context_ != nullptr);
  static constexpr AeadNonce kNoNonce{};
  const int encrypt = direction == AeadDirection::seal ? 1 : 0;
  MPQUIC_CHECK(EVP_CipherInit_ex2(context_.get(), cipher.get(), u8(key), kNoNonce.data(), encrypt, nullptr) == 1);
}

void EvpAead::seal(const AeadNonce& nonce, Bytes header, MutableBytes plain, MutableBytes tag) {
  EVP_CIPHER_CTX* context = context_.get();
  auto params = tag_param(tag);
  int written = 0;
  const bool sealed = EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
                      EVP_EncryptUpdate(context, nullptr, &written, u8(header), static_cast<int>(header.size())) == 1 &&
                      EVP_EncryptUpdate(context, u8(plain), &written, u8(plain), static_cast<int>(plain.size())) == 1 &&
                      EVP_EncryptFinal_ex(context, u8(tag), &written) == 1 &&
                      EVP_CIPHER_CTX_get_params(context, params.data()) == 1;
  MPQUIC_CHECK(sealed);
}

bool EvpAead::open(const AeadNonce& nonce, Bytes header, MutableBytes sealed, MutableBytes tag) {
  EVP_CIPHER_CTX* context = context_.get();
  auto params = tag_param(tag);
  int written = 0;
  return EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1 &&
         EVP_CIPHER_CTX_set_params(context, params.data()) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &written, u8(header), static_cast<int>(header.size())) == 1 &&
         EVP_DecryptUpdate(context, u8(sealed), &written, u8(sealed), static_cast<int>(sealed.size())) == 1 &&
         EVP_DecryptFinal_ex(context, u8(tag), &written) == 1;
}

}  // namespace mpquic
