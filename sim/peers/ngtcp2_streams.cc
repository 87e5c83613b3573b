// The application's side of a connection: streams and datagrams.
#include <algorithm>

#include "sim/peers/ngtcp2_connection.h"

namespace mpquic::peers {
namespace {

/// Short header, packet number, AEAD tag, frame type and length around one DATAGRAM (RFC 9221 §3).
constexpr std::size_t kDatagramOverhead = 1 + NGTCP2_MAX_CIDLEN + 4 + 16 + 3;

std::int64_t native(StreamId id) { return static_cast<std::int64_t>(id.value()); }

}  // namespace

Ngtcp2Stream* Ngtcp2Connection::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Ngtcp2Stream& Ngtcp2Connection::add_stream(StreamId id) {
  auto& slot = streams_[id];
  slot = std::make_unique<Ngtcp2Stream>(id, chunks_);
  const bool ours = initiator_of(id) == role_;
  if (directionality_of(id) == Directionality::unidirectional) {
    slot->send_closed = !ours;
    slot->receive_closed = ours;
  }
  return *slot;
}

void Ngtcp2Connection::erase_if_done(Ngtcp2Stream& stream) {
  if (!stream.gone || !stream.all_read()) return;
  dequeue(stream);
  streams_.erase(StreamId(stream.id));
}

void Ngtcp2Connection::enqueue(Ngtcp2Stream& stream) {
  if (stream.queued || !stream.has_unsent()) return;
  stream.queued = true;
  may_send_ = true;
  send_queue_.push_back(&stream);
}

void Ngtcp2Connection::dequeue(Ngtcp2Stream& stream) {
  if (!stream.queued) return;
  stream.queued = false;
  std::erase(send_queue_, &stream);
}

std::expected<StreamId, StreamError> Ngtcp2Connection::open_stream(Directionality dir) {
  if (state_ != State::open) return std::unexpected(StreamError::closed);
  std::int64_t id = 0;
  const int result = dir == Directionality::bidirectional ? ngtcp2_conn_open_bidi_stream(conn_, &id, nullptr)
                                                          : ngtcp2_conn_open_uni_stream(conn_, &id, nullptr);
  if (result != 0) {
    stream_wanted_[static_cast<std::size_t>(dir)] = true;
    return std::unexpected(StreamError::limit);
  }
  Ngtcp2Stream& stream = add_stream(StreamId{static_cast<std::uint64_t>(id)});
  ngtcp2_conn_set_stream_user_data(conn_, id, &stream);
  return stream.id;
}

std::expected<std::size_t, StreamError> Ngtcp2Connection::write(StreamId id, Bytes data, bool fin) {
  Ngtcp2Stream* stream = find(id);
  if (state_ != State::open) return std::unexpected(StreamError::closed);
  if (stream == nullptr) return std::unexpected(StreamError::unknown_stream);
  if (stream->send_closed) return std::unexpected(StreamError::stopped);
  if (stream->fin_wanted) return std::unexpected(StreamError::finished);
  const auto buffered = static_cast<std::uint64_t>(stream->outgoing.size());
  const std::uint64_t capacity = shared_.config.connection.send_buffer;
  const auto amount =
      static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), capacity - std::min(capacity, buffered)));
  stream->outgoing.append(data.first(amount));
  if (amount < data.size()) {
    stream->writer_waits = true;
  } else if (fin) {
    stream->fin_wanted = true;
  }
  enqueue(*stream);
  return amount;
}

std::expected<StreamPiece, StreamError> Ngtcp2Connection::peek(StreamId id) {
  Ngtcp2Stream* stream = find(id);
  if (stream == nullptr) return std::unexpected(StreamError::unknown_stream);
  if (stream->receive_closed) return std::unexpected(StreamError::reset);
  const Bytes data = stream->incoming.at(stream->incoming.begin());
  return StreamPiece{.data = data, .fin = stream->fin_received && data.size() == stream->incoming.size()};
}

void Ngtcp2Connection::consume(StreamId id, std::size_t bytes) {
  Ngtcp2Stream* stream = find(id);
  if (stream == nullptr || stream->receive_closed) return;
  const std::size_t count = std::min(bytes, stream->incoming.size());
  stream->incoming.release(stream->incoming.begin() + count);
  if (stream->incoming.size() == 0) stream->readable_reported = false;
  if (count > 0 && state_ == State::open) {
    if (!stream->gone) ngtcp2_conn_extend_max_stream_offset(conn_, native(id), count);
    ngtcp2_conn_extend_max_offset(conn_, count);
    may_send_ = true;
  }
  stream->fin_read |= stream->fin_received && stream->incoming.size() == 0;
  if (stream->fin_read) erase_if_done(*stream);
}

void Ngtcp2Connection::reset_stream(StreamId id, std::uint64_t error) {
  Ngtcp2Stream* stream = find(id);
  if (stream == nullptr || state_ != State::open || stream->send_closed) return;
  stream->send_closed = true;
  dequeue(*stream);
  may_send_ = true;
  // An error means that ngtcp2 has closed the stream already.
  static_cast<void>(ngtcp2_conn_shutdown_stream_write(conn_, native(id), error));
}

void Ngtcp2Connection::stop_sending(StreamId id, std::uint64_t error) {
  Ngtcp2Stream* stream = find(id);
  if (stream == nullptr || state_ != State::open || stream->receive_closed) return;
  stream->receive_closed = true;
  may_send_ = true;
  ngtcp2_conn_extend_max_offset(conn_, stream->incoming.size());
  stream->incoming.release(stream->incoming.end());
  static_cast<void>(ngtcp2_conn_shutdown_stream_read(conn_, native(id), error));
  erase_if_done(*stream);
}

// --- Datagrams

std::size_t Ngtcp2Connection::max_datagram_payload() const {
  if (state_ != State::open) return 0;
  const ngtcp2_transport_params* remote = ngtcp2_conn_get_remote_transport_params(conn_);
  if (remote == nullptr || remote->max_datagram_frame_size <= 3) return 0;
  const std::size_t packet = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn_) - kDatagramOverhead;
  return static_cast<std::size_t>(std::min<std::uint64_t>(packet, remote->max_datagram_frame_size - 3));
}

std::optional<std::uint64_t> Ngtcp2Connection::send_datagram(Bytes data, Deadline deadline) {
  if (data.size() > max_datagram_payload() || max_datagram_payload() == 0) return std::nullopt;
  if (datagram_bytes_out_ + data.size() > shared_.config.connection.datagram_send_queue_bytes) return std::nullopt;
  datagrams_out_.push_back({next_datagram_, {data.begin(), data.end()}, deadline});
  datagram_bytes_out_ += data.size();
  may_send_ = true;
  return next_datagram_++;
}

std::optional<std::size_t> Ngtcp2Connection::receive_datagram(MutableBytes out) {
  if (datagrams_in_.empty()) return std::nullopt;
  const std::vector<std::byte> datagram = std::move(datagrams_in_.front());
  datagrams_in_.pop_front();
  datagram_bytes_in_ -= datagram.size();
  const std::size_t amount = std::min(datagram.size(), out.size());
  std::copy_n(datagram.begin(), amount, out.begin());
  return amount;
}

}  // namespace mpquic::peers
