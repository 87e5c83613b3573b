#include "stack/conn/lifecycle.h"

#include <algorithm>
#include <bit>

namespace mpquic {

void Lifecycle::set_idle_timeout(Duration local, Duration remote) {
  if (local.count() == 0 || remote.count() == 0)
    idle_timeout_ = std::max(local, remote);
  else
    idle_timeout_ = std::min(local, remote);
}

void Lifecycle::on_ack_eliciting_sent(Instant now) {
  // RFC 9000 §10.1: sending restarts the timer only for the first ack-eliciting packet since the last one received.
  if (sent_since_received_) return;
  sent_since_received_ = true;
  last_activity_ = now;
}

void Lifecycle::end(CloseCause cause) {
  cause.reason.resize(std::min(cause.reason.size(), kMaxReason));
  cause_ = std::move(cause);
}

void Lifecycle::close(CloseCause cause, Instant now, Duration max_pto) {
  if (!open()) return;
  const bool silent = is_silent(cause.source);
  end(std::move(cause));
  state_ = silent ? State::closed : State::closing;
  close_due_ = !silent;
  closing_ends_ = now + 3 * max_pto;  // §10.2, over the largest PTO of all paths (draft-21 §2.6)
}

void Lifecycle::on_peer_close(CloseCause cause, Instant now, Duration max_pto) {
  if (state_ == State::draining || state_ == State::closed) return;
  close_due_ = open() && cause.source == CloseSource::peer;
  if (open()) {
    end(std::move(cause));
    closing_ends_ = now + 3 * max_pto;
  }
  state_ = State::draining;
}

void Lifecycle::on_packet_while_closing() {
  ++packets_while_closing_;
  if (state_ == State::closing && std::has_single_bit(packets_while_closing_)) close_due_ = true;
}

Deadline Lifecycle::idle_deadline(Duration max_pto) const {
  if (idle_timeout_.count() == 0) return std::nullopt;
  return last_activity_ + std::max(idle_timeout_, 3 * max_pto);  // RFC 9000 §10.1
}

Deadline Lifecycle::keep_alive_deadline() const {
  if (keep_alive_.count() == 0 || state_ != State::established || keep_alive_pending_) return std::nullopt;
  // What we send does not count: a dead path is probed on and on, and a live one hears nothing of it.
  return std::max(last_received_, last_keep_alive_) + keep_alive_;
}

Deadline Lifecycle::next_deadline(Duration max_pto) const {
  if (!open()) return closed() ? std::nullopt : closing_ends_;
  return earlier(earlier(handshake_deadline_, idle_deadline(max_pto)), keep_alive_deadline());
}

void Lifecycle::on_deadline(Instant now, Duration max_pto) {
  if (!open()) {
    if (!expired(closing_ends_, now)) return;
    state_ = State::closed;
    close_due_ = false;
    return;
  }
  if (expired(handshake_deadline_, now)) {
    end({.source = CloseSource::handshake_timeout, .reason = "handshake timed out"});
    state_ = State::closed;
  } else if (expired(idle_deadline(max_pto), now)) {
    end({.source = CloseSource::idle_timeout, .reason = "idle timeout"});
    state_ = State::closed;
  } else if (expired(keep_alive_deadline(), now)) {
    keep_alive_pending_ = true;
  }
}

}  // namespace mpquic
