#include "sim/engine/null_tls.h"

#include <algorithm>
#include <deque>

#include "stack/base/check.h"

namespace mpquic::sim {
namespace {

enum class Message : std::uint8_t { client_hello = 1, server_hello = 2, finished = 3, certificate = 4 };

constexpr std::size_t kHeader = 3;  // type, length (2)
constexpr std::size_t kMaxMessage = 4096;
constexpr std::size_t kMaxCertificate = 0xffff;  // what the length can say
constexpr std::size_t kSecretSize = 32;
// RFC 8446 §6: TLS alerts.
constexpr std::uint64_t kUnexpectedMessage = error::kCryptoErrorBase + 10;
constexpr std::uint64_t kDecodeError = error::kCryptoErrorBase + 50;
constexpr std::uint64_t kNoApplicationProtocol = error::kCryptoErrorBase + 120;

class NullTlsSession final : public TlsSession {
 public:
  NullTlsSession(const TlsSessionOptions& options, std::string alpn, std::size_t chain_bytes)
      : role_(options.role), alpn_(std::move(alpn)), chain_bytes_(chain_bytes), parameters_(options.parameters) {}

  [[nodiscard]] Result<void> start() override {
    send(EncryptionLevel::initial, Message::client_hello, true);
    return {};
  }

  [[nodiscard]] Result<void> receive(EncryptionLevel level, Bytes data) override {
    if (level != expected_level()) return fail(kUnexpectedMessage, "handshake data at the wrong level");
    incoming_.insert(incoming_.end(), data.begin(), data.end());
    while (incoming_.size() >= kHeader) {
      const std::size_t length =
          std::to_integer<std::size_t>(incoming_[1]) << 8 | std::to_integer<std::size_t>(incoming_[2]);
      const auto type = static_cast<Message>(incoming_[0]);
      if (length > (type == Message::certificate ? kMaxCertificate : kMaxMessage))
        return fail(kDecodeError, "handshake message too long");
      if (incoming_.size() < kHeader + length) break;
      const std::vector<std::byte> body(incoming_.begin() + kHeader,
                                        incoming_.begin() + static_cast<std::ptrdiff_t>(kHeader + length));
      incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<std::ptrdiff_t>(kHeader + length));
      MPQUIC_TRY(on_message(type, body));
    }
    return {};
  }

  [[nodiscard]] std::optional<TlsEvent> poll_event() override {
    if (pending_.empty()) return std::nullopt;
    Pending next = std::move(pending_.front());
    pending_.pop_front();
    current_ = std::move(next.bytes);
    if (auto* data = std::get_if<TlsHandshakeData>(&next.event)) data->data = current_;
    if (auto* peer = std::get_if<TlsPeerParameters>(&next.event)) peer->encoded = current_;
    return std::move(next.event);
  }

 private:
  /// Events refer to bytes that live until the next call.
  struct Pending {
    TlsEvent event;
    std::vector<std::byte> bytes;
  };
  enum class State : std::uint8_t { hello, finished, complete };

  [[nodiscard]] EncryptionLevel expected_level() const {
    if (state_ == State::hello) return EncryptionLevel::initial;
    return state_ == State::finished ? EncryptionLevel::handshake : EncryptionLevel::one_rtt;
  }

