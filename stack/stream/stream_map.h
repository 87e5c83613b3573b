// All streams of a connection (RFC 9000 §2 to §4): what the application reads and writes, what the peer sends, and what
// goes into packets.
//
// Call contract: `on_frame` for what arrives, `on_acked`/`on_lost` for tokens that come back, `write_frames` when a
// 1-RTT packet has room, then `poll_event` until it gives nothing. Nothing here needs the time.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/base/result.h"
#include "stack/base/stream_result.h"
#include "stack/stream/chunk_pool.h"
#include "stack/stream/flow_control.h"
#include "stack/stream/send_schedule.h"
#include "stack/stream/stream.h"
#include "stack/stream/stream_events.h"
#include "stack/stream/stream_table.h"
#include "stack/stream/stream_types.h"
#include "stack/wire/delivery_token.h"
#include "stack/wire/frame.h"
#include "stack/wire/frame_writer.h"
#include "stack/wire/transport_params.h"

namespace mpquic {

class StreamMap {
 public:
  StreamMap(Role role, const StreamLimits& local);
  StreamMap(const StreamMap&) = delete;
  StreamMap& operator=(const StreamMap&) = delete;

  /// The peer's transport parameters. Streams may be opened and written before: their data waits.
  void on_peer_limits(const StreamLimits& peer);

  // --- Frames from the peer. An error closes the connection; frames about streams that are gone are ignored.
  [[nodiscard]] Result<void> on_frame(const StreamFrame& frame);
  [[nodiscard]] Result<void> on_frame(const ResetStreamFrame& frame);
  [[nodiscard]] Result<void> on_frame(const StopSendingFrame& frame);
  [[nodiscard]] Result<void> on_frame(const MaxDataFrame& frame);
  [[nodiscard]] Result<void> on_frame(const MaxStreamDataFrame& frame);
  [[nodiscard]] Result<void> on_frame(const MaxStreamsFrame& frame);
  [[nodiscard]] Result<void> on_frame(const DataBlockedFrame& frame);
  [[nodiscard]] Result<void> on_frame(const StreamDataBlockedFrame& frame);
  [[nodiscard]] Result<void> on_frame(const StreamsBlockedFrame& frame);

  // --- Frames to the peer
  /// lost_data: something must be repeated. new_data: something new may be sent under flow control. O(1).
  [[nodiscard]] Interest interest() const;
  /// Stream data is in flight: reinjection may have something to do. O(1).
  [[nodiscard]] bool has_unacked() const { return schedule_.has_unacked(); }
  /// Control frames first, then stream data: by urgency, within one urgency repeats before new data and streams in
  /// turn.
  void write_frames(FrameWriter& writer);
  /// Sends a range once more that is in flight, if it still has to be acknowledged. False: the packet has no room for
  /// all of it; `rest` becomes what is left.
  [[nodiscard]] bool write_copy(FrameWriter& writer, StreamToken& rest);

  // --- Tokens back. All are idempotent: a range may be in flight on several paths, and the first acknowledgement of
  // any copy frees it. on_lost() of a range that is still in flight has it written again (reinjection).
  void on_acked(const DeliveryToken& token);
  void on_lost(const DeliveryToken& token);
  void on_acked(const StreamToken& token);
  void on_acked(const ResetStreamToken& token);
  void on_acked(const StopSendingToken& token);
  void on_lost(const StreamToken& token);
  void on_lost(const ResetStreamToken& token);
  void on_lost(const StopSendingToken& token);
  void on_lost(const MaxDataToken& token);
  /// Tests only (BuggifyPoint::small_grant): MAX_DATA is due, however little it grants.
  void advertise_now() { window_.advertise_now(); }
  void on_lost(const MaxStreamDataToken& token);
  void on_lost(const MaxStreamsToken& token);
  void on_lost(const DataBlockedToken& token);
  void on_lost(const StreamDataBlockedToken& token);
  void on_lost(const StreamsBlockedToken& token);
  /// Whether any of this token's range still waits for an acknowledgement: is it worth repeating?
  [[nodiscard]] bool is_outstanding(const StreamToken& token) const;

  // --- The application
  /// StreamError::limit where the peer's limit is reached: streams_available will follow.
  [[nodiscard]] std::expected<StreamId, StreamError> open(Directionality dir);
  /// Takes what the send buffer has room for and says how much. `fin` counts once everything was taken.
  [[nodiscard]] std::expected<std::size_t, StreamError> write(StreamId id, Bytes data, bool fin);
  [[nodiscard]] std::expected<StreamPiece, StreamError> peek(StreamId id);
  void consume(StreamId id, std::size_t bytes);
  /// Abandons the sending part (RFC 9000 §3.1). No effect once everything is acknowledged.
  void reset(StreamId id, std::uint64_t error);
  /// Abandons the receiving part (RFC 9000 §3.5): what has arrived is discarded, what arrives is ignored.
  void stop_sending(StreamId id, std::uint64_t error);
  /// Above kLeastUrgent counts as kLeastUrgent.
  void set_priority(StreamId id, Urgency urgency);
  [[nodiscard]] std::optional<StreamEvent> poll_event();
  [[nodiscard]] bool has_events() const;

