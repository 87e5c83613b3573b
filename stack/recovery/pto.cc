#include "stack/recovery/pto.h"

#include <algorithm>

namespace mpquic {

Duration backed_off(Duration base, std::uint32_t count) {
  Duration timeout = base;
  while (count-- > 0 && timeout < kMaxPto) timeout *= 2;
  return std::min(timeout, std::max(base, kMaxPto));
}

std::optional<Pto> earliest_pto(std::span<const PtoSpace> spaces, const PtoContext& context) {
  std::optional<Pto> earliest;
  bool anything_in_flight = false;
  for (const PtoSpace& space : spaces) {
    if (!space.ack_eliciting_in_flight || !space.last_ack_eliciting) continue;
    anything_in_flight = true;
    const bool application = space.space == SpaceId::application;
    // RFC 9002 §6.2.1: "An endpoint MUST NOT set its PTO timer for the Application Data packet number space until the
    // handshake is confirmed"; max_ack_delay counts in that space alone.
    if (application && !context.handshake_confirmed) continue;
    const Duration base = application ? context.base + context.max_ack_delay : context.base;
    const Instant time = *space.last_ack_eliciting + backed_off(base, context.count);
    if (!earliest || time < earliest->time) earliest = Pto{time, space.space};
  }
  if (!earliest && !anything_in_flight && context.anti_deadlock_from) {
    earliest = Pto{*context.anti_deadlock_from + backed_off(context.base, context.count),
                   context.has_handshake_keys ? SpaceId::handshake : SpaceId::initial};
  }
  return earliest;
}

}  // namespace mpquic
