// Unreliable payloads both ways (RFC 9221). Call contract: `push`, `expire` before asking for `interest`, then
// `write_frames`; tokens come back through `on_acked`/`on_lost` and give `poll_lost`. `on_frame` in, `pop` out.
//
// A datagram that is to have copies goes out as NUMBERED_DATAGRAM, and each token of it then gives one `write_copy` or
// `drop_copy` for every copy (docs/adr/0011). The receiver delivers each number once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/replay_window.h"
#include "stack/base/result.h"
#include "stack/base/ring_buffer.h"
#include "stack/base/time.h"
#include "stack/datagram/byte_ring.h"
#include "stack/datagram/kept_payloads.h"
#include "stack/wire/delivery_token.h"
#include "stack/wire/frame.h"
#include "stack/wire/frame_writer.h"

namespace mpquic {

struct DatagramLimits {
  /// Payload plus kDatagramOverhead each, of what waits to be sent and of what waits to be read.
  std::size_t send_queue_bytes = 0;
  std::size_t receive_queue_bytes = 0;
  /// What our transport parameter says (RFC 9221 §3). 0: we take no datagrams.
  std::uint64_t max_frame_size = 0;
};

/// Charged to the queue limits for each datagram, so that empty ones are bounded too.
inline constexpr std::size_t kDatagramOverhead = 32;

struct DatagramStats {
  std::uint64_t accepted = 0;  // by push()
  std::uint64_t refused = 0;   // by push(): too large, or the queue was full
  std::uint64_t sent = 0;
  std::uint64_t bytes_sent = 0;  // payload, without copies
  std::uint64_t copies_sent = 0;
  std::uint64_t copy_bytes_sent = 0;
  std::uint64_t copies_dropped = 0;  // not sent, though the peer had not acknowledged the datagram: no room in time
  std::uint64_t uncopied = 0;        // should have had copies, but too many others wait for theirs
  std::uint64_t expired = 0;         // deadline passed before there was room to send
  std::uint64_t too_large = 0;       // of those lost: unsent, as no usable path's packets take so much any more
  std::uint64_t acked = 0;
  std::uint64_t lost = 0;
  std::uint64_t lost_unreported = 0;  // of those lost, pushed out of the full report queue
  std::uint64_t received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t duplicates = 0;       // of numbered datagrams: arrived before, or too long ago to tell
  std::uint64_t receive_dropped = 0;  // oldest first, because the application did not read
};

class DatagramQueue {
 public:
  explicit DatagramQueue(const DatagramLimits& limits) : limits_(limits), kept_(limits.send_queue_bytes) {}

  /// The largest payload that can be sent now: what the peer takes, and packets of some usable path have room for. 0
  /// (the start): none, for the time being. Queued items that are larger count as lost when their turn comes, and are
  /// never in the way of the others.
  void set_max_payload(std::size_t bytes) { max_payload_ = bytes; }
  [[nodiscard]] std::size_t max_payload() const { return max_payload_; }

  // --- Sending
  /// The sequence number that on_lost() will report, or nothing: too large, or the queue is full even after expired
  /// items at its front are gone.
  [[nodiscard]] std::optional<std::uint64_t> push(Bytes data, Deadline deadline, Instant now);
  /// Drops what has expired, or is too large, from the front of the queue.
  void expire(Instant now);
  /// new_data while anything is queued, else none.
  [[nodiscard]] Interest interest() const { return send_queue_count() > 0 ? Interest::new_data : Interest::none; }
  /// Payload of the one whose turn it is; 0: none, or an empty one.
  [[nodiscard]] std::size_t front_size() const;
  /// As many whole datagrams, in order, as this packet has room for; each is to have so many copies elsewhere. What is
  /// larger than `path_limit`, the most that a packet of the path can take, lets the others pass and waits for a path
  /// that it fits.
  void write_frames(FrameWriter& writer, Instant now, std::uint16_t copies = 0, std::size_t path_limit = SIZE_MAX);
  /// Copies of the token's datagram wait, and the peer has not acknowledged it.
  [[nodiscard]] bool awaits_copy(const DatagramToken& token) const { return kept_.awaited(token.sequence) != nullptr; }
  /// Its payload. Requires awaits_copy().
  [[nodiscard]] std::size_t copy_size(const DatagramToken& token) const {
    return kept_.awaited(token.sequence)->length;
  }
  /// One of them. Requires awaits_copy(). False: this packet has no room.
  [[nodiscard]] bool write_copy(FrameWriter& writer, const DatagramToken& token);
  /// One of them will not be sent after all.
  void drop_copy(const DatagramToken& token);
  void on_acked(const DatagramToken& token);
  void on_lost(const DatagramToken& token);
  void on_acked(const DeliveryToken& token);
  void on_lost(const DeliveryToken& token);
  /// One sequence number that was lost: never repeated, only reported.
  [[nodiscard]] std::optional<std::uint64_t> poll_lost();

  // --- Receiving
  [[nodiscard]] Result<void> on_frame(const DatagramFrame& frame);
  /// True once after arrivals: an edge for the application's event.
  [[nodiscard]] bool poll_readable();
  /// The oldest datagram, copied into `out` and cut where it is longer; the bytes copied.
  [[nodiscard]] std::optional<std::size_t> pop(MutableBytes out);

  /// Gives back the memory of empty queues; for connections that went idle.
  void trim();
  [[nodiscard]] const DatagramStats& stats() const { return stats_; }
  [[nodiscard]] std::size_t send_queue_count() const { return queued_.items.size() + large_.items.size(); }
  [[nodiscard]] std::size_t receive_queue_count() const { return incoming_.size(); }

 private:
  /// Loss reports that wait to be polled; beyond, the oldest goes.
  static constexpr std::size_t kMaxLostReports = 1024;

  struct Outgoing {
    std::uint64_t sequence = 0;
    std::size_t length = 0;
    Deadline deadline;
  };

  struct Lane {
    RingBuffer<Outgoing> items;
    ByteRing bytes;
  };

  /// The one whose turn it is among those of at most `path_limit`, or nullptr; larger ones are set aside.
  [[nodiscard]] Lane* next_lane(std::size_t path_limit);
  void expire_front(Lane& lane, Instant now);
  void drop_front_outgoing(Lane& lane) { lane.bytes.drop(lane.items.pop_front().length); }
  void report_lost(std::uint64_t sequence);
  void drop_front_incoming();

  DatagramLimits limits_;
  std::size_t max_payload_ = 0;
  std::uint64_t next_sequence_ = 0;
  Lane queued_;
  Lane large_;                     // all older: did not fit the packets of a path that had room for those behind them
  std::vector<std::byte> moving_;  // scratch
  KeptPayloads kept_;
  RingBuffer<std::size_t> incoming_;  // lengths
  ByteRing incoming_bytes_;
  ReplayWindow numbers_;  // of numbered datagrams that arrived
  RingBuffer<std::uint64_t> lost_;
  bool readable_ = false;
  DatagramStats stats_;
};

}  // namespace mpquic
