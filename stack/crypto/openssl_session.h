// What both ways of running TLS over OpenSSL have in common: the event queue, errors as CRYPTO_ERRORs, completion.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "stack/crypto/evp.h"
#include "stack/crypto/handshake_messages.h"
#include "stack/crypto/tls_context.h"
#include "stack/crypto/tls_session.h"

namespace mpquic {

/// Session tickets that a client takes from one connection. A server may send any number, and each costs work (a key
/// derivation, a copy of the session): what it sends beyond is skipped.
inline constexpr std::size_t kMaxTickets = 8;

/// TLS alerts (RFC 8446 §6) that QUIC's own rules raise.
namespace alert {
inline constexpr std::uint8_t kUnexpectedMessage = 10;
inline constexpr std::uint8_t kInternalError = 80;
inline constexpr std::uint8_t kMissingExtension = 109;
inline constexpr std::uint8_t kNoApplicationProtocol = 120;
}  // namespace alert

inline constexpr unsigned kTransportParametersExtension = 0x39;  // RFC 9001 §8.2

/// Nothing in here ends the SSL object but receive(), once all else has returned: OpenSSL and its callbacks, feed() and
/// advance() may use it to their last line.
class OpenSslSession : public TlsSession {
 public:
  OpenSslSession(std::shared_ptr<const TlsContext> context, SslHandle ssl, const TlsSessionOptions& options);

  [[nodiscard]] Result<void> start() final;
  [[nodiscard]] Result<void> receive(EncryptionLevel level, Bytes data) final;
  [[nodiscard]] std::optional<TlsEvent> poll_event() final;

  /// Once per SSL_CTX: the callbacks that find their session through the SSL object.
  static void install_callbacks(SSL_CTX& context, const TlsConfig& config);  // which outlives the context
  [[nodiscard]] static OpenSslSession* of(const SSL* ssl) {
    return static_cast<OpenSslSession*>(SSL_get_app_data(ssl));
  }
  /// Why the peer's certificate is refused: the reason of the alert that follows.
  void on_untrusted(std::string why) { refusal_ = std::move(why); }
  [[nodiscard]] const std::string& server_name() const { return server_name_; }

 protected:
  /// Hands `data`, a piece of one message that continues the stream of the current read level, to OpenSSL, and
  /// advances.
  [[nodiscard]] virtual Result<void> feed(Bytes data) = 0;
  /// The peer's handshake bytes are protected with this secret from here on.
  virtual void on_read_secret(const TrafficSecret&) {}
  /// One line of the key log.
  virtual void on_key_log(std::string_view) {}
  /// A handshake message or an alert of ours, by its record's content type.
  virtual void on_own_message(int /*content_type*/, Bytes) {}

  /// Lets OpenSSL go on with what it was fed.
  [[nodiscard]] Result<void> advance();
  // What OpenSSL's callbacks report.
  void on_handshake_bytes(Bytes data);
  void on_secret(EncryptionLevel level, bool write, Bytes secret);
  void on_peer_parameters(Bytes encoded);
  void on_alert(std::uint8_t code) { fail_with(error::kCryptoErrorBase + code); }
  [[nodiscard]] Result<void> status() const;
  /// The first error stays.
  void fail_with(std::uint64_t code, std::string_view reason = {});

  [[nodiscard]] const std::vector<std::byte>& parameters() const { return parameters_; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] EncryptionLevel read_level() const { return read_level_; }
  [[nodiscard]] CipherSuite suite() const;

 private:
  struct OwnedHandshakeData {
    EncryptionLevel level = EncryptionLevel::initial;
    std::vector<std::byte> data;
  };
  struct OwnedPeerParameters {
    std::vector<std::byte> encoded;
  };
  using OwnedEvent = std::variant<OwnedHandshakeData, TlsSecretReady, OwnedPeerParameters, TlsCompleted, TlsTicket>;

  [[nodiscard]] Result<void> take(EncryptionLevel level, Bytes data);
  /// What QUIC forbids after the handshake.
  void judge_post_handshake(std::uint8_t message_type);
  void on_peer_message(Bytes message);
  void run();
  void complete();
  static int on_client_hello(SSL* ssl, int* code, void*);
  static int select_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                         unsigned int offered_size, void* config);
  static int on_new_ticket(SSL* ssl, SSL_SESSION* session);
  static void on_key_log_line(const SSL* ssl, const char* line);
  static void on_message(int written, int version, int content_type, const void* data, std::size_t size, SSL* ssl,
                         void*);

  std::shared_ptr<const TlsContext> context_;
  SslHandle ssl_;  // a server lets go of it once the handshake is complete
  Role role_;
  EncryptionLevel read_level_ = EncryptionLevel::initial;
  EncryptionLevel write_level_ = EncryptionLevel::initial;
  bool completed_ = false;
  bool has_peer_parameters_ = false;
  bool skipping_ = false;  // the message at hand
  std::size_t tickets_ = 0;
  HandshakeMessages messages_;  // of the peer
  std::string refusal_;
  std::optional<TransportError> error_;
  std::vector<OwnedEvent> events_;
  std::size_t next_event_ = 0;
  std::vector<std::byte> parameters_;
  std::string server_name_;
};

/// The way of the OpenSSL that this was built against.
[[nodiscard]] std::unique_ptr<OpenSslSession> make_openssl_session(std::shared_ptr<const TlsContext> context,
                                                                   SslHandle ssl, const TlsSessionOptions& options);
/// What it needs on the SSL_CTX. False where OpenSSL refuses.
[[nodiscard]] bool install_backend(SSL_CTX& context);

}  // namespace mpquic
