// One packet number space: numbers, acknowledgements both ways, and loss detection (RFC 9002 §6, Appendix A).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/ids.h"
#include "stack/base/result.h"
#include "stack/base/rng.h"
#include "stack/base/time.h"
#include "stack/recovery/ack_tracker.h"
#include "stack/recovery/ecn.h"
#include "stack/recovery/loss.h"
#include "stack/recovery/recent_losses.h"
#include "stack/recovery/rtt.h"
#include "stack/recovery/sent_packets.h"
#include "stack/wire/delivery_token.h"
#include "stack/wire/frame.h"

namespace mpquic {

struct LostPacket {
  PacketNumber number;
  LossTrigger trigger = LossTrigger::packet_threshold;
  std::uint32_t bytes = 0;
};

/// What acknowledgement and loss detection found. Scratch that the caller owns and clears: vectors keep their capacity.
/// Results accumulate, so one outcome may serve on_ack() and detect_lost() of several spaces.
struct AckOutcome {
  struct NewestAcked {
    PacketNumber number;
    Instant time_sent;
    bool ack_eliciting = false;
  };

  std::vector<DeliveryToken> acked;  // tokens of packets newly acknowledged
  std::vector<DeliveryToken> lost;   // tokens of packets declared lost
  std::vector<LostPacket> lost_packets;
  std::vector<std::uint32_t> mtu_probes_acked;  // sizes
  std::vector<std::uint32_t> mtu_probes_lost;

  ByteCount acked_bytes;                  // in flight, newly acknowledged
  std::uint32_t largest_acked_bytes = 0;  // size of the biggest packet newly acknowledged, for black hole detection
  ByteCount lost_bytes;  // in flight, declared lost, MTU probes not counted: they are no congestion signal
  std::optional<NewestAcked> newest_acked;       // of packets newly acknowledged; present: PTO count restarts (§6.2.1)
  std::optional<Instant> newest_lost_sent;       // of the packets in lost_bytes: CongestionController::on_congestion
  bool ack_eliciting_acked = false;              // something ack-eliciting was
  std::optional<Duration> rtt_sample;            // already in the estimator
  std::optional<Instant> newest_ect_acked_sent;  // of the ECN-marked packets newly acknowledged
  EcnFeedback ecn;                               // feed `ecn.verdict` to EcnValidator; newly_marked > 0 is congestion
  std::uint32_t lost_ect = 0;                    // lost packets that were ECN-marked, for EcnValidator::on_lost
  bool persistent_congestion = false;            // RFC 9002 §7.6; the estimator's min_rtt restarts already
  std::uint32_t spurious_losses = 0;             // packets declared lost earlier and acknowledged now
  bool spurious_congestion = false;              // all recent losses were: CongestionController::on_spurious_congestion

  /// Empties it, keeping capacity.
  void clear();

  std::vector<Interval> ranges;  // scratch of on_ack()
};

/// What a space needs from its path to take RTT samples and to judge losses.
struct RttContext {
  RttEstimator& rtt;
  Duration max_ack_delay{};         // the peer's transport parameter
  unsigned ack_delay_exponent = 3;  // the peer's transport parameter
  bool handshake_confirmed = false;
};

class PacketNumberSpace {
 public:
  /// Packets that may be outstanding. ACK-only packets escape congestion control, so that a peer that never
  /// acknowledges them could make a space grow for ever: see can_track().
  static constexpr std::size_t kMaxTracked = std::size_t{1} << 18;
  /// After this many ACK-only packets in a row, one that elicits an ACK is due (RFC 9000 §13.2.4): about one a round
  /// trip, which measures the way back, and lets old ranges be left out of later ACKs.
  static constexpr std::uint32_t kAckOnlyRun = 16;

  /// `rng` decides which packet numbers are skipped (application space only) and must outlive the space.
  PacketNumberSpace(PathId path, SpaceId space, const AckPolicy& policy, Rng& rng);

  [[nodiscard]] SpaceId id() const { return space_; }
  [[nodiscard]] AckTracker& received() { return received_; }
  [[nodiscard]] const AckTracker& received() const { return received_; }

  /// The number for the next packet. It stays the same until on_sent().
  [[nodiscard]] PacketNumber next_number() const { return next_; }
  /// Whether the space can remember another packet. While false, send nothing in it but PTO probes.
  [[nodiscard]] bool can_track() const { return sent_.span() < kMaxTracked; }
  /// Only ACKs went out for long: add a PING to the next packet, so that the peer's ACK frees our state.
  [[nodiscard]] bool wants_ping() const { return ack_only_run_ >= kAckOnlyRun; }

