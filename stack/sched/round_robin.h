// One train per path in turn.
#pragma once

#include "stack/sched/scheduler.h"

namespace mpquic {

/// Remembers only whose turn was last, so a path that was blocked, or joined late, has no backlog of turns to catch up.
class RoundRobinScheduler final : public Scheduler {
 public:
  static constexpr std::string_view kName = "round_robin";
  [[nodiscard]] std::string_view name() const override { return kName; }
  [[nodiscard]] std::optional<PathId> pick(std::span<const PathView> paths, const PacketContext& context) override;
  void on_sent(PathId path, ByteCount bytes, Instant now) override;

 private:
  std::optional<PathId> last_;
};

}  // namespace mpquic
