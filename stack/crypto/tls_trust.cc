#include "stack/crypto/tls_trust.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "stack/base/address.h"
#include "stack/base/check.h"

namespace mpquic {
namespace {

bool is_pinned(const TlsTrust& trust, const X509* certificate) {
  if (certificate == nullptr) return false;
  const SpkiFingerprint actual = fingerprint_of(*certificate);
  return std::ranges::any_of(trust.pins, [&](const SpkiFingerprint& pin) {
    return CRYPTO_memcmp(pin.data(), actual.data(), actual.size()) == 0;
  });
}

// Instead of OpenSSL's own verification, which knows no pins.
int verify(X509_STORE_CTX* store, void* argument) {
  const TlsTrust& trust = static_cast<const TlsConfig*>(argument)->trust;
  if (trust.insecure) return 1;
  if (!trust.pins.empty() && !is_pinned(trust, X509_STORE_CTX_get0_cert(store))) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
    return 0;
  }
  return trust.ca_pem.empty() ? 1 : X509_verify_cert(store);
}

[[nodiscard]] std::expected<void, std::string> load_anchors(X509_STORE& store, const std::string& pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::size_t count = 0;
  while (bio != nullptr) {
    const X509Handle anchor(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (anchor == nullptr) break;
    if (X509_STORE_add_cert(&store, anchor.get()) != 1)
      return std::unexpected("trust: OpenSSL refuses a CA certificate");
    ++count;
  }
  const bool all_read = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (count == 0 || !all_read) return std::unexpected("trust: the CA bundle is not a list of PEM certificates");
  return {};
}

}  // namespace

std::expected<void, std::string> install_trust(SSL_CTX& context, const TlsConfig& config) {
  const bool server = config.role == Role::server;
  if (server && !config.require_client_certificate) {
    SSL_CTX_set_verify(&context, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  if (config.trust.empty())
    return std::unexpected(server ? "trust: client certificates are required, but neither a CA nor a pin is given"
                                  : "trust: a client needs a CA bundle, pinned keys, or an explicit insecure");
  if (!config.trust.ca_pem.empty()) {
    if (auto loaded = load_anchors(*SSL_CTX_get_cert_store(&context), config.trust.ca_pem); !loaded) return loaded;
  }
  X509_VERIFY_PARAM* param = SSL_CTX_get0_param(&context);
  // A bundle may name an intermediate, or the very certificate of the peer.
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (config.fixed_time) X509_VERIFY_PARAM_set_time(param, static_cast<std::time_t>(*config.fixed_time));
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | (server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_CTX_set_cert_verify_callback(&context, verify, const_cast<TlsConfig*>(&config));
  return {};
}

bool set_server_name(SSL& ssl, const TlsTrust& trust, const std::string& server_name) {
  const bool verified = !trust.insecure && !trust.ca_pem.empty() && trust.verify_name;
  if (server_name.empty()) return !verified;
  if (IpAddress::parse(server_name))  // addresses are no SNI (RFC 6066 §3)
    return !verified || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&ssl), server_name.c_str()) == 1;
  return SSL_set_tlsext_host_name(&ssl, server_name.c_str()) == 1 &&
         (!verified || SSL_set1_host(&ssl, server_name.c_str()) == 1);
}

SpkiFingerprint fingerprint_of(const X509& certificate) {
  SpkiFingerprint fingerprint{};
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
  MPQUIC_CHECK(size > 0);
  const bool done = EVP_Q_digest(nullptr, "SHA256", nullptr, der, static_cast<std::size_t>(size),
                                 u8(MutableBytes(fingerprint)), nullptr) == 1;
  OPENSSL_free(der);
  MPQUIC_CHECK(done);
  return fingerprint;
}

}  // namespace mpquic
