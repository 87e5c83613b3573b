// Lowest smoothed RTT first; the next lowest takes what the first has no window for.
#pragma once

#include "stack/sched/scheduler.h"

namespace mpquic {

/// A path without an RTT sample is preferred until it has a datagram in flight, so that it gets measured, and comes
/// last until the sample arrives, so that an unknown path is never trusted with more than one train.
///
/// It does not hold data back for a faster path that is full: keeping every path busy is what adds up rates, and the
/// tail that a slow path still holds at the end of a transfer is the reinjection policy's to repeat.
class MinRttScheduler final : public Scheduler {
 public:
  static constexpr std::string_view kName = "min_rtt";
  [[nodiscard]] std::string_view name() const override { return kName; }
  [[nodiscard]] std::optional<PathId> pick(std::span<const PathView> paths, const PacketContext& context) override;
  void on_sent(PathId, ByteCount, Instant) override {}
};

}  // namespace mpquic
