// How long a case may take once all its faults are over.
#pragma once

#include <cstdint>

#include "sim/scenario/scenario.h"

namespace mpquic::sim::swarm {

/// In milliseconds. True for whatever a seed may draw: what completes at all completes within it.
[[nodiscard]] std::uint64_t budget_ms(const Scenario& scenario);

}  // namespace mpquic::sim::swarm
