#include "stack/crypto/hkdf.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>

#include "stack/base/check.h"
#include "stack/crypto/evp.h"

namespace mpquic {
namespace {

constexpr std::string_view kLabelPrefix = "tls13 ";
constexpr std::size_t kMaxLabelSize = 32;

struct HkdfInput {
  int mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
  HashAlgorithm hash = HashAlgorithm::sha256;
  Bytes key;
  const char* other_name = OSSL_KDF_PARAM_SALT;
  Bytes other;
};

// OpenSSL's parameters are not const-correct: these are inputs.
OSSL_PARAM octets(const char* name, Bytes value) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(value.data()), value.size());
}

void hkdf(HkdfInput input, MutableBytes out) {
  const KdfHandle kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  MPQUIC_CHECK(kdf != nullptr);
  const KdfCtxHandle context(EVP_KDF_CTX_new(kdf.get()));
  MPQUIC_CHECK(context != nullptr);
  const std::string_view name = input.hash == HashAlgorithm::sha256 ? "SHA256" : "SHA384";
  const std::array<OSSL_PARAM, 5> params = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &input.mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(name.data()), name.size()),
      octets(OSSL_KDF_PARAM_KEY, input.key),
      octets(input.other_name, input.other),
      OSSL_PARAM_construct_end(),
  };
  MPQUIC_CHECK(EVP_KDF_derive(context.get(), u8(out), out.size(), params.data()) == 1);
}

}  // namespace

TrafficSecret hkdf_extract(HashAlgorithm hash, Bytes salt, Bytes input) {
  TrafficSecret secret;
  secret.size = size_of(hash);
  hkdf({EVP_KDF_HKDF_MODE_EXTRACT_ONLY, hash, input, OSSL_KDF_PARAM_SALT, salt},
       MutableBytes(secret.bytes).first(secret.size));
  return secret;
}

void hkdf_expand_label(HashAlgorithm hash, Bytes secret, std::string_view label, MutableBytes out) {
  MPQUIC_CHECK(label.size() <= kMaxLabelSize && out.size() <= 255);
  // struct HkdfLabel: uint16 length, opaque label<7..255>, opaque context<0..255> (RFC 8446 §7.1).
  std::array<std::byte, 2 + 1 + kLabelPrefix.size() + kMaxLabelSize + 1> info{};
  info[1] = static_cast<std::byte>(out.size());
  info[2] = static_cast<std::byte>(kLabelPrefix.size() + label.size());
  auto end = std::ranges::copy(as_bytes(kLabelPrefix), info.begin() + 3).out;
  end = std::ranges::copy(as_bytes(label), end).out;
  const auto size = static_cast<std::size_t>(end - info.begin()) + 1;  // the empty context's length is the last zero
  hkdf({EVP_KDF_HKDF_MODE_EXPAND_ONLY, hash, secret, OSSL_KDF_PARAM_INFO, Bytes(info).first(size)}, out);
}

TrafficSecret hkdf_expand_secret(HashAlgorithm hash, Bytes secret, std::string_view label) {
  TrafficSecret expanded;
  expanded.size = size_of(hash);
  hkdf_expand_label(hash, secret, label, MutableBytes(expanded.bytes).first(expanded.size));
  return expanded;
}

}  // namespace mpquic
