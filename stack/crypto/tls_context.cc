#include "stack/crypto/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "stack/crypto/openssl_session.h"
#include "stack/crypto/tls_trust.h"

namespace mpquic {
namespace {

/// With a fixed time, sessions carry that time but OpenSSL compares it with the real one: none may look expired.
constexpr long kEndlessSession = 200L * 365 * 24 * 3600;
constexpr std::size_t kMaxAlpnSize = 255;  // RFC 7301 §3.1
constexpr std::string_view kSessionIdContext = "mpquic";

std::string_view name_of(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::aes_128_gcm_sha256: return "TLS_AES_128_GCM_SHA256";
    case CipherSuite::aes_256_gcm_sha384: return "TLS_AES_256_GCM_SHA384";
    case CipherSuite::chacha20_poly1305_sha256: return "TLS_CHACHA20_POLY1305_SHA256";
    case CipherSuite::null: break;
  }
  return {};
}

BioHandle bio_of(std::string_view text) {
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// The next certificate, as one of `library`: its key is used with that library's algorithms.
X509Handle read_certificate(BIO& pem, OSSL_LIB_CTX* library) {
  X509* certificate = X509_new_ex(library, nullptr);
  if (certificate == nullptr) return nullptr;
  if (PEM_read_bio_X509(&pem, &certificate, nullptr, nullptr) != nullptr) return X509Handle(certificate);
  X509_free(certificate);
  return nullptr;
}

/// OpenSSL's own words for what went wrong last.
std::string with_reason(std::string message) {
  if (const char* reason = ERR_reason_error_string(ERR_peek_last_error())) message.append(": ").append(reason);
  ERR_clear_error();
  return message;
}

// OpenSSL 3.4 deprecates the names without _ex, 3.0 does not have those with it.
void set_session_time(SSL_SESSION* session, std::int64_t unix_seconds) {
#if OPENSSL_VERSION_NUMBER >= 0x30300000L
  SSL_SESSION_set_time_ex(session, static_cast<time_t>(unix_seconds));
#else
  SSL_SESSION_set_time(session, static_cast<long>(unix_seconds));
#endif
}
std::int64_t session_time(const SSL_SESSION* session) {
#if OPENSSL_VERSION_NUMBER >= 0x30300000L
  return SSL_SESSION_get_time_ex(session);
#else
  return SSL_SESSION_get_time(session);
#endif
}

// Runs as the server builds a ticket, after OpenSSL stamped it with the wall clock.
int fix_ticket_time(SSL* ssl, void* config) {
  const std::int64_t now = static_cast<const TlsConfig*>(config)->fixed_time.value_or(0);
  set_session_time(SSL_get_session(ssl), now);
  return 1;
}

// The core has no clock; a fresh session knows what OpenSSL takes for the time.
std::int64_t openssl_time() {
  const SslSessionHandle fresh(SSL_SESSION_new());
  return fresh == nullptr ? 0 : session_time(fresh.get());
}

}  // namespace

std::expected<std::shared_ptr<const TlsContext>, std::string> TlsContext::make(const TlsConfig& config) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> context(new TlsContext(config));
  if (auto ready = context->set_up(); !ready) return std::unexpected(ready.error());
  return context;
}

std::expected<void, std::string> TlsContext::set_up() {
  if (TlsLibrary::is_needed(config_.role, config_.randomness)) {
    library_ = TlsLibrary::make(config_.role, config_.randomness);
    if (library_ == nullptr) return std::unexpected(with_reason("OpenSSL does not take our providers"));
  }
  ssl_context_.reset(SSL_CTX_new_ex(library(), properties(), TLS_method()));
  if (ssl_context_ == nullptr) return std::unexpected(with_reason("OpenSSL gives no TLS context"));
  if (auto set = set_algorithms(); !set) return set;
  if (auto set = set_identity(); !set) return set;
  if (auto set = install_trust(*ssl_context_, config_); !set) return set;
  set_resumption();
  OpenSslSession::install_callbacks(*ssl_context_, config_);
  if (!install_backend(*ssl_context_)) return std::unexpected(with_reason("OpenSSL does not take QUIC's extension"));
  return {};
}

std::expected<void, std::string> TlsContext::set_algorithms() {
  SSL_CTX* context = ssl_context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_clear_options(context, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);  // RFC 9001 §8.4
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);             // idle connections should be small

  std::string suites;
  for (const CipherSuite suite : config_.cipher_suites) {
    if (name_of(suite).empty()) return std::unexpected("cipher suites: there is one that TLS does not know");
    suites.append(suites.empty() ? "" : ":").append(name_of(suite));
  }
  if (suites.empty() || SSL_CTX_set_ciphersuites(context, suites.c_str()) != 1)
    return std::unexpected(with_reason("cipher suites: OpenSSL takes none of them"));
  if (SSL_CTX_set1_groups_list(context, config_.groups.c_str()) != 1)
    return std::unexpected(with_reason("groups: OpenSSL does not know \"" + config_.groups + "\""));

  std::vector<unsigned char> alpn;  // RFC 7301 §3.1: names with their lengths before them
  for (const std::string& name : config_.alpn) {
    if (name.empty() || name.size() > kMaxAlpnSize) return std::unexpected("ALPN: a name has 1 to 255 bytes");
    alpn.push_back(static_cast<unsigned char>(name.size()));
    alpn.insert(alpn.end(), name.begin(), name.end());
  }
  if (alpn.empty()) return std::unexpected("ALPN: QUIC needs at least one protocol");
  if (SSL_CTX_set_alpn_protos(context, alpn.data(), static_cast<unsigned>(alpn.size())) != 0)
    return std::unexpected(with_reason("ALPN: OpenSSL refuses the list"));
  return {};
}