  /// `packet.number` must be next_number().
  void on_sent(const SentPacket& packet, std::span<const DeliveryToken> tokens);
  /// Takes an ACK frame: acknowledged packets, RTT sample, ECN, then losses (RFC 9002 §A.7), all into `out`. The cost
  /// is linear in ranges and newly resolved packets, whatever the ranges span.
  [[nodiscard]] Result<void> on_ack(const AckFrame& ack, const RttContext& context, Instant now, AckOutcome& out);
  /// Declares losses by either threshold, when loss_time() expires (RFC 9002 §A.10).
  void detect_lost(const RttContext& context, Instant now, AckOutcome& out);
  /// Hands every outstanding token back as lost and stops all timers: the path is deleted or the keys are discarded
  /// (RFC 9002 §6.4). No congestion signal: lost_bytes is left alone.
  void forget_all(AckOutcome& out);

  /// fn(const SentPacket&, DeliveryToken&) for every outstanding token of packets from `first` on, oldest first, until
  /// it gives false.
  template <class Fn>
  void for_each_unacked(Fn&& fn, PacketNumber first = {}) {
    sent_.for_each_token(fn, first);
  }

  /// Gives spare memory back; for connections that went quiet.
  void trim() { sent_.trim(); }
  [[nodiscard]] ByteCount bytes_in_flight() const { return sent_.bytes_in_flight(); }
  [[nodiscard]] bool has_ack_eliciting_in_flight() const { return sent_.ack_eliciting_in_flight() > 0; }
  /// The oldest outstanding packet from `first` on that elicits an ACK; nullptr: there is none.
  [[nodiscard]] const SentPacket* oldest_eliciting(PacketNumber first) const { return sent_.oldest_eliciting(first); }
  /// Nothing below is outstanding.
  [[nodiscard]] PacketNumber unacked_begin() const { return PacketNumber{sent_.begin_number()}; }
  [[nodiscard]] bool is_outstanding(PacketNumber number) const { return sent_.find(number) != nullptr; }
  /// For encoding truncated packet numbers (RFC 9000 §A.2).
  [[nodiscard]] std::optional<PacketNumber> largest_acked() const { return largest_acked_; }
  /// When the time threshold will declare the oldest packet lost; detect_lost() is due then.
  [[nodiscard]] Deadline loss_time() const { return loss_time_; }
  [[nodiscard]] std::optional<Instant> last_ack_eliciting_sent() const { return last_ack_eliciting_; }
  [[nodiscard]] std::uint64_t packet_threshold() const { return packet_threshold_; }

 private:
  /// A run of packets lost in sequence, none acknowledged in between (RFC 9002 §7.6.2).
  struct LostRun {
    std::optional<Instant> begin;
    std::uint64_t next = 0;  // number that would continue the run
  };
  /// What one ACK frame newly acknowledged, beyond what AckOutcome accumulates.
  struct NewlyAcked {
    std::optional<SentPacket> newest;
    bool ack_eliciting = false;  // one of them was
    std::uint64_t ect0 = 0;
    std::uint64_t ect1 = 0;
  };

  [[nodiscard]] bool was_skipped(const Interval& range) const;
  [[nodiscard]] Result<void> decode_ranges(const AckFrame& ack, std::vector<Interval>& out) const;
  void take_acked(const Interval& range, NewlyAcked& newly, AckOutcome& out);
  void find_spurious(const Interval& range, AckOutcome& out);
  void report_acked(const NewlyAcked& newly, const AckFrame& ack, const RttContext& context, Instant now,
                    AckOutcome& out);
  SentPacket take_lost(LossTrigger trigger, AckOutcome& out);
  [[nodiscard]] bool extends_persistent_congestion(const SentPacket& packet, const RttContext& context);
  void plan_next_number();

  PathId path_;
  SpaceId space_;
  Rng& rng_;
  AckTracker received_;
  SentPackets sent_;
  RecentLosses recent_losses_;
  EcnCounter ecn_;
  PacketNumber next_{0};
  std::optional<PacketNumber> largest_acked_;
  Deadline loss_time_;
  std::optional<Instant> last_ack_eliciting_;
  std::uint64_t packet_threshold_ = kPacketThreshold;
  std::uint32_t ack_only_run_ = 0;
  LostRun lost_run_;

  // Skipped numbers (RFC 9000 §21.4): rarer as the connection ages.
  static constexpr std::size_t kRememberedSkips = 8;
  static constexpr std::uint64_t kFirstSkipInterval = 256;
  static constexpr std::uint64_t kMaxSkipInterval = std::uint64_t{1} << 16;
  std::array<std::uint64_t, kRememberedSkips> skipped_{};
  std::size_t skip_count_ = 0;
  std::uint64_t skip_interval_ = kFirstSkipInterval;
  std::uint64_t next_skip_ = 0;
};

}  // namespace mpquic
