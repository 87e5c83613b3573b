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
#include "stack/crypto/openssl_session.h"

namespace mpquic {
namespace {

bool is_pinned(const TlsTrust& trust, const X509* certificate) {
  if (certificate == nullptr) return false;
  const SpkiFingerprint actual = fingerprint_of(*certificate);
  return std::ranges::any_of(trust.pins, [&](const SpkiFingerprint& pin) {
    return CRYPTO_memcmp(pin.data(), actual.data(), actual.size()) == 0;
  });
}

OpenSslSession& session_of(X509_STORE_CTX& store) {
  return *OpenSslSession::of(
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(&store, SSL_get_ex_data_X509_STORE_CTX_idx())));
}

std::string hex_of(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::byte byte : bytes) {
    hex.push_back(kDigits[std::to_integer<std::size_t>(byte) >> 4]);
    hex.push_back(kDigits[std::to_integer<std::size_t>(byte) & 0xf]);
  }
  return hex;
}

/// One line for the application: what to change, or whom not to believe.
std::string refusal(X509_STORE_CTX& store, const std::string& server_name) {
  const int reason = X509_STORE_CTX_get_error(&store);
  switch (reason) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "wrong name: the certificate is not for " + server_name;
    case X509_V_ERR_CERT_HAS_EXPIRED: return "the certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "the certificate is not valid yet";
    default: return std::string("untrusted certificate: ").append(X509_verify_cert_error_string(reason));
  }
}

// Instead of OpenSSL's own verification, which knows no pins.
int verify(X509_STORE_CTX* store, void* argument) {
  const TlsTrust& trust = static_cast<const TlsConfig*>(argument)->trust;
  if (trust.insecure) return 1;
  const X509* certificate = X509_STORE_CTX_get0_cert(store);
  if (!trust.pins.empty() && !is_pinned(trust, certificate)) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
    session_of(*store).on_untrusted("wrong pin: the key's SHA-256 is " +
                                    (certificate == nullptr ? "missing" : hex_of(fingerprint_of(*certificate))));
    return 0;
  }
  if (trust.ca_pem.empty()) return 1;
  const int verified = X509_verify_cert(store);
  if (verified != 1) session_of(*store).on_untrusted(refusal(*store, session_of(*store).server_name()));
  return verified;
}

bool is_host_name(std::string_view name) {
  constexpr std::size_t kMaxLabel = 63;  // RFC 1035 §2.3.4
  std::size_t label = 0;
  for (const char c : name) {
    const bool inside =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (inside ? label == kMaxLabel : c != '.' || label == 0) return false;
    label = inside ? label + 1 : 0;
  }
  return label > 0;
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
  // RFC 9525 §6.3: names are subject alternative names; the subject's common name is none.
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (config.fixed_time) X509_VERIFY_PARAM_set_time(param, static_cast<std::time_t>(*config.fixed_time));
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | (server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_CTX_set_cert_verify_callback(&context, verify, const_cast<TlsConfig*>(&config));
  return {};
}

Result<void> set_server_name(SSL& ssl, const TlsTrust& trust, std::string_view server_name) {
  const bool verified = !trust.insecure && !trust.ca_pem.empty() && trust.verify_name;
  if (server_name.empty()) {
    if (!verified) return {};
    return fail(error::kInternalError, "server name: there is none that the certificate could be checked for");
  }
  if (server_name.size() > kMaxHostName) return fail(error::kInternalError, "server name: longer than 253 bytes");
  if (const auto address = IpAddress::parse(server_name.substr(0, server_name.find('%')))) {  // no SNI (RFC 6066 §3)
    const std::size_t size = address->family() == IpAddress::Family::v4 ? 4 : 16;
    if (!verified || X509_VERIFY_PARAM_set1_ip(SSL_get0_param(&ssl), address->octets().data(), size) == 1) return {};
  } else if (!is_host_name(server_name)) {
    return fail(error::kInternalError, "server name: neither a host name nor an IP address");
  } else {
    const std::string name(server_name);
    if (SSL_set_tlsext_host_name(&ssl, name.c_str()) == 1 && (!verified || SSL_set1_host(&ssl, name.c_str()) == 1))
      return {};
  }
  return fail(error::kInternalError, "server name: OpenSSL refuses it");
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