std::expected<void, std::string> TlsContext::set_identity() {
  if (config_.certificate_chain_pem.empty() && config_.private_key_pem.empty()) {
    if (config_.role == Role::server) return std::unexpected("certificate: a server needs a certificate and its key");
    return {};
  }
  SSL_CTX* context = ssl_context_.get();
  const BioHandle chain = bio_of(config_.certificate_chain_pem);
  const X509Handle leaf = read_certificate(*chain, library());
  if (leaf == nullptr) return std::unexpected(with_reason("certificate: not PEM"));
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1)
    return std::unexpected(with_reason("certificate: OpenSSL does not accept it"));
  while (X509Handle issuer = read_certificate(*chain, library())) {
    if (SSL_CTX_add0_chain_cert(context, issuer.get()) == 1) {
      static_cast<void>(issuer.release());
      continue;
    }
    return std::unexpected(with_reason("certificate: OpenSSL does not accept the chain"));
  }
  ERR_clear_error();  // "no start line" is how a chain ends
  const BioHandle key_text = bio_of(config_.private_key_pem);
  const PkeyHandle key(PEM_read_bio_PrivateKey_ex(key_text.get(), nullptr, nullptr, nullptr, library(), nullptr));
  if (key == nullptr) return std::unexpected(with_reason("private key: not an unencrypted PEM key"));
  if (X509_check_private_key(leaf.get(), key.get()) != 1 || SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return std::unexpected(with_reason("private key: it does not belong to the certificate"));
  return {};
}

void TlsContext::set_resumption() {
  SSL_CTX* context = ssl_context_.get();
  const bool server = config_.role == Role::server;
  SSL_CTX_set_session_id_context(context, u8(as_bytes(kSessionIdContext)), kSessionIdContext.size());
  // Servers keep nothing: all is in the ticket. Clients hand the ticket to the application.
  SSL_CTX_set_session_cache_mode(context,
                                 server ? SSL_SESS_CACHE_OFF : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_num_tickets(context, config_.resumption ? config_.ticket_count : 0);
  if (!config_.resumption) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  if (!config_.fixed_time) return;
  SSL_CTX_set_timeout(context, kEndlessSession);
  SSL_CTX_set_session_ticket_cb(context, fix_ticket_time, nullptr, &config_);
}

Result<SslHandle> TlsContext::make_ssl(const TlsSessionOptions& options) const {
  ERR_clear_error();
  if (options.role != config_.role) return fail(error::kInternalError, "TLS provider is for the other role");
  SslHandle ssl(SSL_new(ssl_context_.get()));
  if (ssl == nullptr) return fail(error::kInternalError, "OpenSSL gives no TLS session");
  if (options.role == Role::server) {
    SSL_set_accept_state(ssl.get());
    return ssl;
  }
  SSL_set_connect_state(ssl.get());
  MPQUIC_TRY(set_server_name(*ssl, config_.trust, options.server_name));
  if (config_.resumption && !options.ticket.empty()) offer_ticket(*ssl, options);
  ERR_clear_error();
  return ssl;
}

// RFC 8446 §4.6.1: a ticket is for the server that gave it. Resumption skips verification, so the ticket is also bound
// to the trust under which that server was verified.
SpkiFingerprint TlsContext::trust_digest(const std::string& server_name) const {
  const TlsTrust& trust = config_.trust;
  std::string text = trust.insecure ? "insecure" : trust.verify_name ? "verified" : "any name";
  text.append(1, '\0').append(server_name).append(1, '\0').append(trust.ca_pem).append(1, '\0');
  for (const SpkiFingerprint& pin : trust.pins) text.append(as_text(pin));
  SpkiFingerprint digest{};
  EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), u8(MutableBytes(digest)), nullptr);
  return digest;
}

std::vector<std::byte> TlsContext::export_ticket(SSL_SESSION& session, const std::string& server_name) const {
  const SpkiFingerprint digest = trust_digest(server_name);
  if (SSL_SESSION_set1_ticket_appdata(&session, digest.data(), digest.size()) != 1) return {};
  if (config_.fixed_time) set_session_time(&session, *config_.fixed_time);
  const int size = i2d_SSL_SESSION(&session, nullptr);
  if (size <= 0) return {};
  std::vector<std::byte> ticket(static_cast<std::size_t>(size));
  unsigned char* end = u8(MutableBytes(ticket));
  i2d_SSL_SESSION(&session, &end);
  return ticket;
}

void TlsContext::offer_ticket(SSL& ssl, const TlsSessionOptions& options) const {
  const unsigned char* data = u8(options.ticket);
  const SslSessionHandle session(d2i_SSL_SESSION(nullptr, &data, static_cast<long>(options.ticket.size())));
  if (session == nullptr) return;
  void* bound_to = nullptr;
  std::size_t size = 0;
  const SpkiFingerprint digest = trust_digest(options.server_name);
  if (SSL_SESSION_get0_ticket_appdata(session.get(), &bound_to, &size) != 1 ||
      !std::ranges::equal(Bytes(static_cast<const std::byte*>(bound_to), size), digest))
    return;
  // The ClientHello tells the ticket's age: with a fixed time it is always 0.
  if (config_.fixed_time) set_session_time(session.get(), openssl_time());
  SSL_set_session(&ssl, session.get());
}

}  // namespace mpquic
