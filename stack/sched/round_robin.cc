#include "stack/sched/round_robin.h"

#include "stack/sched/eligibility.h"

namespace mpquic {

std::optional<PathId> RoundRobinScheduler::pick(std::span<const PathView> paths, const PacketContext& context) {
  const Standing wanted = best_standing(paths, context);
  if (wanted == Standing::unusable) return std::nullopt;
  std::optional<PathId> first;  // where the turn wraps to
  for (const PathView& path : paths) {
    if (standing_of(path, context) != wanted || !can_take(path, context)) continue;
    if (!last_ || path.id > *last_) return path.id;
    if (!first) first = path.id;
  }
  return first;
}

void RoundRobinScheduler::on_sent(PathId path, ByteCount, Instant) { last_ = path; }

}  // namespace mpquic
