#include "stack/conn/handshake.h"

#include <utility>

namespace mpquic {

Result<void> Handshake::start() { return tls_->start(); }

Result<void> Handshake::on_frame(EncryptionLevel level, const CryptoFrame& frame) {
  // RFC 9001 §6: TLS KeyUpdate must not be sent, and a server expects no other post-handshake message.
  constexpr std::uint64_t kUnexpectedMessage = error::kCryptoErrorBase + 10;
  if (!tls_) return fail(kUnexpectedMessage, "post-handshake message to a server", frame_type::kCrypto);
  CryptoStream& in = stream(level);
  if (level != read_level_) {
    if (!in.goes_beyond(frame)) return {};
    return fail(error::kProtocolViolation, "CRYPTO data at a level that TLS does not read", frame_type::kCrypto);
  }
  return in.on_frame(frame);
}

Result<void> Handshake::feed(EncryptionLevel level) {
  CryptoStream& in = stream(level);
  const Bytes ready = in.readable();
  if (ready.empty() || !tls_) return {};
  MPQUIC_TRY(tls_->receive(level, ready));
  in.consume(ready.size());
  return {};
}

Result<void> Handshake::begin_reading(EncryptionLevel level) {
  const bool left = stream(std::exchange(read_level_, level)).has_unread();
  if (left) return fail(error::kProtocolViolation, "CRYPTO data after the end of its level", frame_type::kCrypto);
  return {};
}

std::optional<TlsEvent> Handshake::poll_event() {
  while (tls_) {
    auto event = tls_->poll_event();
    if (!event) return std::nullopt;
    if (const auto* data = std::get_if<TlsHandshakeData>(&*event)) {
      stream(data->level).push(data->data);
      continue;
    }
    if (std::holds_alternative<TlsCompleted>(*event)) complete_ = true;
    return event;
  }
  return std::nullopt;
}

Interest Handshake::interest(EncryptionLevel level) const {
  const Interest crypto = stream(level).interest();
  if (level == EncryptionLevel::one_rtt && crypto == Interest::none &&
      (done_ == Delivery::wanted || token_delivery_ == Delivery::wanted))
    return Interest::new_data;
  return crypto;
}

void Handshake::write_frames(FrameWriter& writer) {
  if (writer.level() == EncryptionLevel::one_rtt) {
    if (done_ == Delivery::wanted && writer.write(HandshakeDoneFrame{}, HandshakeDoneToken{}))
      done_ = Delivery::in_flight;
    if (token_delivery_ == Delivery::wanted && writer.write(NewTokenFrame{token_}, NewTokenToken{token_sequence_}))
      token_delivery_ = Delivery::in_flight;
  }
  stream(writer.level()).write_frames(writer);
}

void Handshake::send_token(std::vector<std::byte> token) {
  if (token.empty()) return;
  token_ = std::move(token);
  ++token_sequence_;
  token_delivery_ = Delivery::wanted;
}

}  // namespace mpquic
