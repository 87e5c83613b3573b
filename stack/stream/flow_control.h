// RFC 9000 §4: limits that one side advertises and the other keeps to. The same two classes count bytes of a
// connection, bytes of a stream, and streams (§4.6).
#pragma once

#include <algorithm>
#include <cstdint>

#include "stack/base/check.h"

namespace mpquic {

/// The least growth of a byte limit that is worth a frame.
inline constexpr std::uint64_t kWindowQuantum = 4096;

/// What the peer lets us use.
class SendCredit {
 public:
  explicit SendCredit(std::uint64_t limit = 0) : limit_(limit) {}

  [[nodiscard]] std::uint64_t limit() const { return limit_; }
  [[nodiscard]] std::uint64_t used() const { return used_; }
  [[nodiscard]] std::uint64_t available() const { return limit_ > used_ ? limit_ - used_ : 0; }
  void use(std::uint64_t amount) { used_ += amount; }
  /// A limit that does not grow is ignored (§4.1). Returns whether it grew.
  bool raise(std::uint64_t limit) {
    if (limit <= limit_) return false;
    limit_ = limit;
    signalled_ = false;
    return true;
  }

  /// §4.1: a *_BLOCKED frame is worth sending once per limit. The caller knows whether it would have more to send.
  [[nodiscard]] bool should_signal() const { return available() == 0 && !signalled_; }
  void on_signalled() { signalled_ = true; }
  /// Returns whether the signal is still true, so that it is sent again.
  bool on_signal_lost(std::uint64_t limit) {
    if (!signalled_ || limit != limit_ || available() != 0) return false;
    signalled_ = false;
    return true;
  }

 private:
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
  bool signalled_ = false;  // that this limit is used up
};

/// What we let the peer use: `window` ahead of what was consumed, never above `cap`, in steps of `quantum` at least.
class ReceiveWindow {
 public:
  ReceiveWindow(std::uint64_t window, std::uint64_t cap, std::uint64_t quantum = 1)
      : window_(std::min(window, cap)),
        cap_(cap),
        quantum_(std::clamp<std::uint64_t>(window_ / 16, 1, quantum)),
        advertised_(window_) {}

  [[nodiscard]] std::uint64_t advertised() const { return advertised_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t consumed() const { return consumed_; }
  /// What the peer may still send.
  [[nodiscard]] std::uint64_t remaining() const { return advertised_ - received_; }
  void on_received(std::uint64_t amount) {
    MPQUIC_DCHECK(amount <= remaining());
    received_ += amount;
  }
  void on_consumed(std::uint64_t amount) {
    MPQUIC_DCHECK(amount <= received_ - consumed_);
    consumed_ += amount;
  }

  /// The limit that a MAX_* frame would carry now.
  [[nodiscard]] std::uint64_t next_limit() const { return std::min(cap_, consumed_ + window_); }
  /// When the peer has no more left than a frame would grant. With a reader that keeps up, this is after half of the
  /// window; and it holds for a peer that is blocked once a quantum was consumed, so that a reader that leaves one
  /// stream alone does not starve the others, and a slow one does not make a frame of each byte.
  [[nodiscard]] bool should_advertise() const {
    const std::uint64_t grant = next_limit() - advertised_;
    return repeat_ || (grant >= quantum_ && grant >= remaining());
  }
  void on_advertised() {
    advertised_ = next_limit();
    repeat_ = false;
  }
  /// A frame is due, whatever it grants.
  void advertise_now() { repeat_ = true; }
  /// Only the newest limit is worth repeating (RFC 9000 §13.3). Returns whether it will be.
  bool on_lost(std::uint64_t limit) {
    repeat_ = repeat_ || limit == advertised_;
    return repeat_;
  }

 private:
  std::uint64_t window_;
  std::uint64_t cap_;
  std::uint64_t quantum_;
  std::uint64_t advertised_;
  std::uint64_t received_ = 0;
  std::uint64_t consumed_ = 0;
  bool repeat_ = false;
};

}  // namespace mpquic
