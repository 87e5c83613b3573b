#include "stack/stream/recv_stream.h"

#include "stack/base/ids.h"

namespace mpquic {

void RecvStream::open(std::uint64_t window) {
  close();
  window_ = ReceiveWindow(window, kMaxVarint, kWindowQuantum);
  state_ = State::recv;
}

void RecvStream::close() {
  reassembler_.reset();
  window_ = ReceiveWindow(0, 0);
  final_size_.reset();
  reset_error_ = 0;
  stop_error_ = 0;
  state_ = State::absent;
  stopped_ = false;
}

Result<std::uint64_t> RecvStream::growth(std::uint64_t end, bool fin, std::uint64_t frame_type) const {
  if (final_size_ && (end > *final_size_ || (fin && end != *final_size_)))
    return fail(error::kFinalSizeError, "data beyond the final size, or another final size", frame_type);
  if (end <= window_.received()) {
    if (fin && end < window_.received())
      return fail(error::kFinalSizeError, "final size below data already received", frame_type);
    return 0;
  }
  const std::uint64_t growth = end - window_.received();
  if (growth > window_.remaining()) return fail(error::kFlowControlError, "stream data beyond our limit", frame_type);
  return growth;
}

RecvStream::Arrival RecvStream::on_data(std::uint64_t offset, Bytes data, bool fin) {
  if (state_ != State::recv && state_ != State::size_known) return {};
  const std::uint64_t end = offset + data.size();
  if (end > window_.received()) window_.on_received(end - window_.received());
  if (fin) learn_final_size(end);
  if (stopped_) {
    if (final_size_) state_ = State::data_read;
    return {.discarded = discard_all()};
  }
  const std::uint64_t before = reassembler_.contiguous_end();
  reassembler_.insert(offset, data);
  if (final_size_ == reassembler_.contiguous_end()) {
    state_ = State::data_recvd;
    return {.readable = true};
  }
  return {.readable = reassembler_.contiguous_end() > before};
}

RecvStream::ResetArrival RecvStream::on_reset(std::uint64_t error, std::uint64_t final_size) {
  if (state_ != State::recv && state_ != State::size_known) return {};  // §3.2: may be ignored in data_recvd
  if (final_size > window_.received()) window_.on_received(final_size - window_.received());
  learn_final_size(final_size);
  reset_error_ = error;
  reassembler_.reset();
  // An application that asked for the stop needs no news of it.
  state_ = stopped_ ? State::reset_read : State::reset_recvd;
  return {.news = !stopped_, .discarded = discard_all()};
}

std::expected<StreamPiece, StreamError> RecvStream::peek() {
  if (state_ == State::absent) return std::unexpected(StreamError::unknown_stream);
  if (stopped_) return std::unexpected(StreamError::stopped);
  if (state_ == State::reset_recvd || state_ == State::reset_read) {
    on_reset_told();
    return std::unexpected(StreamError::reset);
  }
  const Bytes data = reassembler_.front();
  return StreamPiece{.data = data, .fin = final_size_ == reassembler_.read_offset() + data.size()};
}

std::size_t RecvStream::consume(std::size_t bytes) {
  const std::size_t count = reassembler_.pop(bytes);
  window_.on_consumed(count);
  if (state_ == State::data_recvd && reassembler_.read_offset() == final_size_) state_ = State::data_read;
  return count;
}

RecvStream::Stopped RecvStream::stop(std::uint64_t error) {
  if (terminal() || stopped_) return {};
  stopped_ = true;
  stop_error_ = error;
  reassembler_.reset();
  // §3.5: once all data, or a reset, is here there is nothing left to stop.
  const bool send_frame = awaits_stop();
  if (state_ == State::reset_recvd) state_ = State::reset_read;
  if (state_ == State::data_recvd) state_ = State::data_read;
  return {send_frame, discard_all()};
}

void RecvStream::on_stop_acked() {
  if (stopped_ && state_ == State::size_known) state_ = State::data_read;
}

void RecvStream::on_reset_told() {
  if (state_ == State::reset_recvd) state_ = State::reset_read;
}

void RecvStream::learn_final_size(std::uint64_t final_size) {
  final_size_ = final_size;
  if (state_ == State::recv) state_ = State::size_known;
}

std::uint64_t RecvStream::discard_all() {
  const std::uint64_t unread = window_.received() - window_.consumed();
  window_.on_consumed(unread);
  return unread;
}

}  // namespace mpquic
