// Frames from the peer, RFC 9000 §19.4, §19.5 and §19.8 to §19.14.
#include "stack/base/check.h"
#include "stack/stream/stream_map.h"

namespace mpquic {

Result<Stream*> StreamMap::stream_for_frame(StreamId id, std::uint64_t frame_type) {
  Direction& d = direction_of(id);
  const std::uint64_t ordinal = ordinal_of(id);
  if (is_local(id)) {
    if (ordinal >= d.local_streams.used())
      return fail(error::kStreamStateError, "stream that we have not opened", frame_type);
    return table_.find(id);
  }
  if (ordinal >= d.peer_streams.advertised())
    return fail(error::kStreamLimitError, "stream beyond our limit", frame_type);
  const std::uint64_t opened = d.peer_streams.received();
  if (ordinal >= opened) {
    // §2.1: a stream opens all lower ones of its kind. They are counted now and get state once they are used.
    d.implied.insert(opened, ordinal);
    d.peer_streams.on_received(ordinal + 1 - opened);
  } else {
    if (Stream* stream = table_.find(id)) return stream;
    if (!d.implied.contains(ordinal)) return nullptr;
    d.implied.erase(ordinal, ordinal + 1);
  }
  Stream& stream = create(id);
  events_.push(stream, StreamEventKind::opened);
  return &stream;
}

Result<Stream*> StreamMap::receiving_stream(StreamId id, std::uint64_t frame_type) {
  if (!has_recv_part(id)) return fail(error::kStreamStateError, "frame for a send-only stream", frame_type);
  return stream_for_frame(id, frame_type);
}

Result<Stream*> StreamMap::sending_stream(StreamId id, std::uint64_t frame_type) {
  if (!has_send_part(id)) return fail(error::kStreamStateError, "frame for a receive-only stream", frame_type);
  return stream_for_frame(id, frame_type);
}

Result<void> StreamMap::count_received(std::uint64_t growth, std::uint64_t frame_type) {
  if (growth > window_.remaining())
    return fail(error::kFlowControlError, "connection data beyond our limit", frame_type);
  window_.on_received(growth);
  return {};
}

Result<void> StreamMap::on_frame(const StreamFrame& frame) {
  const std::uint64_t end = frame.offset + frame.data.size();
  if (end > kMaxVarint) return fail(error::kFrameEncodingError, "offset beyond 2^62-1", frame_type::kStream);
  MPQUIC_TRY_ASSIGN(stream, receiving_stream(frame.id, frame_type::kStream));
  if (stream == nullptr) return {};
  MPQUIC_TRY_ASSIGN(growth, stream->recv.growth(end, frame.fin, frame_type::kStream));
  MPQUIC_TRY(count_received(growth, frame_type::kStream));
  const auto arrival = stream->recv.on_data(frame.offset, frame.data, frame.fin);
  window_.on_consumed(arrival.discarded);
  if (arrival.readable) events_.push(*stream, StreamEventKind::readable);
  settle(*stream);
  return {};
}

Result<void> StreamMap::on_frame(const ResetStreamFrame& frame) {
  MPQUIC_TRY_ASSIGN(stream, receiving_stream(frame.id, frame_type::kResetStream));
  if (stream == nullptr) return {};
  MPQUIC_TRY_ASSIGN(growth, stream->recv.growth(frame.final_size, true, frame_type::kResetStream));
  MPQUIC_TRY(count_received(growth, frame_type::kResetStream));
  const auto arrival = stream->recv.on_reset(frame.error, frame.final_size);
  window_.on_consumed(arrival.discarded);
  if (arrival.news) events_.push(*stream, StreamEventKind::reset);
  settle(*stream);
  return {};
}

Result<void> StreamMap::on_frame(const StopSendingFrame& frame) {
  MPQUIC_TRY_ASSIGN(stream, sending_stream(frame.id, frame_type::kStopSending));
  if (stream == nullptr) return {};
  if (stream->send.on_stop(frame.error)) {
    stream->control |= control::kResetStream;
    events_.push(*stream, StreamEventKind::stopped);
  }
  settle(*stream);
  return {};
}

Result<void> StreamMap::on_frame(const MaxDataFrame& frame) {
  static_cast<void>(credit_.raise(frame.maximum));
  return {};
}

Result<void> StreamMap::on_frame(const MaxStreamDataFrame& frame) {
  MPQUIC_TRY_ASSIGN(stream, sending_stream(frame.id, frame_type::kMaxStreamData));
  if (stream == nullptr) return {};
  if (stream->send.credit().raise(frame.maximum)) reschedule(*stream);
  return {};
}

Result<void> StreamMap::on_frame(const MaxStreamsFrame& frame) {
  if (frame.maximum > kMaxStreamCount) {  // §4.6
    const bool bidi = frame.dir == Directionality::bidirectional;
    return fail(error::kFrameEncodingError, "stream limit above 2^60",
                bidi ? frame_type::kMaxStreamsBidi : frame_type::kMaxStreamsUni);
  }
  raise_stream_limit(frame.dir, frame.maximum);
  return {};
}

// The peer's *_BLOCKED frames need no answer: whenever a blocked peer could be given more, ReceiveWindow has advertised
// it already. They are checked, and may open a stream.
Result<void> StreamMap::on_frame(const DataBlockedFrame&) { return {}; }

Result<void> StreamMap::on_frame(const StreamDataBlockedFrame& frame) {
  MPQUIC_TRY(receiving_stream(frame.id, frame_type::kStreamDataBlocked));
  return {};
}

Result<void> StreamMap::on_frame(const StreamsBlockedFrame& frame) {
  if (frame.limit > kMaxStreamCount) {  // §19.14
    const bool bidi = frame.dir == Directionality::bidirectional;
    return fail(error::kFrameEncodingError, "blocked at a stream limit above 2^60",
                bidi ? frame_type::kStreamsBlockedBidi : frame_type::kStreamsBlockedUni);
  }
  return {};
}

}  // namespace mpquic
