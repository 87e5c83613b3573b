#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/result.h"
#include "stack/base/stream_result.h"
#include "stack/stream/flow_control.h"
#include "stack/stream/reassembler.h"

namespace mpquic {

/// The receiving part of a stream, RFC 9000 §3.2, figure 3:
///
///        recv --- RESET_STREAM ----------.
///         | FIN                          |
///     size_known --- RESET_STREAM ------>|
///         | all data                     v
///     data_recvd                    reset_recvd
///         | read to the end              | application told
///     data_read                     reset_read
///
/// After stop_sending() data is discarded, so that the final size alone ends the stream (recv -> data_read); where it
/// was known already, the acknowledgement of STOP_SENDING does (size_known -> data_read).
class RecvStream {
 public:
  enum class State : std::uint8_t { absent, recv, size_known, data_recvd, reset_recvd, data_read, reset_read };

  explicit RecvStream(ChunkPool& pool) : reassembler_(pool), window_(0, 0) {}

  void open(std::uint64_t window);
  void close();  // to absent
  [[nodiscard]] State state() const { return state_; }
  /// The application has everything that it will get.
  [[nodiscard]] bool terminal() const {
    return state_ == State::absent || state_ == State::data_read || state_ == State::reset_read;
  }

  /// By how much a frame that ends at `end` raises the highest offset; an error where it breaks the final size
  /// (§4.5) or our limit (§4.1). Changes nothing.
  [[nodiscard]] Result<std::uint64_t> growth(std::uint64_t end, bool fin, std::uint64_t frame_type) const;

  struct Arrival {
    bool readable = false;
    std::uint64_t discarded = 0;  // bytes nobody will read: consumed, for the connection's window
  };
  /// After growth() accepted the frame.
  Arrival on_data(std::uint64_t offset, Bytes data, bool fin);
  struct ResetArrival {
    bool news = false;  // the application is to be told
    std::uint64_t discarded = 0;
  };
  /// After growth(final_size, true) accepted the frame.
  ResetArrival on_reset(std::uint64_t error, std::uint64_t final_size);

  /// See Transport::peek(). An error is the news itself: a reset counts as told.
  [[nodiscard]] std::expected<StreamPiece, StreamError> peek();
  /// How many of `bytes` there were: none, once the stream was stopped or reset.
  std::size_t consume(std::size_t bytes);
  struct Stopped {
    bool send_frame = false;
    std::uint64_t discarded = 0;
  };
  Stopped stop(std::uint64_t error);
  void on_stop_acked();
  void on_reset_told();

  [[nodiscard]] std::uint64_t reset_error() const { return reset_error_; }
  [[nodiscard]] std::uint64_t stop_error() const { return stop_error_; }
  /// STOP_SENDING and MAX_STREAM_DATA only make sense while the peer may send more (§3.5, §19.10).
  [[nodiscard]] bool awaits_stop() const { return stopped_ && (state_ == State::recv || state_ == State::size_known); }
  [[nodiscard]] bool wants_limit() const { return state_ == State::recv && !stopped_ && window_.should_advertise(); }
  [[nodiscard]] ReceiveWindow& window() { return window_; }

 private:
  void learn_final_size(std::uint64_t final_size);
  [[nodiscard]] std::uint64_t discard_all();

  Reassembler reassembler_;
  ReceiveWindow window_;
  std::optional<std::uint64_t> final_size_;
  std::uint64_t reset_error_ = 0;
  std::uint64_t stop_error_ = 0;
  State state_ = State::absent;
  bool stopped_ = false;
};

}  // namespace mpquic
