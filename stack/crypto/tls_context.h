// What all TLS sessions of a provider share: the SSL_CTX with certificates, trust and ticket keys, and the library
// context beneath it.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "stack/crypto/evp.h"
#include "stack/crypto/tls_library.h"
#include "stack/crypto/tls_provider.h"

namespace mpquic {

class TlsContext {
 public:
  [[nodiscard]] static std::expected<std::shared_ptr<const TlsContext>, std::string> make(const TlsConfig& config);

  [[nodiscard]] const TlsConfig& config() const { return config_; }
  [[nodiscard]] SSL_CTX* ssl_context() const { return ssl_context_.get(); }
  /// An SSL object with role, name to verify and, where it is still of use, the ticket.
  [[nodiscard]] Result<SslHandle> make_ssl(const TlsSessionOptions& options) const;
  /// Client: a ticket that make_ssl() takes back for the same server name and the same trust.
  [[nodiscard]] std::vector<std::byte> export_ticket(SSL_SESSION& session, const std::string& server_name) const;

 private:
  explicit TlsContext(const TlsConfig& config) : config_(config) {}
  [[nodiscard]] std::expected<void, std::string> set_up();
  [[nodiscard]] std::expected<void, std::string> set_algorithms();
  [[nodiscard]] std::expected<void, std::string> set_identity();
  [[nodiscard]] OSSL_LIB_CTX* library() const { return library_ ? library_->context() : nullptr; }
  [[nodiscard]] const char* properties() const { return library_ ? library_->properties() : nullptr; }
  [[nodiscard]] std::expected<void, std::string> set_trust();
  void set_resumption();
  void offer_ticket(SSL& ssl, const TlsSessionOptions& options) const;
  [[nodiscard]] SpkiFingerprint trust_digest(const std::string& server_name) const;

  TlsConfig config_;
  std::unique_ptr<TlsLibrary> library_;  // null: OpenSSL's default
  SslCtxHandle ssl_context_;
};

}  // namespace mpquic
