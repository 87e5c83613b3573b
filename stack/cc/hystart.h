// HyStart++, RFC 9406: leaves slow start when round trips grow, before the queue overflows.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "stack/base/time.h"
#include "stack/cc/congestion_controller.h"

namespace mpquic {

class HyStart {
 public:
  // RFC 9406 §4.3. L, the limit on growth per ACK, is infinite: senders are paced.
  static constexpr Duration kMinRttThreshold = std::chrono::milliseconds(4);
  static constexpr Duration kMaxRttThreshold = std::chrono::milliseconds(16);
  static constexpr int kMinRttDivisor = 8;
  static constexpr std::uint32_t kRttSamples = 8;
  static constexpr std::uint64_t kCssGrowthDivisor = 4;
  static constexpr std::uint32_t kCssRounds = 5;

  /// What the acknowledgement asks of slow start.
  enum class Phase : std::uint8_t { slow_start, conservative, done };

  /// An ACK during slow start: `largest_sent` is when the newest acknowledged packet was sent.
  Phase on_acked(Instant largest_sent, Duration rtt, Instant now);
  /// What slow start adds to the window, in bytes; nullopt: it is over, and the threshold becomes the window. RFC 9406
  /// §4.3: HyStart++ is for the initial slow start; later ones have a threshold to stop at.
  [[nodiscard]] std::optional<std::uint64_t> growth(const AckSummary& ack, bool initial);
  [[nodiscard]] Phase phase() const { return phase_; }
  void reset() { *this = HyStart(); }

 private:
  void start_round(Instant now);
  [[nodiscard]] bool delay_increased() const;

  Phase phase_ = Phase::slow_start;
  std::optional<Instant> round_start_;  // the round ends when a packet sent at or after this is acknowledged
  std::optional<Duration> last_round_min_;
  std::optional<Duration> round_min_;
  std::uint32_t samples_ = 0;
  Duration css_baseline_{};
  std::uint32_t css_rounds_ = 0;
};

}  // namespace mpquic
