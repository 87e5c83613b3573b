#include "stack/cc/cubic.h"

#include <algorithm>

namespace mpquic {
namespace {

// RFC 9438 §4.6 and §5: C = 0.4, beta_cubic = 0.7, as fractions.
constexpr std::uint64_t kCNumerator = 4;
constexpr std::uint64_t kCDenominator = 10;
constexpr std::uint64_t kBetaNumerator = 7;
constexpr std::uint64_t kBetaDenominator = 10;
/// §4.7, fast convergence: (1 + beta) / 2.
constexpr std::uint64_t kFastConvergenceNumerator = 17;
constexpr std::uint64_t kFastConvergenceDenominator = 20;
/// §4.3: alpha_cubic = 3 * (1 - beta) / (1 + beta) = 9 / 17.
constexpr std::uint64_t kAlphaNumerator = 9;
constexpr std::uint64_t kAlphaDenominator = 17;
/// Microseconds of a second, cubed.
constexpr Wide kCubicMicroseconds = static_cast<Wide>(1'000'000'000'000'000'000ULL);
/// Beyond this distance from the plateau any window is out of bounds; keeps the cube within 128 bits.
constexpr std::uint64_t kMaxCurveMicroseconds = 1'000'000'000;

}  // namespace

std::uint64_t integer_cube_root(unsigned __int128 n) {
  std::uint64_t root = 0;
  for (int bit = 42; bit >= 0; --bit) {
    const std::uint64_t candidate = root | std::uint64_t{1} << bit;
    // candidate^3 <= n, without overflow: exact, because nested floor divisions compose.
    if (candidate <= n / candidate / candidate) root = candidate;
  }
  return root;
}

CubicCurve CubicCurve::from(std::uint64_t window, std::uint64_t w_max, std::uint64_t max_datagram_size) {
  if (w_max <= window) return {max_datagram_size, window, 0};
  // §4.2: K = cbrt((W_max - cwnd_epoch) / C), with windows in segments and K in seconds.
  const Wide cube = Wide{w_max - window} * kCDenominator * kCubicMicroseconds / (kCNumerator * max_datagram_size);
  return {max_datagram_size, w_max, integer_cube_root(cube)};
}

std::uint64_t CubicCurve::at(Duration elapsed) const {
  const auto t = static_cast<std::uint64_t>(
      std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count(), 0));
  const Wide distance = std::min(t > k ? t - k : k - t, kMaxCurveMicroseconds);
  const Wide change =
      distance * distance * distance * kCNumerator * max_datagram_size / (kCDenominator * kCubicMicroseconds);
  if (t >= k) return static_cast<std::uint64_t>(std::min<Wide>(w_max + change, kMaxWindow));
  return change < w_max ? w_max - static_cast<std::uint64_t>(change) : 0;
}

Cubic::Cubic(std::size_t max_datagram_size) : max_datagram_size_(max_datagram_size) { reset(); }

void Cubic::reset() {
  state_ = State{};
  state_.window = initial_window(max_datagram_size_);
  undo_.reset();
  hystart_.reset();
  recovery_.clear();
  growth_.clear();
  w_est_growth_.clear();
}

void Cubic::on_sent(ByteCount, ByteCount, Instant) {}

void Cubic::on_acked(const AckSummary& ack) {
  if (recovery_.covers(ack.largest_sent_time)) return;
  if (ack.application_limited) {
    // §5.8: "t" stands still while the window is not used.
    if (state_.stage && !state_.stage->idle_since) state_.stage->idle_since = ack.now;
    return;
  }
  if (in_slow_start()) {
    grow_in_slow_start(ack);
  } else {
    grow_in_avoidance(ack);
  }
  state_.window = std::min(state_.window, kMaxWindow);
}

void Cubic::grow_in_slow_start(const AckSummary& ack) {
  const auto growth = hystart_.growth(ack, state_.threshold == kUnlimitedWindow);
  if (!growth) state_.threshold = state_.window;
  state_.window += growth.value_or(0);
}

void Cubic::begin_stage(Instant now) {
  // §4.2, and §4.8 and §4.10 where no reduction led here: the stage starts at its plateau.
  const CubicCurve curve = CubicCurve::from(state_.window, state_.w_max.value_or(state_.window), max_datagram_size_);
  state_.stage = Stage{now, curve, state_.window, std::nullopt};
  growth_.clear();
  w_est_growth_.clear();
}

void Cubic::grow_in_avoidance(const AckSummary& ack) {
  if (!state_.stage) begin_stage(ack.now);
  Stage& stage = *state_.stage;
  if (stage.idle_since) {
    stage.begin += ack.now - *stage.idle_since;
    stage.idle_since.reset();
  }
  std::uint64_t& window = state_.window;
  const Duration t = ack.now - stage.begin;

  // §4.3: W_est grows by alpha_cubic * segments_acked / cwnd, and as Reno does once it has reached cwnd_prior.
  const std::uint64_t alpha = stage.w_est < state_.prior_window ? kAlphaNumerator : kAlphaDenominator;
  stage.w_est +=
      w_est_growth_.add(Wide{ack.acked.value()} * max_datagram_size_ * alpha, Wide{window} * kAlphaDenominator);
  if (stage.curve.at(t) < stage.w_est) {
    window = std::max(window, stage.w_est);
    return;
  }
  // §4.2, §4.4, §4.5: towards W_cubic(t + RTT), at most half a window per round trip.
  const std::uint64_t target = std::clamp(stage.curve.at(t + ack.rtt.smoothed), window, window * 3 / 2);
  window += growth_.add(Wide{ack.acked.value()} * (target - window), window);
}

void Cubic::on_congestion(Instant newest_sent, ByteCount, bool from_ecn, Instant now) {
  if (recovery_.covers(newest_sent)) return;
  recovery_.start(now);
  undo_.reset();
  if (!from_ecn) undo_ = state_;  // a CE mark is never spurious

  // §4.7: a flow that could not get back to its last plateau releases bandwidth to newer flows.
  const std::uint64_t window = state_.window;
  const bool shrinking = state_.w_max && window < *state_.w_max;
  state_.w_max = shrinking ? window * kFastConvergenceNumerator / kFastConvergenceDenominator : window;
  state_.prior_window = window;
  // §4.6.
  state_.threshold = std::max(window * kBetaNumerator / kBetaDenominator, minimum_window(max_datagram_size_));
  state_.window = state_.threshold;
  state_.stage.reset();
}

void Cubic::on_persistent_congestion(Instant) {
  // RFC 9002 §7.6.2; then RFC 9438 §4.8: the next stage starts with K = 0 at its own window.
  state_.window = minimum_window(max_datagram_size_);
  state_.w_max.reset();
  state_.stage.reset();
  undo_.reset();
  recovery_.clear();
}

void Cubic::on_spurious_congestion(Instant) {
  // §4.9.1. Growth since then may already have done better.
  if (undo_ && undo_->window > state_.window) {
    state_ = *undo_;
    recovery_.clear();
  }
  undo_.reset();
}

void Cubic::on_max_datagram_size(std::size_t bytes) {
  max_datagram_size_ = bytes;
  state_.window = std::max(state_.window, minimum_window(bytes));
}

Bandwidth Cubic::pacing_rate(const RttSample& rtt) const {
  return window_pacing_rate(state_.window, in_slow_start(), rtt);
}

}  // namespace mpquic
