// The parts of a seed's case, one file each. All draw from the same dice, in this order.
#pragma once

#include <cstdint>

#include "sim/swarm/case.h"
#include "sim/swarm/dice.h"

namespace mpquic::sim::swarm {

/// By then a handshake without faults is over, losses and all.
inline constexpr std::uint64_t kHandshakeMs = 5000;
/// Of IP packets. Whatever is left fits a handshake (RFC 9000 §14).
inline constexpr std::uint64_t kLeastMtu = 1228;
inline constexpr std::uint64_t kMostMtu = 1500;

/// Paths, bottlenecks and groups. Whether the first path has none of what may keep a handshake busy for longer than
/// kHandshakeMs.
[[nodiscard]] bool draw_topology(Dice& dice, Case& drawn);
[[nodiscard]] Fields draw_endpoints(Dice& dice);
[[nodiscard]] Fields draw_workload(Dice& dice);
/// What happens, and when it heals. The rest must be there.
void draw_timeline(Dice& dice, Case& drawn, bool steady_start);

}  // namespace mpquic::sim::swarm
