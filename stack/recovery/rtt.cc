#include "stack/recovery/rtt.h"

#include <algorithm>

namespace mpquic {
namespace {

/// No delay on the wire is believed beyond this; it is far above any max_ack_delay (at most 2^14 ms).
constexpr Duration kMaxDecodedAckDelay = std::chrono::hours(1);

}  // namespace

RttEstimator::RttEstimator(Duration initial_rtt) : initial_rtt_(initial_rtt) { reset(); }

void RttEstimator::reset() {
  // RFC 9002 §5.3 (initial values) and §6.2.2.
  latest_ = Duration::zero();
  smoothed_ = initial_rtt_;
  variance_ = initial_rtt_ / 2;
  min_ = initial_rtt_;
  first_sample_.reset();
  restart_min_ = false;
}

void RttEstimator::update(const RttMeasurement& measurement, Instant now) {
  latest_ = std::max(measurement.latest, Duration(1));
  if (!first_sample_) {
    first_sample_ = now;
    restart_min_ = false;
    min_ = latest_;
    smoothed_ = latest_;
    variance_ = latest_ / 2;
    return;
  }
  // RFC 9002 §5.2: min_rtt ignores the acknowledgement delay.
  min_ = restart_min_ ? latest_ : std::min(min_, latest_);
  restart_min_ = false;

  // RFC 9002 §5.3: Initial packets are acknowledged at once; the peer is not held to its max_ack_delay until the
  // handshake is confirmed; a delay that would push the sample below min_rtt is not believed.
  Duration ack_delay = measurement.space == SpaceId::initial ? Duration::zero() : measurement.ack_delay;
  if (measurement.handshake_confirmed) ack_delay = std::min(ack_delay, measurement.max_ack_delay);
  const Duration adjusted = latest_ >= min_ + ack_delay ? latest_ - ack_delay : latest_;
  const Duration deviation = smoothed_ > adjusted ? smoothed_ - adjusted : adjusted - smoothed_;
  variance_ = (3 * variance_ + deviation) / 4;
  smoothed_ = (7 * smoothed_ + adjusted) / 8;
}

Duration RttEstimator::loss_delay() const { return std::max(9 * std::max(smoothed_, latest_) / 8, kGranularity); }

Duration RttEstimator::persistent_congestion_duration(Duration max_ack_delay) const {
  return kPersistentCongestionThreshold * pto_base(max_ack_delay);
}

Duration decode_ack_delay(std::uint64_t field, unsigned exponent) {
  constexpr auto kMax = std::chrono::duration_cast<std::chrono::microseconds>(kMaxDecodedAckDelay).count();
  if (exponent >= 64 || field > static_cast<std::uint64_t>(kMax) >> exponent) return kMaxDecodedAckDelay;
  return std::chrono::microseconds(field << exponent);
}

}  // namespace mpquic
