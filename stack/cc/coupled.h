// A path's controller whose growth depends on the connection's other paths. It is NewReno but for its CouplingRule:
// alone, or before its first RTT sample, it is NewReno. Its initial slow start is HyStart++, as CUBIC's.
#pragma once

#include "stack/cc/congestion_controller.h"
#include "stack/cc/coupling.h"
#include "stack/cc/hystart.h"
#include "stack/cc/window.h"

namespace mpquic {

class Coupled final : public CongestionController {
 public:
  /// `rule` and `group` outlive the controller.
  Coupled(const CouplingRule& rule, std::size_t max_datagram_size, CouplingGroup& group);
  ~Coupled() override { group_.leave(path_); }

  [[nodiscard]] std::string_view name() const override { return rule_.name; }
  [[nodiscard]] ByteCount window() const override { return ByteCount{path_.window}; }
  [[nodiscard]] ByteCount slow_start_threshold() const override { return ByteCount{threshold_}; }
  void on_sent(ByteCount bytes, ByteCount in_flight, Instant now) override;
  void on_acked(const AckSummary& ack) override;
  void on_congestion(Instant newest_sent, ByteCount lost, bool from_ecn, Instant now) override;
  void on_persistent_congestion(Instant now) override;
  void on_spurious_congestion(Instant now) override;
  void on_max_datagram_size(std::size_t bytes) override;
  void reset() override;
  void set_active(bool active) override { path_.active = active; }
  [[nodiscard]] Bandwidth pacing_rate(const RttSample& rtt) const override;
  [[nodiscard]] std::optional<Coupling> coupling() const override;

 private:
  void grow_in_slow_start(const AckSummary& ack);
  void grow_in_avoidance(ByteCount acked);

  const CouplingRule& rule_;
  CouplingGroup& group_;
  CoupledPath path_;
  std::uint64_t max_datagram_size_;
  std::uint64_t threshold_ = kUnlimitedWindow;
  HyStart hystart_;
  RecoveryEpoch recovery_;
  GrowthRemainder growth_;
};

}  // namespace mpquic
