#include "stack/recovery/ack_tracker.h"

#include <algorithm>

namespace mpquic {
namespace {

/// Four ACKs a round trip keep the sender's clock and window growth smooth.
constexpr int kLeastAcksPerRtt = 4;
/// HyStart++ takes eight samples a round trip, and some ACKs are lost; more than this many tell the sender nothing new.
constexpr int kMostAcksPerRtt = 16;

}  // namespace

AckPolicy ack_policy_for(std::uint64_t packets_received, Duration max_ack_delay, const RttEstimator& rtt) {
  if (!rtt.has_sample()) return {AckPolicy{}.packets_before_ack, max_ack_delay, Duration{}};
  const Duration longest = std::min(max_ack_delay, rtt.smoothed() / kLeastAcksPerRtt);
  // Half of what the queues add: once ACKs fill the way back, they thin out until their queue is short.
  const Duration queued = std::max(rtt.smoothed() - rtt.min(), Duration{});
  const Duration gap = std::min(longest, std::max(rtt.smoothed() / kMostAcksPerRtt, queued / 2));
  const Duration min_gap = gap >= kGranularity ? gap : Duration{};
  if (packets_received < kFrequentAckPackets) return {AckPolicy{}.packets_before_ack, max_ack_delay, min_gap};
  return {kRelaxedPacketsBeforeAck, longest, min_gap};
}

AckTracker::AckTracker(PathId path, SpaceId space, AckPolicy policy) : path_(path), space_(space), policy_(policy) {
  ranges_.reserve(kMaxAckRanges + 1);
}

bool AckTracker::needs_immediate_ack(PacketNumber number, Ecn ecn) const {
  // RFC 9000 §13.2.1: "An endpoint MUST acknowledge all ack-eliciting Initial and Handshake packets immediately";
  // packets marked CE, out of order, or after a gap SHOULD be, to speed up the sender's loss detection.
  if (space_ != SpaceId::application || ecn == Ecn::ce) return true;
  return number.value() != (largest_ ? largest_->value() + 1 : 0);
}

void AckTracker::count_ecn(Ecn ecn) {
  switch (ecn) {
    case Ecn::not_ect: break;
    case Ecn::ect0: ++ecn_.ect0; break;
    case Ecn::ect1: ++ecn_.ect1; break;
    case Ecn::ce: ++ecn_.ce; break;
  }
}

void AckTracker::make_due(Instant now) {
  if (!last_written_at_ || now >= *last_written_at_ + policy_.min_gap) {
    immediate_ = true;
  } else {
    deadline_ = earlier(deadline_, *last_written_at_ + policy_.min_gap);
  }
}

void AckTracker::on_received(PacketNumber number, Instant now, bool ack_eliciting, Ecn ecn) {
  window_.insert(number.value());
  ++packets_received_;
  count_ecn(ecn);
  if (ack_eliciting) {
    ++unreported_ack_eliciting_;
    const bool immediate = needs_immediate_ack(number, ecn);
    if (immediate && (!last_immediate_at_ || now >= *last_immediate_at_ + policy_.min_gap)) {
      immediate_ = true;
      last_immediate_at_ = now;
    } else if (immediate || unreported_ack_eliciting_ >= policy_.packets_before_ack) {
      make_due(now);
    }
    // What is due at once leaves with the next packet that can carry it. No timer helps where nothing can yet: no write
    // keys, no credit.
    deadline_ = immediate_ ? std::nullopt : earlier(deadline_, now + policy_.max_delay);
  }
  if (!largest_ || number > *largest_) {
    largest_ = number;
    largest_received_at_ = now;
  }
  lowest_unreported_ = lowest_unreported_ ? std::min(*lowest_unreported_, number) : number;
  static_cast<void>(ranges_.insert(number.value(), number.value() + 1));
  if (ranges_.interval_count() > kMaxAckRanges) ranges_.pop_lowest();
}

bool AckTracker::write(FrameWriter& writer, std::optional<PathId> as_path_ack, Instant now,
                       unsigned ack_delay_exponent) {
  if (!lowest_unreported_) return false;
  const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now - largest_received_at_).count();
  const std::uint64_t delay = static_cast<std::uint64_t>(std::max<std::int64_t>(waited, 0)) >> ack_delay_exponent;
  std::optional<EcnCounts> ecn;
  if (ecn_ != EcnCounts{}) ecn = ecn_;
  const AckToken token{path_, space_, *largest_};
  if (!writer.write_ack(as_path_ack, ranges_, delay, ecn, kMaxAckRangesWritten, token)) return false;
  lowest_unreported_.reset();
  unreported_ack_eliciting_ = 0;
  immediate_ = false;
  deadline_.reset();
  last_written_at_ = now;
  return true;
}

void AckTracker::on_ack_acked(const AckToken& token) {
  if (!largest_) return;
  // Packets that came late, after that ACK was written, are still to be reported, and the largest stays so that
  // every frame has one (RFC 9000 §13.2.3).
  std::uint64_t bound = std::min(token.largest.value() + 1, largest_->value());
  if (lowest_unreported_) bound = std::min(bound, lowest_unreported_->value());
  ranges_.erase_below(bound);
}

}  // namespace mpquic
