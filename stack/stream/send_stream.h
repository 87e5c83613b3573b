#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/interval_set.h"
#include "stack/base/stream_result.h"
#include "stack/stream/flow_control.h"
#include "stack/stream/send_buffer.h"

namespace mpquic {

/// The sending part of a stream, RFC 9000 §3.1, figure 2:
///
///        ready
///         | first STREAM frame
///        send -------- reset() or STOP_SENDING ----.   (from ready and data_sent too)
///         | FIN sent                               v
///     data_sent                               reset_sent
///         | all acknowledged                       | RESET_STREAM acknowledged
///     data_recvd                              reset_recvd
class SendStream {
 public:
  enum class State : std::uint8_t { absent, ready, send, data_sent, data_recvd, reset_sent, reset_recvd };

  explicit SendStream(ChunkPool& pool) : buffer_(pool) {}

  void open(std::uint64_t peer_limit, std::uint64_t capacity);
  void close();  // to absent
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool terminal() const {
    return state_ == State::absent || state_ == State::data_recvd || state_ == State::reset_recvd;
  }

  [[nodiscard]] std::expected<std::size_t, StreamError> write(Bytes data, bool fin);
  /// Returns whether RESET_STREAM is to be sent.
  bool reset(std::uint64_t error);
  /// STOP_SENDING (§3.5) resets too. Returns whether RESET_STREAM is to be sent.
  bool on_stop(std::uint64_t error);

  /// A STREAM frame that could be written.
  struct Segment {
    std::uint64_t offset = 0;
    std::size_t length = 0;
    bool fin = false;
  };
  /// The lowest range to repeat.
  [[nodiscard]] std::optional<Segment> repeat() const;
  /// FIN alone: needs no credit.
  [[nodiscard]] std::optional<Segment> bare_fin() const;
  /// New data, at most `connection_credit` bytes of it.
  [[nodiscard]] std::optional<Segment> fresh(std::uint64_t connection_credit) const;
  [[nodiscard]] bool has_repeat() const { return writable_state() && (buffer_.has_lost() || fin_ == Fin::lost); }
  [[nodiscard]] bool has_bare_fin() const { return fin_ == Fin::queued && writable_state() && buffer_.unsent() == 0; }
  [[nodiscard]] bool has_fresh() const { return writable_state() && buffer_.unsent() > 0 && credit_.available() > 0; }
  /// Data waits for the peer's MAX_STREAM_DATA.
  [[nodiscard]] bool is_blocked() const { return writable_state() && buffer_.unsent() > 0 && credit_.should_signal(); }
  void copy_out(std::uint64_t offset, MutableBytes out) const { buffer_.copy_out(offset, out); }
  /// Returns how many bytes were new.
  std::uint64_t on_written(const Segment& segment);

  /// Returns whether this was the last that data_recvd waited for.
  bool on_acked(const Segment& segment);
  void on_lost(const Segment& segment);
  void on_reset_acked();
  /// What of it, which was sent, is worth sending again: from the first byte on that is not acknowledged.
  [[nodiscard]] std::optional<Segment> outstanding(const Segment& segment) const;

  /// Something was sent whose acknowledgement is still worth something.
  [[nodiscard]] bool has_unacked() const { return writable_state() && buffer_.acked_end() < buffer_.sent_end(); }

  /// After write() took less than it was given: true once when there is room again.
  [[nodiscard]] bool poll_writable();

  [[nodiscard]] SendCredit& credit() { return credit_; }
  /// The final size that RESET_STREAM carries (§4.5).
  [[nodiscard]] std::uint64_t sent_end() const { return credit_.used(); }
  [[nodiscard]] std::uint64_t reset_error() const { return reset_error_; }
  [[nodiscard]] std::uint64_t stop_error() const { return stop_error_; }
  /// RESET_STREAM and STREAM_DATA_BLOCKED are still worth sending.
  [[nodiscard]] bool awaits_reset() const { return state_ == State::reset_sent; }

 private:
  enum class Fin : std::uint8_t { none, queued, sent, lost, acked };
  /// An event for `writable` once this part of the buffer is free.
  static constexpr std::uint64_t kWritableFraction = 8;
  /// Bytes that may wait to be sent for the first time: enough for several trains, and little enough that they are
  /// still in the cache when they leave.
  static constexpr std::uint64_t kMaxUnsent = 256 * 1024;

  [[nodiscard]] std::uint64_t room() const {
    return std::min(capacity_ - buffer_.held(), kMaxUnsent - buffer_.unsent());
  }

  [[nodiscard]] bool writable_state() const {
    return state_ == State::ready || state_ == State::send || state_ == State::data_sent;
  }
  void abandon(std::uint64_t error);

  SendBuffer buffer_;
  SendCredit credit_;
  std::uint64_t capacity_ = 0;
  std::uint64_t reset_error_ = 0;
  std::uint64_t stop_error_ = 0;
  State state_ = State::absent;
  Fin fin_ = Fin::none;
  bool stopped_ = false;
  bool wants_room_ = false;
};

}  // namespace mpquic
