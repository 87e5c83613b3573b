// Makes a failing case small: everything is left out without which it still fails in the same way.
#pragma once

#include <cstddef>
#include <functional>

#include "sim/swarm/case.h"
#include "sim/swarm/run.h"

namespace mpquic::sim::swarm {

/// Runs of a shrink, at most.
inline constexpr std::size_t kMostShrinkRuns = 600;

struct Shrunk {
  Case smallest;
  Outcome outcome;  // of the smallest
  std::size_t runs = 0;
};

/// Deterministic: the same case gives the same smallest one. `progress` hears of the runs so far.
[[nodiscard]] Shrunk shrink(const Case& failing, const Outcome& outcome,
                            const std::function<void(std::size_t runs, const Case&)>& progress);

}  // namespace mpquic::sim::swarm
