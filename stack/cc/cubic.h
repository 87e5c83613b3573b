// CUBIC, RFC 9438, in integers: the same window on every machine and in every build.
#pragma once

#include <optional>

#include "stack/cc/congestion_controller.h"
#include "stack/cc/hystart.h"
#include "stack/cc/window.h"

namespace mpquic {

/// The largest r with r^3 <= n.
[[nodiscard]] std::uint64_t integer_cube_root(unsigned __int128 n);

/// The curve of RFC 9438 §4.2, in bytes and microseconds.
struct CubicCurve {
  std::uint64_t max_datagram_size = 1200;
  std::uint64_t w_max = 0;  // bytes
  std::uint64_t k = 0;      // microseconds until the curve reaches w_max

  /// The curve that starts at `window` and has its plateau at `w_max`.
  [[nodiscard]] static CubicCurve from(std::uint64_t window, std::uint64_t w_max, std::uint64_t max_datagram_size);
  /// W_cubic(t) = C * (t - K)^3 + W_max, not below zero.
  [[nodiscard]] std::uint64_t at(Duration elapsed) const;
};

class Cubic final : public CongestionController {
 public:
  static constexpr std::string_view kName = "cubic";

  explicit Cubic(std::size_t max_datagram_size);

  [[nodiscard]] std::string_view name() const override { return kName; }
  [[nodiscard]] ByteCount window() const override { return ByteCount{state_.window}; }
  [[nodiscard]] ByteCount slow_start_threshold() const override { return ByteCount{state_.threshold}; }
  void on_sent(ByteCount bytes, ByteCount in_flight, Instant now) override;
  void on_acked(const AckSummary& ack) override;
  void on_congestion(Instant newest_sent, ByteCount lost, bool from_ecn, Instant now) override;
  void on_persistent_congestion(Instant now) override;
  void on_spurious_congestion(Instant now) override;
  void on_max_datagram_size(std::size_t bytes) override;
  void reset() override;
  [[nodiscard]] Bandwidth pacing_rate(const RttSample& rtt) const override;

 private:
  /// One congestion avoidance stage (RFC 9438 §4.1.2).
  struct Stage {
    Instant begin;
    CubicCurve curve;
    std::uint64_t w_est = 0;            // Reno-friendly window, §4.3
    std::optional<Instant> idle_since;  // application-limited: time stands still (§5.8)
  };
  /// All that a reduction changes, so that it can be undone (§4.9).
  struct State {
    std::uint64_t window = 0;
    std::uint64_t threshold = kUnlimitedWindow;
    std::optional<std::uint64_t> w_max;  // absent: the next stage starts at its plateau
    std::uint64_t prior_window = 0;      // cwnd_prior
    std::optional<Stage> stage;
  };

  void grow_in_slow_start(const AckSummary& ack);
  void grow_in_avoidance(const AckSummary& ack);
  void begin_stage(Instant now);

  std::uint64_t max_datagram_size_;
  State state_;
  std::optional<State> undo_;
  HyStart hystart_;
  RecoveryEpoch recovery_;
  GrowthRemainder growth_;
  GrowthRemainder w_est_growth_;
};

}  // namespace mpquic
