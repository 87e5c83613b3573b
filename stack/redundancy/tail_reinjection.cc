#include "stack/redundancy/tail_reinjection.h"

namespace mpquic {

std::optional<PathView> fastest_with_room(std::span<const PathView> paths) {
  const PathView* best = nullptr;
  for (const PathView& path : paths) {
    if (!path.validated || path.potentially_failed || path.backup || !path.has_rtt_sample || !path.can_send()) continue;
    if (best == nullptr || path.smoothed_rtt < best->smoothed_rtt) best = &path;
  }
  return best != nullptr ? std::optional(*best) : std::nullopt;
}

bool worth_reinjecting(const PathView& slow, Instant sent, const PathView& fast, Instant now) {
  return slow.id != fast.id && now + fast.smoothed_rtt < sent + slow.smoothed_rtt;
}

}  // namespace mpquic
