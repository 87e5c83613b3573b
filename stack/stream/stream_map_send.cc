// Frames to the peer, and the tokens that come back for them.
#include <algorithm>
#include <concepts>
#include <variant>

#include "stack/base/check.h"
#include "stack/stream/stream_map.h"

namespace mpquic {
namespace {

SendStream::Segment segment_of(const StreamToken& token) { return {token.offset, token.length, token.fin}; }

template <class T, class... Ts>
constexpr bool is_one_of = (std::same_as<T, Ts> || ...);

}  // namespace

Interest StreamMap::interest() const {
  const bool control = !control_.empty() || connection_control_due();
  if (schedule_.has_repeats() || (repeats_control_ && control)) return Interest::lost_data;
  const bool data = schedule_.has_unmetered() || (schedule_.has_metered() && credit_.available() > 0);
  return data || control ? Interest::new_data : Interest::none;
}

void StreamMap::write_frames(FrameWriter& writer) {
  if (!write_connection_control(writer) || !write_stream_control(writer)) return;
  repeats_control_ = false;
  while (writer.remaining() > 0) {
    Stream* stream = schedule_.next(credit_.available() > 0);
    if (stream == nullptr || !write_data(writer, *stream)) return;
  }
}

bool StreamMap::connection_control_due() const {
  return window_.should_advertise() || data_blocked_due() || std::ranges::any_of(directions_, [&](const Direction& d) {
           return d.peer_streams.should_advertise() || streams_blocked_due(d);
         });
}

bool StreamMap::write_connection_control(FrameWriter& writer) {
  if (window_.should_advertise()) {
    const std::uint64_t maximum = window_.next_limit();
    if (!writer.write(MaxDataFrame{maximum}, MaxDataToken{maximum})) return false;
    window_.on_advertised();
  }
  if (data_blocked_due()) {
    const std::uint64_t limit = credit_.limit();
    if (!writer.write(DataBlockedFrame{limit}, DataBlockedToken{limit})) return false;
    credit_.on_signalled();
  }
  return write_direction_control(writer, Directionality::bidirectional) &&
         write_direction_control(writer, Directionality::unidirectional);
}

bool StreamMap::write_direction_control(FrameWriter& writer, Directionality dir) {
  Direction& d = direction(dir);
  if (d.peer_streams.should_advertise()) {
    const std::uint64_t maximum = d.peer_streams.next_limit();
    if (!writer.write(MaxStreamsFrame{dir, maximum}, MaxStreamsToken{dir, maximum})) return false;
    d.peer_streams.on_advertised();
  }
  if (streams_blocked_due(d)) {
    const std::uint64_t limit = d.local_streams.limit();
    if (!writer.write(StreamsBlockedFrame{dir, limit}, StreamsBlockedToken{dir, limit})) return false;
    d.local_streams.on_signalled();
  }
  return true;
}

bool StreamMap::write_stream_control(FrameWriter& writer) {
  while (!control_.empty()) {
    Stream& stream = control_.front();
    while (stream.control != 0) {
      const auto lowest = static_cast<std::uint8_t>(stream.control & -stream.control);
      if (!write_owed(writer, stream, lowest)) return false;
      stream.control &= static_cast<std::uint8_t>(~lowest);
    }
    control_.erase(stream);
  }
  return true;
}

bool StreamMap::write_owed(FrameWriter& writer, Stream& stream, std::uint8_t frame) {
  const StreamId id = stream.id;
  switch (frame) {
    case control::kResetStream:
      return writer.write(ResetStreamFrame{id, stream.send.reset_error(), stream.send.sent_end()},
                          ResetStreamToken{id});
    case control::kStopSending:
      return writer.write(StopSendingFrame{id, stream.recv.stop_error()}, StopSendingToken{id});
    case control::kMaxStreamData: {
      const std::uint64_t maximum = stream.recv.window().next_limit();
      if (!writer.write(MaxStreamDataFrame{id, maximum}, MaxStreamDataToken{id, maximum})) return false;
      stream.recv.window().on_advertised();
      return true;
    }
    default: {
      MPQUIC_DCHECK(frame == control::kStreamDataBlocked);
      const std::uint64_t limit = stream.send.credit().limit();
      if (!writer.write(StreamDataBlockedFrame{id, limit}, StreamDataBlockedToken{id, limit})) return false;
      stream.send.credit().on_signalled();
      return true;
    }
  }
}

bool StreamMap::write_data(FrameWriter& writer, Stream& stream) {
  SendStream& send = stream.send;
  auto segment = send.repeat();
  if (!segment) segment = send.bare_fin();
  if (!segment) segment = send.fresh(credit_.available());
  MPQUIC_CHECK(segment.has_value());
  const auto out = writer.write_stream(stream.id, segment->offset, segment->length, segment->fin);
  if (!out) return false;
  segment->fin = segment->fin && out->size() == segment->length;
  segment->length = out->size();
  send.copy_out(segment->offset, *out);
  const std::uint64_t added = send.on_written(*segment);
  credit_.use(added);
  bytes_written_new_ += added;
  bytes_written_again_ += segment->length - added;
  if (send.poll_writable()) events_.push(stream, StreamEventKind::writable);
  reschedule(stream);
  schedule_.rotate(stream);
  return true;
}

bool StreamMap::write_copy(FrameWriter& writer, StreamToken& rest) {
  Stream* stream = table_.find(rest.id);
  if (stream == nullptr) return true;
  SendStream& send = stream->send;
  auto segment = send.outstanding(segment_of(rest));
  if (!segment) return true;
  const auto out = writer.write_stream(rest.id, segment->offset, segment->length, segment->fin);
  if (!out) return false;
  const bool whole = out->size() == segment->length;
  rest = {rest.id, segment->offset + out->size(), static_cast<std::uint32_t>(segment->length - out->size()), rest.fin};
  segment->fin = segment->fin && whole;
  segment->length = out->size();
  send.copy_out(segment->offset, *out);
  static_cast<void>(send.on_written(*segment));  // nothing new; but what counted as lost is on its way again
  bytes_copied_ += segment->length;
  reschedule(*stream);
  return whole;
}

void StreamMap::on_acked(const StreamToken& token) {
  Stream* stream = table_.find(token.id);
  if (stream == nullptr) return;
  if (stream->send.on_acked(segment_of(token))) events_.push(*stream, StreamEventKind::finished);
  if (stream->send.poll_writable()) events_.push(*stream, StreamEventKind::writable);
  settle(*stream);
}

void StreamMap::on_acked(const ResetStreamToken& token) {
  Stream* stream = table_.find(token.id);
  if (stream == nullptr) return;
  stream->send.on_reset_acked();
  settle(*stream);
}

void StreamMap::on_acked(const StopSendingToken& token) {
  Stream* stream = table_.find(token.id);
  if (stream == nullptr) return;
  stream->recv.on_stop_acked();
  settle(*stream);
}

void StreamMap::on_lost(const StreamToken& token) {
  Stream* stream = table_.find(token.id);
  if (stream == nullptr) return;
  stream->send.on_lost(segment_of(token));
  reschedule(*stream);
}

void StreamMap::on_lost(const ResetStreamToken& token) {
  Stream* stream = table_.find(token.id);
  if (stream == nullptr || !stream->send.awaits_reset()) return;
  stream->control |= control::kResetStream;
  reschedule(*stream);
  repeats_control_ = true;
}

void StreamMap::on_lost(const StopSendingToken& token) {
  Stream* stream = table_.find(token.id);
  if (stream == nullptr || !stream->recv.awaits_stop()) return;
  stream->control |= control::kStopSending;
  reschedule(*stream);
  repeats_control_ = true;
}

void StreamMap::on_lost(const MaxDataToken& token) {
  if (window_.on_lost(token.maximum)) repeats_control_ = true;
}

void StreamMap::on_lost(const MaxStreamDataToken& token) {
  Stream* stream = table_.find(token.id);
  if (stream == nullptr || !stream->recv.window().on_lost(token.maximum) || !stream->recv.wants_limit()) return;
  reschedule(*stream);
  repeats_control_ = true;
}

void StreamMap::on_lost(const MaxStreamsToken& token) {
  if (direction(token.dir).peer_streams.on_lost(token.maximum)) repeats_control_ = true;
}

// A lost *_BLOCKED is repeated while it is still true (RFC 9000 §13.3). It only informs, so it claims no urgency.
void StreamMap::on_lost(const DataBlockedToken& token) { static_cast<void>(credit_.on_signal_lost(token.limit)); }

void StreamMap::on_lost(const StreamDataBlockedToken& token) {
  Stream* stream = table_.find(token.id);
  if (stream != nullptr && stream->send.credit().on_signal_lost(token.limit)) reschedule(*stream);
}

void StreamMap::on_lost(const StreamsBlockedToken& token) {
  static_cast<void>(direction(token.dir).local_streams.on_signal_lost(token.limit));
}

bool StreamMap::is_outstanding(const StreamToken& token) const {
  const Stream* stream = table_.find(token.id);
  return stream != nullptr && stream->send.outstanding(segment_of(token)).has_value();
}

void StreamMap::on_acked(const DeliveryToken& token) {
  if (const auto* data = std::get_if<StreamToken>(&token)) {
    on_acked(*data);
  } else if (const auto* reset = std::get_if<ResetStreamToken>(&token)) {
    on_acked(*reset);
  } else if (const auto* stop = std::get_if<StopSendingToken>(&token)) {
    on_acked(*stop);
  }
}

void StreamMap::on_lost(const DeliveryToken& token) {
  if (const auto* data = std::get_if<StreamToken>(&token)) return on_lost(*data);
  std::visit(
      [this]<class Token>(const Token& alternative) {
        if constexpr (is_one_of<Token, ResetStreamToken, StopSendingToken, MaxDataToken, MaxStreamDataToken,
                                MaxStreamsToken, DataBlockedToken, StreamDataBlockedToken, StreamsBlockedToken>)
          on_lost(alternative);  // anything else is another room's
      },
      token);
}

}  // namespace mpquic
