// The TLS session of a connection and the CRYPTO streams that carry it (RFC 9001 §4), plus what follows a finished
// handshake: HANDSHAKE_DONE and NEW_TOKEN.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "stack/base/result.h"
#include "stack/conn/crypto_stream.h"
#include "stack/crypto/tls_session.h"
#include "stack/wire/frame_writer.h"

namespace mpquic {

class Handshake {
 public:
  explicit Handshake(std::unique_ptr<TlsSession> tls) : tls_(std::move(tls)) {}

  /// Client: produces the ClientHello.
  [[nodiscard]] Result<void> start();
  /// Keeps what a CRYPTO frame brought.
  [[nodiscard]] Result<void> on_frame(EncryptionLevel level, const CryptoFrame& frame);
  /// After a packet's frames: feeds what is in order by now; then poll_event() until it gives nothing. Once for a
  /// packet, because TLS takes its time for each piece, and a peer that is not authenticated cuts the pieces.
  [[nodiscard]] Result<void> feed(EncryptionLevel level);
  /// TLS reads at `level` from here on: nothing of the level before may be left (RFC 9001 §4.1.3).
  [[nodiscard]] Result<void> begin_reading(EncryptionLevel level);
  /// Keys, peer parameters, completion, tickets. Handshake bytes go to the CRYPTO streams on the way.
  [[nodiscard]] std::optional<TlsEvent> poll_event();

  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] Interest interest(EncryptionLevel level) const;
  void write_frames(FrameWriter& writer);
  void on_acked(const CryptoToken& token) { stream(token.level).on_acked(token); }
  void on_lost(const CryptoToken& token) { stream(token.level).on_lost(token); }
  void resend_unacked(EncryptionLevel level) { stream(level).resend_unacked(); }
  void discard(EncryptionLevel level) { stream(level).discard(); }

  /// Server: what confirms the handshake at the client (RFC 9001 §4.1.2) and lets it come back (RFC 9000 §8.1.3).
  void send_done() { done_ = Delivery::wanted; }
  /// Takes the place of an earlier token that is not acknowledged yet.
  void send_token(std::vector<std::byte> token);
  void on_acked(const HandshakeDoneToken&) { done_ = Delivery::idle; }
  void on_lost(const HandshakeDoneToken&) {
    if (done_ == Delivery::in_flight) done_ = Delivery::wanted;
  }
  void on_acked(const NewTokenToken& token) {
    if (token.sequence != token_sequence_) return;
    token_delivery_ = Delivery::idle;
    token_ = {};
  }
  void on_lost(const NewTokenToken& token) {
    if (token.sequence == token_sequence_ && token_delivery_ == Delivery::in_flight) token_delivery_ = Delivery::wanted;
  }

  /// Server, handshake confirmed: nothing more is expected from TLS, so its memory goes back. Never from within
  /// on_frame() or poll_event(), whose events refer to it.
  void release_tls() { tls_.reset(); }

 private:
  enum class Delivery : std::uint8_t { idle, wanted, in_flight };
  [[nodiscard]] CryptoStream& stream(EncryptionLevel level) {
    return streams_[static_cast<std::size_t>(space_of(level))];
  }
  [[nodiscard]] const CryptoStream& stream(EncryptionLevel level) const {
    return streams_[static_cast<std::size_t>(space_of(level))];
  }

  bool complete_ = false;
  EncryptionLevel read_level_ = EncryptionLevel::initial;
  Delivery done_ = Delivery::idle;
  Delivery token_delivery_ = Delivery::idle;
  std::unique_ptr<TlsSession> tls_;
  std::array<CryptoStream, kSpaceCount> streams_;
  std::vector<std::byte> token_;
  std::uint64_t token_sequence_ = 0;
};

}  // namespace mpquic
