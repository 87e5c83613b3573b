#include "stack/crypto/openssl_session.h"

#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "stack/base/check.h"
#include "stack/base/overloaded.h"
#include "stack/wire/cursor.h"

namespace mpquic {
namespace {

template <class Size>
std::optional<Bytes> read_prefixed(ByteReader& reader, std::optional<Size> (ByteReader::*read_size)()) {
  const auto size = (reader.*read_size)();
  return size ? reader.read_bytes(*size) : std::nullopt;
}

/// RFC 9001 §4.6.1: where a NewSessionTicket (RFC 8446 §4.6.1) has early_data, max_early_data_size is 0xffffffff. A
/// message that does not parse is OpenSSL's to refuse.
bool allows_only_quic_early_data(Bytes message) {
  constexpr std::size_t kLengthLifetimeAgeAdd = 3 + 4 + 4;
  constexpr std::uint32_t kQuicEarlyData = 0xffffffff;
  ByteReader reader(message);
  if (!reader.read_bytes(kLengthLifetimeAgeAdd) || !read_prefixed(reader, &ByteReader::read_u8) ||
      !read_prefixed(reader, &ByteReader::read_u16) || !reader.read_u16())
    return true;
  while (const auto type = reader.read_u16()) {
    const auto extension = read_prefixed(reader, &ByteReader::read_u16);
    if (!extension) return true;
    if (*type == TLSEXT_TYPE_early_data) return ByteReader(*extension).read_u32() == kQuicEarlyData;
  }
  return true;
}

}  // namespace

OpenSslSession::OpenSslSession(std::shared_ptr<const TlsContext> context, SslHandle ssl,
                               const TlsSessionOptions& options)
    : context_(std::move(context)),
      ssl_(std::move(ssl)),
      role_(options.role),
      parameters_(options.parameters),
      server_name_(options.server_name) {
  SSL_set_app_data(ssl_.get(), this);
}

Result<void> OpenSslSession::start() {
  MPQUIC_CHECK(role_ == Role::client);
  return advance();
}

Result<void> OpenSslSession::receive(EncryptionLevel level, Bytes data) {
  const Result<void> taken = take(level, data);
  // Nothing more is expected of a client, and the object is large.
  if (completed_ && role_ == Role::server) ssl_.reset();
  return taken;
}

// Message by message: keys change between messages, and where they do, what follows is looked at anew.
Result<void> OpenSslSession::take(EncryptionLevel level, Bytes data) {
  MPQUIC_TRY(status());
  while (!data.empty()) {
    // RFC 9001 §4.1.3: TLS expects one level at a time, and nothing follows the message that ends a level.
    if (level != read_level_) {
      fail_with(error::kProtocolViolation, "handshake bytes at a level that TLS does not read");
      return status();
    }
    const Bytes piece = messages_.take(data);
    if (messages_.began()) {
      skipping_ = false;
      if (completed_) judge_post_handshake(messages_.type());
      MPQUIC_TRY(status());
    }
    if (!skipping_) MPQUIC_TRY(feed(piece));
  }
  return status();
}

void OpenSslSession::judge_post_handshake(std::uint8_t message_type) {
  if (role_ == Role::server || message_type == handshake_type::kKeyUpdate)  // RFC 9001 §6
    on_alert(alert::kUnexpectedMessage);
  else if (message_type == handshake_type::kCertificateRequest)
    fail_with(error::kProtocolViolation, "post-handshake client authentication");  // RFC 9001 §4.4
  else if (message_type == handshake_type::kNewSessionTicket)
    skipping_ = ++tickets_ > kMaxTickets;
}

Result<void> OpenSslSession::advance() {
  MPQUIC_TRY(status());
  ERR_clear_error();
  if (ssl_ != nullptr) run();
  ERR_clear_error();
  return status();
}

void OpenSslSession::run() {
  int result = 1;
  if (!completed_) {
    result = SSL_do_handshake(ssl_.get());
    if (result == 1 && !error_) complete();
  }
  if (result == 1 && role_ == Role::client) {  // tickets may follow the handshake
    char nothing = 0;
    result = SSL_read(ssl_.get(), &nothing, sizeof(nothing));
    if (result > 0) on_alert(alert::kUnexpectedMessage);
  }
  if (result <= 0 && SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) on_alert(alert::kInternalError);
}

void OpenSslSession::complete() {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  if (size == 0) return on_alert(alert::kNoApplicationProtocol);         // RFC 9001 §8.1
  if (!has_peer_parameters_) return on_alert(alert::kMissingExtension);  // RFC 9001 §8.2
  completed_ = true;
  events_.emplace_back(TlsCompleted{std::string(name, name + size), SSL_session_reused(ssl_.get()) == 1});
}

Result<void> OpenSslSession::status() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

void OpenSslSession::fail_with(std::uint64_t code, std::string_view reason) {
  if (error_) return;
  const bool is_alert = code >= error::kCryptoErrorBase;
  if (is_alert) reason = SSL_alert_desc_string_long(static_cast<int>(code - error::kCryptoErrorBase));
  if (is_alert && !refusal_.empty()) reason = refusal_;
  error_ = {code, reason};
}

CipherSuite OpenSslSession::suite() const {
  const SSL_CIPHER* cipher = SSL_get_pending_cipher(ssl_.get());
  if (cipher == nullptr) cipher = SSL_get_current_cipher(ssl_.get());
  return static_cast<CipherSuite>(SSL_CIPHER_get_protocol_id(cipher));
}

// --- Events

void OpenSslSession::on_handshake_bytes(Bytes data) {
  auto* last = events_.empty() ? nullptr : std::get_if<OwnedHandshakeData>(&events_.back());
  if (last == nullptr || last->level != write_level_) {
    events_.emplace_back(OwnedHandshakeData{write_level_, {}});
    last = &std::get<OwnedHandshakeData>(events_.back());
  }
  last->data.insert(last->data.end(), data.begin(), data.end());
}

void OpenSslSession::on_secret(EncryptionLevel level, bool write, Bytes secret) {
  TlsSecretReady ready{.level = level, .write = write, .suite = suite(), .secret = {}};
  if (secret.size() > ready.secret.bytes.size()) return on_alert(alert::kInternalError);
  std::ranges::copy(secret, ready.secret.bytes.begin());
  ready.secret.size = secret.size();
  (write ? write_level_ : read_level_) = level;
  if (!write) on_read_secret(ready.secret);
  events_.emplace_back(ready);
}

void OpenSslSession::on_peer_parameters(Bytes encoded) {
  if (has_peer_parameters_) return;  // a second ClientHello, after HelloRetryRequest, repeats them
  has_peer_parameters_ = true;
  events_.emplace_back(OwnedPeerParameters{{encoded.begin(), encoded.end()}});
}

std::optional<TlsEvent> OpenSslSession::poll_event() {
  if (next_event_ == events_.size()) {
    events_ = {};  // gives the memory back: a connection is quiet most of its life
    next_event_ = 0;
    return std::nullopt;
  }
  return std::visit(overloaded{
                        [](OwnedHandshakeData& event) -> TlsEvent {
                          return TlsHandshakeData{event.level, event.data};
                        },
                        [](TlsSecretReady& event) -> TlsEvent { return event; },
                        [](OwnedPeerParameters& event) -> TlsEvent { return TlsPeerParameters{event.encoded}; },
                        [](TlsCompleted& event) -> TlsEvent { return std::move(event); },
                        [](TlsTicket& event) -> TlsEvent { return std::move(event); },
                    },
                    events_[next_event_++]);
}

// --- Callbacks

void OpenSslSession::install_callbacks(SSL_CTX& context, const TlsConfig& config) {
  SSL_CTX_set_keylog_callback(&context, on_key_log_line);
  SSL_CTX_set_msg_callback(&context, on_message);
  if (config.role == Role::client) {
    SSL_CTX_sess_set_new_cb(&context, on_new_ticket);
    return;
  }
  SSL_CTX_set_client_hello_cb(&context, on_client_hello, nullptr);
  SSL_CTX_set_alpn_select_cb(&context, select_alpn, const_cast<TlsConfig*>(&config));
}

int OpenSslSession::on_client_hello(SSL* ssl, int*, void*) {
  // What is missing is told here: before the version is chosen, OpenSSL does not use the alerts of TLS 1.3.
  OpenSslSession& self = *of(ssl);
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  const auto has = [&](unsigned extension) { return SSL_client_hello_get0_ext(ssl, extension, &data, &size) == 1; };
  if (SSL_client_hello_get0_session_id(ssl, &data) != 0)
    self.fail_with(error::kProtocolViolation, "legacy_session_id is not empty");  // RFC 9001 §8.4
  if (!has(TLSEXT_TYPE_application_layer_protocol_negotiation)) self.on_alert(alert::kNoApplicationProtocol);  // §8.1
  if (!has(kTransportParametersExtension)) self.on_alert(alert::kMissingExtension);                            // §8.2
  return self.error_ ? SSL_CLIENT_HELLO_ERROR : SSL_CLIENT_HELLO_SUCCESS;
}

int OpenSslSession::select_alpn(SSL*,  // tidy: allow(parameters) OpenSSL's signature
                                const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                                unsigned int offered_size, void* config) {
  for (const std::string& name : static_cast<const TlsConfig*>(config)->alpn) {
    // OpenSSL has checked that the list is well-formed (RFC 7301 §3.1).
    for (std::size_t at = 0; at < offered_size; at += 1U + offered[at]) {
      if (!std::ranges::equal(std::as_bytes(std::span(offered + at + 1, offered[at])), as_bytes(name))) continue;
      *out = offered + at + 1;
      *out_size = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int OpenSslSession::on_new_ticket(SSL* ssl, SSL_SESSION* session) {
  OpenSslSession& self = *of(ssl);
  if (self.context_->config().resumption) {
    if (auto ticket = self.context_->export_ticket(*session, self.server_name_); !ticket.empty())
      self.events_.emplace_back(TlsTicket{std::move(ticket)});
  }
  return 0;  // the session object stays OpenSSL's
}

void OpenSslSession::on_key_log_line(const SSL* ssl, const char* line) {
  OpenSslSession& self = *of(ssl);
  if (const auto& log = self.context_->config().keylog) log(line);
  self.on_key_log(line);
}

void OpenSslSession::on_message(int written,  // tidy: allow(parameters) OpenSSL's signature
                                int, int content_type, const void* data, std::size_t size, SSL* ssl, void*) {
  const Bytes message(static_cast<const std::byte*>(data), size);
  if (written != 0)
    of(ssl)->on_own_message(content_type, message);
  else if (content_type == SSL3_RT_HANDSHAKE)
    of(ssl)->on_peer_message(message);
}

void OpenSslSession::on_peer_message(Bytes message) {
  ByteReader reader(message);
  if (reader.read_u8() != handshake_type::kNewSessionTicket || allows_only_quic_early_data(message.subspan(1))) return;
  fail_with(error::kProtocolViolation, "session ticket with another max_early_data_size than QUIC's");
}

}  // namespace mpquic
