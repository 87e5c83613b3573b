#include "stack/stream/send_stream.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic {

void SendStream::open(std::uint64_t peer_limit, std::uint64_t capacity) {
  close();
  credit_ = SendCredit(peer_limit);
  capacity_ = capacity;
  state_ = State::ready;
}

void SendStream::close() {
  buffer_.reset();
  credit_ = SendCredit();
  capacity_ = 0;
  reset_error_ = 0;
  stop_error_ = 0;
  state_ = State::absent;
  fin_ = Fin::none;
  stopped_ = false;
  wants_room_ = false;
}

std::expected<std::size_t, StreamError> SendStream::write(Bytes data, bool fin) {
  if (state_ == State::absent) return std::unexpected(StreamError::unknown_stream);
  if (stopped_) return std::unexpected(StreamError::stopped);
  if (state_ == State::reset_sent || state_ == State::reset_recvd) return std::unexpected(StreamError::reset);
  if (fin_ != Fin::none) return std::unexpected(StreamError::finished);
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), room()));
  buffer_.append(data.first(taken));
  if (taken < data.size()) {
    wants_room_ = true;
  } else if (fin) {
    fin_ = Fin::queued;
  }
  return taken;
}

bool SendStream::reset(std::uint64_t error) {
  if (!writable_state()) return false;
  abandon(error);
  return true;
}

bool SendStream::on_stop(std::uint64_t error) {
  if (!writable_state()) return false;
  stopped_ = true;
  stop_error_ = error;
  abandon(error);  // §3.5: the error code of STOP_SENDING is copied
  return true;
}

void SendStream::abandon(std::uint64_t error) {
  reset_error_ = error;
  state_ = State::reset_sent;
  wants_room_ = false;
  buffer_.reset();  // credit_ keeps the final size
}

std::optional<SendStream::Segment> SendStream::repeat() const {
  if (!has_repeat()) return std::nullopt;
  if (!buffer_.has_lost()) return Segment{buffer_.end(), 0, true};
  const Interval lost = buffer_.lowest_lost();
  const bool fin = lost.end == buffer_.end() && (fin_ == Fin::queued || fin_ == Fin::sent || fin_ == Fin::lost);
  return Segment{lost.begin, static_cast<std::size_t>(lost.end - lost.begin), fin};
}

std::optional<SendStream::Segment> SendStream::bare_fin() const {
  if (!has_bare_fin()) return std::nullopt;
  return Segment{buffer_.end(), 0, true};
}

std::optional<SendStream::Segment> SendStream::fresh(std::uint64_t connection_credit) const {
  if (!writable_state()) return std::nullopt;
  const std::uint64_t length = std::min({buffer_.unsent(), credit_.available(), connection_credit});
  if (length == 0) return std::nullopt;
  return Segment{buffer_.sent_end(), static_cast<std::size_t>(length),
                 fin_ == Fin::queued && length == buffer_.unsent()};
}

std::uint64_t SendStream::on_written(const Segment& segment) {
  const std::uint64_t added = buffer_.on_written(segment.offset, segment.length);
  credit_.use(added);
  if (state_ == State::ready) state_ = State::send;
  if (segment.fin) {
    fin_ = Fin::sent;
    state_ = State::data_sent;
  }
  return added;
}

bool SendStream::on_acked(const Segment& segment) {
  if (!writable_state()) return false;
  buffer_.on_acked(segment.offset, segment.length);
  if (segment.fin) fin_ = Fin::acked;
  if (fin_ != Fin::acked || buffer_.held() > 0) return false;
  state_ = State::data_recvd;
  return true;
}

void SendStream::on_lost(const Segment& segment) {
  if (!writable_state()) return;
  buffer_.on_lost(segment.offset, segment.length);
  if (segment.fin && fin_ == Fin::sent) fin_ = Fin::lost;
}

void SendStream::on_reset_acked() {
  if (state_ == State::reset_sent) state_ = State::reset_recvd;
}

std::optional<SendStream::Segment> SendStream::outstanding(const Segment& segment) const {
  if (!writable_state()) return std::nullopt;
  const std::uint64_t begin = buffer_.first_outstanding(segment.offset, segment.length);
  const std::uint64_t end = segment.offset + segment.length;
  const bool fin = segment.fin && fin_ != Fin::acked;
  if (begin == end && !fin) return std::nullopt;
  return Segment{begin, static_cast<std::size_t>(end - begin), fin};
}

bool SendStream::poll_writable() {
  if (!wants_room_ || fin_ != Fin::none) return false;
  if (room() < std::max<std::uint64_t>(1, std::min(capacity_, kMaxUnsent) / kWritableFraction)) return false;
  wants_room_ = false;
  return true;
}

}  // namespace mpquic
