// Round-trip time estimation, RFC 9002 §5. One estimator per path: all packet number spaces of the path feed it.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

/// RFC 9002 §6.1.2: timers cannot be assumed finer than this.
inline constexpr Duration kGranularity = std::chrono::milliseconds(1);
/// RFC 9002 §6.2.2: assumed until the first sample.
inline constexpr Duration kInitialRtt = std::chrono::milliseconds(333);
/// RFC 9002 §7.6.1.
inline constexpr int kPersistentCongestionThreshold = 3;

/// One measurement, with what RFC 9002 §5.3 needs to judge the peer's acknowledgement delay.
struct RttMeasurement {
  Duration latest{};
  Duration ack_delay{};      // as reported by the peer
  Duration max_ack_delay{};  // the peer's transport parameter
  bool handshake_confirmed = false;
  SpaceId space = SpaceId::application;
};

class RttEstimator {
 public:
  explicit RttEstimator(Duration initial_rtt = kInitialRtt);

  void update(const RttMeasurement& measurement, Instant now);
  /// The next sample starts min_rtt afresh: persistent congestion (RFC 9002 §5.2), or acknowledgements that return by
  /// another path (draft-ietf-quic-multipath-21 §5.4).
  void reset_min() { restart_min_ = true; }
  /// Forgets everything: the path moved to another network (RFC 9000 §9.4).
  void reset();

  [[nodiscard]] bool has_sample() const { return first_sample_.has_value(); }
  /// When the first sample was taken; packets sent earlier do not count for persistent congestion (RFC 9002 §7.6.2).
  [[nodiscard]] std::optional<Instant> first_sample_time() const { return first_sample_; }
  [[nodiscard]] Duration latest() const { return latest_; }
  [[nodiscard]] Duration smoothed() const { return smoothed_; }
  [[nodiscard]] Duration variance() const { return variance_; }
  /// The initial RTT before the first sample.
  [[nodiscard]] Duration min() const { return min_; }

  /// RFC 9002 §6.2.1, without backoff: smoothed_rtt + max(4 * rttvar, granularity) + max_ack_delay.
  [[nodiscard]] Duration pto_base(Duration max_ack_delay) const {
    return smoothed_ + std::max(4 * variance_, kGranularity) + max_ack_delay;
  }
  /// RFC 9002 §6.1.2: max(9/8 * max(smoothed_rtt, latest_rtt), granularity).
  [[nodiscard]] Duration loss_delay() const;
  /// RFC 9002 §7.6.1.
  [[nodiscard]] Duration persistent_congestion_duration(Duration max_ack_delay) const;

 private:
  Duration initial_rtt_;
  Duration latest_;
  Duration smoothed_;
  Duration variance_;
  Duration min_;
  std::optional<Instant> first_sample_;
  bool restart_min_ = false;
};

/// An ACK Delay field as a duration (RFC 9000 §19.3), saturating: the peer may send any varint.
[[nodiscard]] Duration decode_ack_delay(std::uint64_t field, unsigned exponent);

}  // namespace mpquic
