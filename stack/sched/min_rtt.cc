#include "stack/sched/min_rtt.h"

#include <tuple>

#include "stack/sched/eligibility.h"

namespace mpquic {
namespace {

enum class Knowledge : std::uint8_t { unmeasured_idle, measured, unmeasured_waiting };

[[nodiscard]] Knowledge knowledge_of(const PathView& path, const PacketContext& context) {
  if (path.has_rtt_sample) return Knowledge::measured;
  // An ACK is not acknowledged in turn, so it measures nothing.
  const bool idle = path.bytes_in_flight == ByteCount{} && !context.ack_only;
  return idle ? Knowledge::unmeasured_idle : Knowledge::unmeasured_waiting;
}

}  // namespace

std::optional<PathId> MinRttScheduler::pick(std::span<const PathView> paths, const PacketContext& context) {
  const Standing wanted = best_standing(paths, context);
  if (wanted == Standing::unusable) return std::nullopt;
  const auto rank = [&](const PathView& path) { return std::tuple(knowledge_of(path, context), path.smoothed_rtt); };
  const PathView* best = nullptr;
  for (const PathView& path : paths) {
    if (standing_of(path, context) != wanted || !can_take(path, context)) continue;
    if (best == nullptr || rank(path) < rank(*best)) best = &path;
  }
  if (best == nullptr) return std::nullopt;
  return best->id;
}

}  // namespace mpquic
