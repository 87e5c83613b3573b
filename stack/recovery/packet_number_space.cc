#include "stack/recovery/packet_number_space.h"

#include <algorithm>

#include "stack/base/check.h"
#include "stack/wire/frame_decode.h"

namespace mpquic {
namespace {

constexpr std::uint64_t kNever = UINT64_MAX;

[[nodiscard]] std::uint64_t frame_type_of(const AckFrame& ack) {
  return ack.path ? frame_type::kPathAck : frame_type::kAck;
}

}  // namespace

void AckOutcome::clear() {
  acked.clear();
  lost.clear();
  lost_packets.clear();
  mtu_probes_acked.clear();
  mtu_probes_lost.clear();
  acked_bytes = ByteCount{};
  largest_acked_bytes = 0;
  lost_bytes = ByteCount{};
  newest_acked.reset();
  newest_lost_sent.reset();
  ack_eliciting_acked = false;
  rtt_sample.reset();
  newest_ect_acked_sent.reset();
  ecn = EcnFeedback{};
  lost_ect = 0;
  persistent_congestion = false;
  spurious_losses = 0;
  spurious_congestion = false;
  ranges.clear();
}

PacketNumberSpace::PacketNumberSpace(PathId path, SpaceId space, const AckPolicy& policy, Rng& rng)
    : path_(path), space_(space), rng_(rng), received_(path, space, policy) {
  // Initial and Handshake are too short-lived for an optimistic peer to gain anything.
  next_skip_ = space == SpaceId::application ? 1 + rng_.below(skip_interval_) : kNever;
}

void PacketNumberSpace::plan_next_number() {
  next_ = next_.next();
  if (next_.value() != next_skip_) return;
  skipped_[skip_count_++ % kRememberedSkips] = next_skip_;
  next_ = next_.next();
  skip_interval_ = std::min(skip_interval_ * 2, kMaxSkipInterval);
  next_skip_ = next_.value() + 1 + rng_.below(skip_interval_);
}

bool PacketNumberSpace::was_skipped(const Interval& range) const {
  const std::size_t remembered = std::min(skip_count_, kRememberedSkips);
  return std::any_of(skipped_.begin(), skipped_.begin() + static_cast<std::ptrdiff_t>(remembered),
                     [&](std::uint64_t number) { return number >= range.begin && number < range.end; });
}

void PacketNumberSpace::on_sent(const SentPacket& packet, std::span<const DeliveryToken> tokens) {
  MPQUIC_CHECK(packet.number == next_);
  sent_.add(packet, tokens);
  ecn_.on_sent(packet.ecn);
  if (packet.ack_eliciting) {
    last_ack_eliciting_ = packet.time_sent;
    ack_only_run_ = 0;
  } else {
    ++ack_only_run_;
  }
  plan_next_number();
}

Result<void> PacketNumberSpace::decode_ranges(const AckFrame& ack, std::vector<Interval>& out) const {
  // RFC 9000 §13.1: "An endpoint SHOULD treat receipt of an acknowledgment for a packet it did not send as a connection
  // error of type PROTOCOL_VIOLATION". Skipped numbers expose a peer that acknowledges blindly (§21.4).
  bool skipped = false;
  out.clear();
  out.reserve(kMaxAckRangesWritten);  // what a peer like us sends; allocates once per scratch
  for_each_range(ack, [&](PacketNumber smallest, PacketNumber largest) {
    const Interval range{smallest.value(), largest.value() + 1};
    skipped = skipped || was_skipped(range);
    if (range.end > sent_.begin_number() || !recent_losses_.empty()) out.push_back(range);
  });
  if (ack.largest >= next_ || skipped) {
    return fail(error::kProtocolViolation, "ack of unsent packet", frame_type_of(ack));
  }
  return {};
}

void PacketNumberSpace::take_acked(const Interval& range, NewlyAcked& newly, AckOutcome& out) {
  // Below largest_acked_ there are fewer than packet_threshold_ slots, because loss detection has resolved everything
  // older. So this visits newly acknowledged packets and a constant number of others, however wide the range.
  const std::uint64_t end = std::min(range.end, sent_.end_number());
  for (std::uint64_t n = std::max(range.begin, sent_.begin_number()); n < end; ++n) {
    if (sent_.find(PacketNumber{n}) == nullptr) continue;
    const SentPacket packet = sent_.take(PacketNumber{n}, out.acked);
    newly.newest = packet;
    newly.ack_eliciting = newly.ack_eliciting || packet.ack_eliciting;
    if (packet.ecn == Ecn::ect0) ++newly.ect0;
    if (packet.ecn == Ecn::ect1) ++newly.ect1;
    if (packet.ecn != Ecn::not_ect)
      out.newest_ect_acked_sent = std::max(out.newest_ect_acked_sent.value_or(packet.time_sent), packet.time_sent);
    if (packet.in_flight) out.acked_bytes += ByteCount{packet.bytes};
    out.largest_acked_bytes = std::max(out.largest_acked_bytes, packet.bytes);
    if (packet.mtu_probe) out.mtu_probes_acked.push_back(packet.bytes);
  }
}

void PacketNumberSpace::find_spurious(const Interval& range, AckOutcome& out) {
  recent_losses_.on_acked(range.begin, range.end - 1, [&](const RecentLosses::Entry& entry) {
    ++out.spurious_losses;
    lost_run_.begin.reset();  // RFC 9002 §7.6.2: a packet of the run was acknowledged
    if (entry.trigger != LossTrigger::packet_threshold) return;
    // RFC 9002 §6.1.1: thresholds may adapt. This packet came after its successors up to the largest acknowledged.
    const std::uint64_t distance = largest_acked_->value() - entry.number.value() + 1;
    packet_threshold_ = std::clamp(distance, packet_threshold_, kMaxReorderingThreshold);
  });
}

void PacketNumberSpace::report_acked(const NewlyAcked& newly, const AckFrame& ack, const RttContext& context,
                                     Instant now, AckOutcome& out) {
  const SentPacket& newest = *newly.newest;
  if (!out.newest_acked || out.newest_acked->time_sent <= newest.time_sent) {
    out.newest_acked = AckOutcome::NewestAcked{newest.number, newest.time_sent, newest.ack_eliciting};
  }
  out.ack_eliciting_acked = out.ack_eliciting_acked || newly.ack_eliciting;
  // RFC 9002 §5.1: a sample needs "the largest acknowledged packet number" newly acknowledged, and "at least one of
  // the newly acknowledged packets was ack-eliciting".
  if (newest.number != ack.largest || !newly.ack_eliciting) return;
  const Duration latest = now - newest.time_sent;
  context.rtt.update({latest, decode_ack_delay(ack.delay, context.ack_delay_exponent), context.max_ack_delay,
                      context.handshake_confirmed, space_},
                     now);
  out.rtt_sample = latest;
}

Result<void> PacketNumberSpace::on_ack(const AckFrame& ack, const RttContext& context, Instant now, AckOutcome& out) {
  MPQUIC_TRY(decode_ranges(ack, out.ranges));
  recent_losses_.expire(now - RecentLosses::kMemoryPtos * context.rtt.pto_base(context.max_ack_delay));
  NewlyAcked newly;
  for (auto range = out.ranges.rbegin(); range != out.ranges.rend(); ++range) {  // the lowest first
    if (!recent_losses_.empty()) find_spurious(*range, out);
    take_acked(*range, newly, out);
  }
  if (out.spurious_losses > 0 && recent_losses_.take_all_spurious()) out.spurious_congestion = true;
  if (!largest_acked_ || ack.largest > *largest_acked_) {
    largest_acked_ = ack.largest;
    const EcnFeedback feedback = ecn_.on_ack(ack.ecn, newly.ect0, newly.ect1);
    out.ecn.verdict = std::max(out.ecn.verdict, feedback.verdict);
    out.ecn.newly_marked += feedback.newly_marked;
  }
  if (newly.newest) report_acked(newly, ack, context, now, out);
  detect_lost(context, now, out);
  return {};
}

void PacketNumberSpace::detect_lost(const RttContext& context, Instant now, AckOutcome& out) {
  loss_time_.reset();
  if (!largest_acked_) return;
  const LossThresholds thresholds{packet_threshold_, context.rtt.loss_delay()};
  // Both thresholds are monotonic in the packet number, so the first survivor ends the search and fires first.
  while (!sent_.empty() && sent_.oldest().number < *largest_acked_) {
    const SentPacket& oldest = sent_.oldest();
    const LossVerdict verdict = judge_loss(oldest.number, oldest.time_sent, *largest_acked_, thresholds, now);
    if (const auto* later = std::get_if<NotLostYet>(&verdict)) {
      loss_time_ = later->time;
      return;
    }
    const SentPacket packet = take_lost(std::get_if<Lost>(&verdict)->trigger, out);
    if (packet.in_flight && !packet.mtu_probe) {
      recent_losses_.add(packet.number, out.lost_packets.back().trigger, now);
      out.lost_bytes += ByteCount{packet.bytes};
      out.newest_lost_sent = std::max(out.newest_lost_sent.value_or(packet.time_sent), packet.time_sent);
    }
    if (extends_persistent_congestion(packet, context)) {
      out.persistent_congestion = true;
      context.rtt.reset_min();  // RFC 9002 §5.2
    }
  }
}

SentPacket PacketNumberSpace::take_lost(LossTrigger trigger, AckOutcome& out) {
  const SentPacket packet = sent_.take(sent_.oldest().number, out.lost);
  out.lost_packets.push_back({packet.number, trigger, packet.bytes});
  if (packet.mtu_probe) out.mtu_probes_lost.push_back(packet.bytes);
  if (packet.ecn != Ecn::not_ect) ++out.lost_ect;
  return packet;
}

bool PacketNumberSpace::extends_persistent_congestion(const SentPacket& packet, const RttContext& context) {
  // Losses come in ascending order, so a number that does not follow means that one in between was acknowledged.
  while (was_skipped({lost_run_.next, lost_run_.next + 1})) ++lost_run_.next;
  if (packet.number.value() != lost_run_.next) lost_run_.begin.reset();
  lost_run_.next = packet.number.value() + 1;

  // RFC 9002 §7.6.2: both ends are ack-eliciting, and sent after the first RTT sample. Lost MTU probes say nothing.
  const auto first_sample = context.rtt.first_sample_time();
  if (!packet.ack_eliciting || packet.mtu_probe || !first_sample || packet.time_sent <= *first_sample) return false;
  if (!lost_run_.begin) lost_run_.begin = packet.time_sent;
  if (packet.time_sent - *lost_run_.begin <= context.rtt.persistent_congestion_duration(context.max_ack_delay)) {
    return false;
  }
  lost_run_.begin.reset();
  return true;
}

void PacketNumberSpace::forget_all(AckOutcome& out) {
  while (!sent_.empty()) static_cast<void>(take_lost(LossTrigger::forgotten, out));
  recent_losses_.clear();
  lost_run_ = LostRun{};
  loss_time_.reset();
  last_ack_eliciting_.reset();
}

}  // namespace mpquic
