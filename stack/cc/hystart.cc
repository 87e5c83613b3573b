#include "stack/cc/hystart.h"

#include <algorithm>

namespace mpquic {

void HyStart::start_round(Instant now) {
  round_start_ = now;
  last_round_min_ = round_min_;
  round_min_.reset();
  samples_ = 0;
  // RFC 9406 §4.2: a round in which CSS began counts as its first.
  if (phase_ == Phase::conservative && ++css_rounds_ >= kCssRounds) phase_ = Phase::done;
}

bool HyStart::delay_increased() const {
  if (samples_ < kRttSamples || !last_round_min_) return false;
  const Duration threshold = std::clamp(*last_round_min_ / kMinRttDivisor, kMinRttThreshold, kMaxRttThreshold);
  return *round_min_ >= *last_round_min_ + threshold;
}

HyStart::Phase HyStart::on_acked(Instant largest_sent, Duration rtt, Instant now) {
  if (phase_ == Phase::done) return phase_;
  if (!round_start_ || largest_sent >= *round_start_) start_round(now);
  if (phase_ == Phase::done) return phase_;

  round_min_ = round_min_ ? std::min(*round_min_, rtt) : rtt;
  ++samples_;
  if (phase_ == Phase::slow_start) {
    if (delay_increased()) {
      phase_ = Phase::conservative;
      css_baseline_ = *round_min_;
      css_rounds_ = 0;
    }
  } else if (samples_ >= kRttSamples && *round_min_ < css_baseline_) {
    phase_ = Phase::slow_start;  // RFC 9406 §4.2: the increase was a jitter
  }
  return phase_;
}

std::optional<std::uint64_t> HyStart::growth(const AckSummary& ack, bool initial) {
  const std::uint64_t acked = ack.acked.value();
  if (!initial) return acked;
  switch (on_acked(ack.largest_sent_time, ack.rtt.latest, ack.now)) {
    case Phase::slow_start: return acked;
    case Phase::conservative: return acked / kCssGrowthDivisor;
    case Phase::done: break;
  }
  return std::nullopt;
}

}  // namespace mpquic
