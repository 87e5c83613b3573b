#pragma once

#include "stack/cc/congestion_controller.h"
#include "stack/cc/window.h"

namespace mpquic {

/// RFC 9002 §7 and Appendix B.
class NewReno final : public CongestionController {
 public:
  static constexpr std::string_view kName = "new_reno";

  explicit NewReno(std::size_t max_datagram_size);

  [[nodiscard]] std::string_view name() const override { return kName; }
  [[nodiscard]] ByteCount window() const override { return ByteCount{window_}; }
  [[nodiscard]] ByteCount slow_start_threshold() const override { return ByteCount{threshold_}; }
  void on_sent(ByteCount bytes, ByteCount in_flight, Instant now) override;
  void on_acked(const AckSummary& ack) override;
  void on_congestion(Instant newest_sent, ByteCount lost, bool from_ecn, Instant now) override;
  void on_persistent_congestion(Instant now) override;
  void on_spurious_congestion(Instant now) override;
  void on_max_datagram_size(std::size_t bytes) override;
  void reset() override;
  [[nodiscard]] Bandwidth pacing_rate(const RttSample& rtt) const override;

 private:
  std::uint64_t max_datagram_size_;
  std::uint64_t window_;
  std::uint64_t threshold_ = kUnlimitedWindow;
  RecoveryEpoch recovery_;
  GrowthRemainder growth_;
};

}  // namespace mpquic