  // --- Counters
  /// STREAM payload written for the first time.
  [[nodiscard]] std::uint64_t bytes_written_new() const { return bytes_written_new_; }
  /// STREAM payload written again after loss or for reinjection.
  [[nodiscard]] std::uint64_t bytes_written_again() const { return bytes_written_again_; }
  [[nodiscard]] std::uint64_t retransmitted_bytes() const { return bytes_written_again_; }
  /// STREAM payload that write_copy() wrote.
  [[nodiscard]] std::uint64_t bytes_copied() const { return bytes_copied_; }
  /// Streams that have state here, those included whose last events were not polled yet.
  [[nodiscard]] std::size_t stream_count() const { return table_.size(); }
  /// Bytes of chunk memory, in use and spare.
  [[nodiscard]] std::size_t buffer_memory() const { return pool_.memory(); }
  /// Gives back spare memory; for connections that went quiet.
  void trim() { pool_.trim(); }

 private:
  /// Streams of one kind that may be opened before the peer's limit is known.
  static constexpr std::uint64_t kMaxEarlyStreams = 64;

  struct Direction {
    explicit Direction(std::uint64_t max_streams) : peer_streams(max_streams, kMaxStreamCount) {}
    ReceiveWindow peer_streams;  // counts streams: those that the peer opened, and may open
    IntervalSet implied;         // ordinals that the peer opened by using a higher one (§2.1): no state until used
    SendCredit local_streams;    // counts streams: those that we opened, and may open
    bool refused = false;        // open() failed since the limit last rose
    bool available = false;      // streams_available waits to be polled
  };

  [[nodiscard]] Direction& direction(Directionality dir) { return directions_[static_cast<std::size_t>(dir)]; }
  [[nodiscard]] const Direction& direction_of(StreamId id) const {
    return directions_[static_cast<std::size_t>(directionality_of(id))];
  }
  [[nodiscard]] Direction& direction_of(StreamId id) { return direction(directionality_of(id)); }
  [[nodiscard]] bool is_local(StreamId id) const { return initiator_of(id) == role_; }
  [[nodiscard]] bool has_send_part(StreamId id) const;
  [[nodiscard]] bool has_recv_part(StreamId id) const;
  [[nodiscard]] std::uint64_t peer_limit_for(StreamId id) const;
  [[nodiscard]] std::uint64_t local_window_for(StreamId id) const;

  /// The stream that a frame from the peer is about, made if the frame opens it; nullptr if it is gone.
  [[nodiscard]] Result<Stream*> stream_for_frame(StreamId id, std::uint64_t frame_type);
  [[nodiscard]] Result<Stream*> receiving_stream(StreamId id, std::uint64_t frame_type);
  [[nodiscard]] Result<Stream*> sending_stream(StreamId id, std::uint64_t frame_type);
  [[nodiscard]] Result<void> count_received(std::uint64_t growth, std::uint64_t frame_type);
  Stream& create(StreamId id);

  /// Not a stream that was opened early, beyond the limit that the peer turned out to have.
  [[nodiscard]] bool may_transmit(const Stream& stream) const;
  /// Puts the stream into the lists where it belongs after a change.
  void reschedule(Stream& stream);
  /// reschedule(), and forgets the stream if it is finished: the last thing done to a stream.
  void settle(Stream& stream);
  void reschedule_early_streams();
  void raise_stream_limit(Directionality dir, std::uint64_t limit);

  [[nodiscard]] bool data_blocked_due() const { return schedule_.has_metered() && credit_.should_signal(); }
  [[nodiscard]] bool streams_blocked_due(const Direction& d) const {
    return peer_known_ && d.refused && d.local_streams.should_signal();
  }
  [[nodiscard]] bool connection_control_due() const;
  [[nodiscard]] bool write_connection_control(FrameWriter& writer);
  [[nodiscard]] bool write_direction_control(FrameWriter& writer, Directionality dir);
  [[nodiscard]] bool write_stream_control(FrameWriter& writer);
  [[nodiscard]] bool write_owed(FrameWriter& writer, Stream& stream, std::uint8_t frame);
  [[nodiscard]] bool write_data(FrameWriter& writer, Stream& stream);

  Role role_;
  StreamLimits local_;
  StreamLimits peer_;
  bool peer_known_ = false;
  ChunkPool pool_;
  StreamTable table_{pool_};
  SendSchedule schedule_;
  IntrusiveList<Stream, &Stream::control_link> control_;
  StreamEvents events_;
  std::array<Direction, 2> directions_;
  ReceiveWindow window_;  // bytes over all streams
  SendCredit credit_;
  bool repeats_control_ = false;  // a control frame that waits was sent before
  std::uint64_t bytes_written_new_ = 0;
  std::uint64_t bytes_written_again_ = 0;
  std::uint64_t bytes_copied_ = 0;
};

}  // namespace mpquic
