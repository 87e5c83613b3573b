// The receiving side of one packet number space: what arrived, and when to say so (RFC 9000 §13.2).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "stack/base/ids.h"
#include "stack/base/interval_set.h"
#include "stack/base/replay_window.h"
#include "stack/base/time.h"
#include "stack/recovery/rtt.h"
#include "stack/wire/delivery_token.h"
#include "stack/wire/frame.h"
#include "stack/wire/frame_writer.h"

namespace mpquic {

/// Ranges that are remembered; the oldest go first (RFC 9000 §13.2.3).
inline constexpr std::size_t kMaxAckRanges = 64;
/// Ranges that one frame carries at most.
inline constexpr std::size_t kMaxAckRangesWritten = 32;

/// When ack-eliciting packets are acknowledged: every `packets_before_ack`-th at once, and what came out of order; the
/// others after `max_delay`. But never sooner after the last ACK than `min_gap`.
struct AckPolicy {
  std::uint32_t packets_before_ack = 2;  // RFC 9000 §13.2.2
  Duration max_delay = std::chrono::milliseconds(25);
  Duration min_gap{};
};

/// The policy for a path that has received `packets_received`: RFC 9000 §13.2.2 until the peer's slow start is well
/// under way, then fewer ACKs: four to sixteen per round trip, the fewer the more of it is spent in queues. One of
/// these may be of ACKs, on a line whose way back is thin (docs/adr/0014).
[[nodiscard]] AckPolicy ack_policy_for(std::uint64_t packets_received, Duration max_ack_delay, const RttEstimator& rtt);
inline constexpr std::uint64_t kFrequentAckPackets = 100;
inline constexpr std::uint32_t kRelaxedPacketsBeforeAck = 10;

class AckTracker {
 public:
  using Arrival = ReplayWindow::Arrival;

  AckTracker(PathId path, SpaceId space, AckPolicy policy);

  void set_policy(const AckPolicy& policy) { policy_ = policy; }

  /// Whether the packet is new, was received before, or is too old to tell.
  [[nodiscard]] Arrival classify(PacketNumber number) const { return window_.classify(number.value()); }
  /// Not fresh: drop the packet.
  [[nodiscard]] bool is_duplicate(PacketNumber number) const { return classify(number) != Arrival::fresh; }
  /// An authenticated packet that is no duplicate.
  void on_received(PacketNumber number, Instant now, bool ack_eliciting, Ecn ecn);

  /// none: nothing ack-eliciting is unreported. new_data: an ACK may ride on a packet that leaves anyway. forced: an
  /// ACK is due now, in a packet of its own if need be.
  [[nodiscard]] Interest interest(Instant now) const {
    if (unreported_ack_eliciting_ == 0) return Interest::none;
    return immediate_ || expired(deadline_, now) ? Interest::forced : Interest::new_data;
  }
  /// interest() is forced whatever the time is.
  [[nodiscard]] bool is_overdue() const { return unreported_ack_eliciting_ > 0 && immediate_; }
  /// When interest() becomes forced by time. Nothing where it is: who has an ACK that is overdue, and no packet to
  /// carry it, waits for what makes one possible.
  [[nodiscard]] Deadline next_deadline() const { return deadline_; }
  /// Writes ACK, or PATH_ACK with `as_path_ack`. False: nothing new to report, or no room. The exponent is ours.
  [[nodiscard]] bool write(FrameWriter& writer, std::optional<PathId> as_path_ack, Instant now,
                           unsigned ack_delay_exponent);
  /// The peer has seen an ACK of ours: ranges up to its largest need no repeating (RFC 9000 §13.2.4).
  void on_ack_acked(const AckToken& token);

  /// For decoding truncated packet numbers (RFC 9000 §A.3).
  [[nodiscard]] std::optional<PacketNumber> largest_received() const { return largest_; }
  [[nodiscard]] std::uint64_t packets_received() const { return packets_received_; }
  [[nodiscard]] const EcnCounts& ecn_counts() const { return ecn_; }
  /// What the next ACK would report.
  [[nodiscard]] const IntervalSet& ranges() const { return ranges_; }

 private:
  [[nodiscard]] bool needs_immediate_ack(PacketNumber number, Ecn ecn) const;
  void make_due(Instant now);
  void count_ecn(Ecn ecn);

  PathId path_;
  SpaceId space_;
  AckPolicy policy_;
  ReplayWindow window_;
  IntervalSet ranges_;
  EcnCounts ecn_;
  std::optional<PacketNumber> largest_;
  Instant largest_received_at_;
  std::optional<Instant> last_written_at_;
  std::optional<Instant> last_immediate_at_;
  std::optional<PacketNumber> lowest_unreported_;  // of packets received since the last ACK was written
  std::uint64_t packets_received_ = 0;
  std::uint32_t unreported_ack_eliciting_ = 0;
  bool immediate_ = false;
  Deadline deadline_;
};

}  // namespace mpquic
