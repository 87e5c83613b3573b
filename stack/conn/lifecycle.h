// Life and death of a connection: establishment, idle timeout, keep-alive, closing and draining (RFC 9000 §10).
#pragma once

#include <optional>
#include <string>

#include "stack/base/result.h"
#include "stack/base/time.h"
#include "stack/conn/close_source.h"
#include "stack/wire/frame.h"

namespace mpquic {

/// Why a connection ends. `reason` is owned, since peers and applications supply it.
struct CloseCause {
  CloseSource source = CloseSource::local;
  bool application = false;
  std::uint64_t error = 0;
  std::uint64_t frame_type = 0;
  std::string reason;
};

/// Longest reason phrase that we send or keep.
inline constexpr std::size_t kMaxReason = 256;

///            +--> closing ---+
/// handshaking -> established  +--> closed
///            +--> draining --+
class Lifecycle {
 public:
  enum class State : std::uint8_t { handshaking, established, closing, draining, closed };

  Lifecycle(Instant start, Duration handshake_timeout)
      : handshake_deadline_(start + handshake_timeout),
        last_activity_(start),
        last_received_(start),
        last_keep_alive_(start) {}

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool open() const { return state_ == State::handshaking || state_ == State::established; }
  [[nodiscard]] bool closed() const { return state_ == State::closed; }
  [[nodiscard]] const std::optional<CloseCause>& cause() const { return cause_; }

  void on_established() {
    if (state_ == State::handshaking) state_ = State::established;
    handshake_deadline_.reset();
  }
  /// Both sides' max_idle_timeout; zero means none (RFC 9000 §10.1).
  void set_idle_timeout(Duration local, Duration remote);
  void set_keep_alive(Duration interval) { keep_alive_ = interval; }

  /// Any packet that authenticated, on any path (draft-21 §5.9).
  void on_received(Instant now) {
    last_activity_ = last_received_ = now;
    sent_since_received_ = false;
    keep_alive_pending_ = false;
  }
  void on_ack_eliciting_sent(Instant now);

  /// Starts closing: CONNECTION_CLOSE is owed. Nothing happens if already on the way out.
  void close(CloseCause cause, Instant now, Duration max_pto);
  void on_peer_close(CloseCause cause, Instant now, Duration max_pto);

  /// Whether CONNECTION_CLOSE is to be sent now. In closing, answered packets back off exponentially (§10.2.1); in
  /// draining, one packet answers the peer's, which then need not linger (§10.2.2).
  [[nodiscard]] bool close_frame_due() const { return close_due_; }
  void on_close_sent() { close_due_ = false; }
  void on_packet_while_closing();

  [[nodiscard]] bool keep_alive_due() const { return keep_alive_pending_; }
  /// Nothing has arrived since the last one: where that went may be dead.
  [[nodiscard]] bool keep_alive_unanswered() const { return last_keep_alive_ > last_received_; }
  void on_keep_alive_sent(Instant now) {
    keep_alive_pending_ = false;
    last_keep_alive_ = now;
  }

  [[nodiscard]] Deadline next_deadline(Duration max_pto) const;
  void on_deadline(Instant now, Duration max_pto);

 private:
  [[nodiscard]] Deadline idle_deadline(Duration max_pto) const;
  [[nodiscard]] Deadline keep_alive_deadline() const;
  void end(CloseCause cause);

  State state_ = State::handshaking;
  bool close_due_ = false;
  bool sent_since_received_ = false;
  bool keep_alive_pending_ = false;
  std::uint64_t packets_while_closing_ = 0;
  Deadline handshake_deadline_;
  Deadline closing_ends_;
  Instant last_activity_;
  Instant last_received_;
  Instant last_keep_alive_;
  Duration idle_timeout_{};
  Duration keep_alive_{};
  std::optional<CloseCause> cause_;
};

}  // namespace mpquic
