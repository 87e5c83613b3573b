#include "sim/peers/ngtcp2_tls.h"

#include <ngtcp2/ngtcp2_crypto_gnutls.h>

namespace mpquic::peers {
namespace {

constexpr const char* kPriority =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%DISABLE_TLS13_COMPAT_MODE";

gnutls_datum_t datum(const std::string& text) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())), static_cast<unsigned>(text.size())};
}

std::string hex(const gnutls_datum_t& bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < bytes.size; ++i) {
    text.push_back(kDigits[bytes.data[i] >> 4]);
    text.push_back(kDigits[bytes.data[i] & 0xf]);
  }
  return text;
}

int log_secret(gnutls_session_t session, const char* label, const gnutls_datum_t* secret) {
  const auto* reference = static_cast<const SessionReference*>(gnutls_session_get_ptr(session));
  gnutls_datum_t client_random{};
  gnutls_datum_t server_random{};
  gnutls_session_get_random(session, &client_random, &server_random);
  (*reference->keylog)(std::string(label) + " " + hex(client_random) + " " + hex(*secret));
  return 0;
}

}  // namespace

TlsCredentials::TlsCredentials(const std::string& certificate_pem, const std::string& key_pem,
                               const std::string& ca_pem) {
  if (gnutls_certificate_allocate_credentials(&credentials_) != GNUTLS_E_SUCCESS) return;
  ready_ = true;
  if (!certificate_pem.empty()) {
    const gnutls_datum_t certificate = datum(certificate_pem);
    const gnutls_datum_t key = datum(key_pem);
    has_certificate_ = gnutls_certificate_set_x509_key_mem(credentials_, &certificate, &key, GNUTLS_X509_FMT_PEM) >= 0;
    ready_ = has_certificate_;
  }
  if (!ca_pem.empty()) {
    const gnutls_datum_t anchors = datum(ca_pem);
    verify_peer_ = true;
    if (gnutls_certificate_set_x509_trust_mem(credentials_, &anchors, GNUTLS_X509_FMT_PEM) <= 0) ready_ = false;
  }
}

TlsCredentials::~TlsCredentials() {
  if (credentials_ != nullptr) gnutls_certificate_free_credentials(credentials_);
}

TlsHandle TlsCredentials::make_session(Role role, std::span<const std::string> alpn, const std::string& server_name,
                                       SessionReference* reference) const {
  const bool client = role == Role::client;
  gnutls_session_t raw = nullptr;
  if (gnutls_init(&raw, (client ? GNUTLS_CLIENT : GNUTLS_SERVER) | GNUTLS_NO_END_OF_EARLY_DATA) != GNUTLS_E_SUCCESS)
    return nullptr;
  TlsHandle session(raw);
  const int configured =
      client ? ngtcp2_crypto_gnutls_configure_client_session(raw) : ngtcp2_crypto_gnutls_configure_server_session(raw);
  if (configured != 0 || gnutls_priority_set_direct(raw, kPriority, nullptr) != GNUTLS_E_SUCCESS) return nullptr;
  if (gnutls_credentials_set(raw, GNUTLS_CRD_CERTIFICATE, credentials_) != GNUTLS_E_SUCCESS) return nullptr;
  gnutls_session_set_ptr(raw, reference);
  if (*reference->keylog) gnutls_session_set_keylog_function(raw, log_secret);

  std::vector<gnutls_datum_t> protocols;
  for (const std::string& protocol : alpn) protocols.push_back(datum(protocol));
  if (!protocols.empty() && gnutls_alpn_set_protocols(raw, protocols.data(), static_cast<unsigned>(protocols.size()),
                                                      GNUTLS_ALPN_MANDATORY) != GNUTLS_E_SUCCESS) {
    return nullptr;
  }
  if (client && !server_name.empty()) {
    if (gnutls_server_name_set(raw, GNUTLS_NAME_DNS, server_name.data(), server_name.size()) != GNUTLS_E_SUCCESS)
      return nullptr;
  }
  if (client && verify_peer_)
    gnutls_session_set_verify_cert(raw, server_name.empty() ? nullptr : server_name.c_str(), 0);
  return session;
}

std::string selected_alpn(gnutls_session_t session) {
  gnutls_datum_t protocol{};
  if (gnutls_alpn_get_selected_protocol(session, &protocol) != GNUTLS_E_SUCCESS) return {};
  return {reinterpret_cast<const char*>(protocol.data), protocol.size};
}

}  // namespace mpquic::peers
