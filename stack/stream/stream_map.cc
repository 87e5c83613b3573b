// Limits, identity and the application's side. Frames from the peer: stream_map_receive.cc; to the peer:
// stream_map_send.cc.
#include "stack/stream/stream_map.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic {

StreamMap::StreamMap(Role role, const StreamLimits& local)
    : role_(role),
      local_(local),
      directions_{Direction(local.max_streams_bidi), Direction(local.max_streams_uni)},
      window_(local.max_data, kMaxVarint, kWindowQuantum) {
  static_assert(static_cast<std::size_t>(Directionality::bidirectional) == 0);
}

void StreamMap::on_peer_limits(const StreamLimits& peer) {
  peer_ = peer;
  peer_known_ = true;
  static_cast<void>(credit_.raise(peer.max_data));
  for (const auto& [id, stream] : table_.entries()) {
    if (has_send_part(id)) static_cast<void>(stream->send.credit().raise(peer_limit_for(id)));
  }
  raise_stream_limit(Directionality::bidirectional, peer.max_streams_bidi);
  raise_stream_limit(Directionality::unidirectional, peer.max_streams_uni);
  reschedule_early_streams();
}

void StreamMap::raise_stream_limit(Directionality dir, std::uint64_t limit) {
  Direction& d = direction(dir);
  const bool had_early_streams = d.local_streams.used() > d.local_streams.limit();
  if (!d.local_streams.raise(limit)) return;
  if (d.refused && d.local_streams.available() > 0) {
    d.refused = false;
    d.available = true;
  }
  if (had_early_streams) reschedule_early_streams();
}

void StreamMap::reschedule_early_streams() {
  for (const auto& [id, stream] : table_.entries()) {
    if (is_local(id)) reschedule(*stream);
  }
}

bool StreamMap::has_send_part(StreamId id) const {
  return directionality_of(id) == Directionality::bidirectional || is_local(id);
}

bool StreamMap::has_recv_part(StreamId id) const {
  return directionality_of(id) == Directionality::bidirectional || !is_local(id);
}

std::uint64_t StreamMap::peer_limit_for(StreamId id) const {
  if (directionality_of(id) == Directionality::unidirectional) return peer_.max_stream_data_uni;
  return is_local(id) ? peer_.max_stream_data_bidi_remote : peer_.max_stream_data_bidi_local;
}

std::uint64_t StreamMap::local_window_for(StreamId id) const {
  if (directionality_of(id) == Directionality::unidirectional) return local_.max_stream_data_uni;
  return is_local(id) ? local_.max_stream_data_bidi_local : local_.max_stream_data_bidi_remote;
}

Stream& StreamMap::create(StreamId id) {
  Stream& stream = table_.insert(id);
  if (has_send_part(id)) stream.send.open(peer_limit_for(id), local_.send_buffer);
  if (has_recv_part(id)) stream.recv.open(local_window_for(id));
  return stream;
}

bool StreamMap::may_transmit(const Stream& stream) const {
  return !is_local(stream.id) || ordinal_of(stream.id) < direction_of(stream.id).local_streams.limit();
}

void StreamMap::reschedule(Stream& stream) {
  if (!may_transmit(stream)) return;
  schedule_.update(stream);
  stream.update_control();
  if (stream.control != 0) {
    control_.push_back(stream);
  } else {
    control_.erase(stream);
  }
}

void StreamMap::settle(Stream& stream) {
  reschedule(stream);
  if (!stream.finished()) return;
  schedule_.remove(stream);
  control_.erase(stream);
  if (!is_local(stream.id)) direction_of(stream.id).peer_streams.on_consumed(1);
  table_.erase(stream);
}

std::expected<StreamId, StreamError> StreamMap::open(Directionality dir) {
  Direction& d = direction(dir);
  const bool allowed = peer_known_ ? d.local_streams.available() > 0 : d.local_streams.used() < kMaxEarlyStreams;
  if (!allowed) {
    d.refused = true;
    return std::unexpected(StreamError::limit);
  }
  const StreamId id = make_stream_id(role_, dir, d.local_streams.used());
  d.local_streams.use(1);
  create(id);
  return id;
}

std::expected<std::size_t, StreamError> StreamMap::write(StreamId id, Bytes data, bool fin) {
  Stream* stream = table_.find(id);
  if (stream == nullptr) return std::unexpected(StreamError::unknown_stream);
  const auto taken = stream->send.write(data, fin);
  reschedule(*stream);
  return taken;
}

std::expected<StreamPiece, StreamError> StreamMap::peek(StreamId id) {
  Stream* stream = table_.find(id);
  if (stream == nullptr) return std::unexpected(StreamError::unknown_stream);
  const auto piece = stream->recv.peek();
  if (!piece) settle(*stream);
  return piece;
}

void StreamMap::consume(StreamId id, std::size_t bytes) {
  Stream* stream = table_.find(id);
  if (stream == nullptr) return;
  window_.on_consumed(stream->recv.consume(bytes));
  settle(*stream);
}

void StreamMap::reset(StreamId id, std::uint64_t error) {
  Stream* stream = table_.find(id);
  if (stream == nullptr || !stream->send.reset(error)) return;
  stream->control |= control::kResetStream;
  settle(*stream);
}

void StreamMap::stop_sending(StreamId id, std::uint64_t error) {
  Stream* stream = table_.find(id);
  if (stream == nullptr) return;
  const auto stopped = stream->recv.stop(error);
  window_.on_consumed(stopped.discarded);
  if (stopped.send_frame) stream->control |= control::kStopSending;
  settle(*stream);
}

void StreamMap::set_priority(StreamId id, Urgency urgency) {
  Stream* stream = table_.find(id);
  if (stream == nullptr) return;
  schedule_.remove(*stream);
  stream->urgency = std::min(urgency, kLeastUrgent);
  reschedule(*stream);
}

bool StreamMap::has_events() const {
  return !events_.empty() || std::ranges::any_of(directions_, &Direction::available);
}

std::optional<StreamEvent> StreamMap::poll_event() {
  for (const auto dir : {Directionality::bidirectional, Directionality::unidirectional}) {
    if (!std::exchange(direction(dir).available, false)) continue;
    return StreamEvent{.kind = StreamEventKind::streams_available, .id = {}, .error = 0, .dir = dir};
  }
  if (events_.empty()) return std::nullopt;
  const auto [stream, kind] = events_.pop();
  StreamEvent event{.kind = kind, .id = stream->id, .error = 0, .dir = directionality_of(stream->id)};
  if (kind == StreamEventKind::reset) {
    event.error = stream->recv.reset_error();
    stream->recv.on_reset_told();
  }
  if (kind == StreamEventKind::stopped) event.error = stream->send.stop_error();
  settle(*stream);
  return event;
}

}  // namespace mpquic
