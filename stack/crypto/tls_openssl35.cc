// TLS for QUIC by the interface that OpenSSL has for it since 3.5: SSL_set_quic_tls_cbs(3).
#include <openssl/opensslv.h>

#if OPENSSL_VERSION_NUMBER >= 0x30500000L

#include <array>
#include <utility>

#include "stack/crypto/openssl_session.h"
#include "stack/crypto/provider_dispatch.h"

namespace mpquic {
namespace {

class CallbackSession final : public OpenSslSession {
 public:
  using OpenSslSession::OpenSslSession;

  [[nodiscard]] bool install();

 private:
  // OpenSSL keeps partial messages: a piece of one that it leaves here, it does not expect.
  [[nodiscard]] Result<void> feed(Bytes data) override {
    input_ = data;
    MPQUIC_TRY(advance());
    if (!input_.empty()) on_alert(alert::kUnexpectedMessage);
    input_ = {};
    return status();
  }

  static CallbackSession& self(void* argument) { return *static_cast<CallbackSession*>(argument); }
  static int send(SSL*, const unsigned char* data, std::size_t size, std::size_t* consumed, void* argument) {
    self(argument).on_handshake_bytes(std::as_bytes(std::span(data, size)));
    *consumed = size;
    return 1;
  }
  static int lend(SSL*, const unsigned char** data, std::size_t* size, void* argument) {
    *data = u8(self(argument).input_);
    *size = self(argument).input_.size();
    return 1;
  }
  static int release(SSL*, std::size_t size, void* argument) {
    self(argument).input_ = self(argument).input_.subspan(size);
    return 1;
  }
  static int secret(SSL*,  // tidy: allow(parameters) OpenSSL's signature
                    std::uint32_t level, int direction, const unsigned char* data, std::size_t size, void* argument) {
    const Bytes bytes = std::as_bytes(std::span(data, size));
    const bool write = direction != 0;
    if (level == OSSL_RECORD_PROTECTION_LEVEL_HANDSHAKE)
      self(argument).on_secret(EncryptionLevel::handshake, write, bytes);
    else if (level == OSSL_RECORD_PROTECTION_LEVEL_APPLICATION)
      self(argument).on_secret(EncryptionLevel::one_rtt, write, bytes);
    return 1;
  }
  static int peer_parameters(SSL*, const unsigned char* data, std::size_t size, void* argument) {
    self(argument).on_peer_parameters(std::as_bytes(std::span(data, size)));
    return 1;
  }
  static int alert_raised(SSL*, unsigned char code, void* argument) {
    self(argument).on_alert(code);
    return 1;
  }

  Bytes input_;
};

bool CallbackSession::install() {
  static const std::array<OSSL_DISPATCH, 7> functions = {
      dispatch_entry(OSSL_FUNC_SSL_QUIC_TLS_CRYPTO_SEND, send),
      dispatch_entry(OSSL_FUNC_SSL_QUIC_TLS_CRYPTO_RECV_RCD, lend),
      dispatch_entry(OSSL_FUNC_SSL_QUIC_TLS_CRYPTO_RELEASE_RCD, release),
      dispatch_entry(OSSL_FUNC_SSL_QUIC_TLS_YIELD_SECRET, secret),
      dispatch_entry(OSSL_FUNC_SSL_QUIC_TLS_GOT_TRANSPORT_PARAMS, peer_parameters),
      dispatch_entry(OSSL_FUNC_SSL_QUIC_TLS_ALERT, alert_raised),
      OSSL_DISPATCH{},
  };
  return SSL_set_quic_tls_cbs(ssl(), functions.data(), this) == 1 &&
         SSL_set_quic_tls_transport_params(ssl(), u8(Bytes(parameters())), parameters().size()) == 1;
}

}  // namespace

bool install_backend(SSL_CTX&) { return true; }

std::unique_ptr<OpenSslSession> make_openssl_session(std::shared_ptr<const TlsContext> context, SslHandle ssl,
                                                     const TlsSessionOptions& options) {
  auto session = std::make_unique<CallbackSession>(std::move(context), std::move(ssl), options);
  if (!session->install()) return nullptr;
  return session;
}

}  // namespace mpquic

#endif
