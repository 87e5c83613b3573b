#include "stack/crypto/certificate.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "stack/base/address.h"
#include "stack/crypto/evp.h"
#include "stack/crypto/tls_trust.h"

namespace mpquic {
namespace {

constexpr long kVersion3 = 2;
constexpr std::size_t kFillerNames = 16;
constexpr std::size_t kFillerName = 60;  // a label of DNS has room for 63 (RFC 1035 §2.3.4)

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

bool add_extension(X509& certificate, int nid, const std::string& value) {
  const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_nconf_nid(nullptr, nullptr, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list.append(list.empty() ? "" : ",").append(IpAddress::parse(name) ? "IP:" : "DNS:").append(name);
  }
  return list;
}

bool fill(X509& certificate, EVP_PKEY& key, const SelfSignedOptions& options, Rng& rng) {
  X509_NAME* name = X509_get_subject_name(&certificate);
  const auto serial = static_cast<std::int64_t>(rng.next_u64() >> 2);  // positive (RFC 5280 §4.1.2.2)
  return X509_set_version(&certificate, kVersion3) == 1 &&
         ASN1_INTEGER_set_int64(X509_get_serialNumber(&certificate), serial) == 1 &&
         ASN1_TIME_set(X509_getm_notBefore(&certificate), static_cast<std::time_t>(options.not_before)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate), static_cast<std::time_t>(options.not_after)) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, u8(as_bytes(options.common_name)),
                                    static_cast<int>(options.common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(&certificate, name) == 1 && X509_set_pubkey(&certificate, &key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         (options.names.empty() ||
          add_extension(certificate, NID_subject_alt_name, alternative_names(options.names))) &&
         X509_sign(&certificate, &key, nullptr) > 0;  // Ed25519: no digest, no randomness
}

struct Made {
  Identity identity;
  std::size_t bytes = 0;  // DER
};

[[nodiscard]] std::expected<Made, std::string> make_one(const SelfSignedOptions& options, Rng& rng) {
  std::array<std::byte, 32> seed;
  rng.fill(seed);
  const PkeyHandle key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, u8(MutableBytes(seed)), seed.size()));
  OPENSSL_cleanse(seed.data(), seed.size());
  const X509Handle certificate(X509_new());
  const BioHandle certificate_text(BIO_new(BIO_s_mem()));
  const BioHandle key_text(BIO_new(BIO_s_secmem()));
  const bool made =
      key != nullptr && certificate != nullptr && certificate_text != nullptr && key_text != nullptr &&
      fill(*certificate, *key, options, rng) && PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1 &&
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  ERR_clear_error();
  if (!made) return std::unexpected("certificate: OpenSSL cannot make one with these names and dates");
  return Made{.identity = {text_of(certificate_text.get()), text_of(key_text.get()), fingerprint_of(*certificate)},
              .bytes = static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr))};
}

}  // namespace

std::expected<Identity, std::string> make_self_signed(const SelfSignedOptions& options, Rng& rng) {
  auto leaf = make_one(options, rng);
  if (!leaf) return std::unexpected(std::move(leaf).error());
  // About as large as those of public authorities.
  const SelfSignedOptions filler{.common_name = "filler",
                                 .names = std::vector(kFillerNames, std::string(kFillerName, 'x'))};
  for (std::size_t bytes = leaf->bytes; bytes < options.chain_bytes;) {
    const auto next = make_one(filler, rng);
    if (!next) return std::unexpected(next.error());
    leaf->identity.certificate_pem += next->identity.certificate_pem;
    bytes += next->bytes;
  }
  return std::move(leaf->identity);
}

std::expected<SpkiFingerprint, std::string> spki_fingerprint(std::string_view pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const X509Handle certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) return std::unexpected("certificate: not PEM");
  return fingerprint_of(*certificate);
}

}  // namespace mpquic