  [[nodiscard]] Result<void> on_message(Message type, Bytes body) {
    if (state_ == State::hello && role_ == Role::server && type == Message::client_hello) {
      MPQUIC_TRY(take_parameters(body));
      send(EncryptionLevel::initial, Message::server_hello, false);
      give_keys(EncryptionLevel::handshake, true);
      give_keys(EncryptionLevel::handshake, false);
      if (chain_bytes_ > 0) send_certificate();
      send(EncryptionLevel::handshake, Message::finished, true);
      give_keys(EncryptionLevel::one_rtt, true);
      state_ = State::finished;
    } else if (state_ == State::hello && role_ == Role::client && type == Message::server_hello) {
      give_keys(EncryptionLevel::handshake, false);
      give_keys(EncryptionLevel::handshake, true);
      state_ = State::finished;
    } else if (state_ == State::finished && role_ == Role::client && type == Message::certificate) {
      return {};  // it only takes its time
    } else if (state_ == State::finished && type == Message::finished) {
      if (role_ == Role::client) {
        MPQUIC_TRY(take_parameters(body));
        send(EncryptionLevel::handshake, Message::finished, false);
        give_keys(EncryptionLevel::one_rtt, true);
      }
      give_keys(EncryptionLevel::one_rtt, false);
      state_ = State::complete;
      push(TlsCompleted{.alpn = alpn_, .resumed = false});
    } else {
      return fail(kUnexpectedMessage, "unexpected handshake message");
    }
    return {};
  }

  /// Body: length of the protocol's name (1), its name, transport parameters.
  [[nodiscard]] Result<void> take_parameters(Bytes body) {
    if (body.empty()) return fail(kDecodeError, "handshake message without protocol");
    const auto length = std::to_integer<std::size_t>(body[0]);
    if (body.size() < 1 + length) return fail(kDecodeError, "handshake message cut short");
    if (as_text(body.subspan(1, length)) != alpn_)
      return fail(kNoApplicationProtocol, "no common application protocol");
    const Bytes parameters = body.subspan(1 + length);
    push(TlsPeerParameters{}, {parameters.begin(), parameters.end()});
    return {};
  }

  void send(EncryptionLevel level, Message type, bool with_parameters) {
    std::vector<std::byte> out = {static_cast<std::byte>(type), std::byte{0}, std::byte{0}};
    if (with_parameters) {
      out.push_back(static_cast<std::byte>(alpn_.size()));
      std::ranges::copy(as_bytes(alpn_), std::back_inserter(out));
      out.insert(out.end(), parameters_.begin(), parameters_.end());
    }
    push_message(level, std::move(out));
  }
  void send_certificate() {
    std::vector<std::byte> out(kHeader + chain_bytes_);
    out[0] = static_cast<std::byte>(Message::certificate);
    push_message(EncryptionLevel::handshake, std::move(out));
  }
  void push_message(EncryptionLevel level, std::vector<std::byte> message) {
    const std::size_t length = message.size() - kHeader;
    message[1] = static_cast<std::byte>(length >> 8);
    message[2] = static_cast<std::byte>(length & 0xff);
    push(TlsHandshakeData{.level = level, .data = {}}, std::move(message));
  }

  void give_keys(EncryptionLevel level, bool write) {
    TlsSecretReady ready{.level = level, .write = write, .suite = CipherSuite::null, .secret = {}};
    ready.secret.size = kSecretSize;
    push(ready);
  }

  void push(TlsEvent event, std::vector<std::byte> bytes = {}) {
    pending_.push_back({.event = std::move(event), .bytes = std::move(bytes)});
  }

  Role role_;
  std::string alpn_;
  std::size_t chain_bytes_;
  std::vector<std::byte> parameters_;
  State state_ = State::hello;
  std::vector<std::byte> incoming_;
  std::deque<Pending> pending_;
  std::vector<std::byte> current_;
};

class NullTlsProvider final : public TlsProvider {
 public:
  NullTlsProvider(std::string alpn, std::size_t chain_bytes) : alpn_(std::move(alpn)), chain_bytes_(chain_bytes) {}
  [[nodiscard]] Result<std::unique_ptr<TlsSession>> make_session(const TlsSessionOptions& options) override {
    return std::make_unique<NullTlsSession>(options, alpn_, chain_bytes_);
  }

 private:
  std::string alpn_;
  std::size_t chain_bytes_;
};

}  // namespace

std::shared_ptr<TlsProvider> make_null_tls_provider(std::string alpn, std::size_t chain_bytes) {
  MPQUIC_CHECK(chain_bytes <= kMaxCertificate);
  return std::make_shared<NullTlsProvider>(std::move(alpn), chain_bytes);
}

}  // namespace mpquic::sim
