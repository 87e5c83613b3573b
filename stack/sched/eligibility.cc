#include "stack/sched/eligibility.h"

#include <algorithm>

namespace mpquic {

Standing standing_of(const PathView& path, const PacketContext& context) {
  if (!path.validated && !context.ack_only) return Standing::unusable;
  if (path.potentially_failed) return path.backup ? Standing::failed_backup : Standing::failed_primary;
  return path.backup ? Standing::backup : Standing::primary;
}

bool can_take(const PathView& path, const PacketContext& context) {
  if (!context.ack_only) return path.can_send();
  return !path.socket_blocked && path.amplification_credit.value() >= context.size;
}

Standing best_standing(std::span<const PathView> paths, const PacketContext& context) {
  Standing best = Standing::unusable;
  for (const PathView& path : paths) {
    // An ACK is worth sending at once: a blocked path does not reserve it.
    if (context.ack_only && !can_take(path, context)) continue;
    best = std::min(best, standing_of(path, context));
  }
  return best;
}

}  // namespace mpquic
