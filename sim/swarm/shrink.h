// Makes a failing case small: everything is left out without which it still fails in the same way.
#pragma once

#include <cstddef>
#include <functional>

#include "sim/swarm/case.h"
#include "sim/swarm/run.h"

namespace mpquic::sim::swarm {

/// Of one shrink, at most: runs, and simulated events in all of them. Both keep it deterministic, as no clock would.
inline constexpr std::size_t kMostShrinkRuns = 1500;
inline constexpr std::uint64_t kMostShrinkEvents = 200'000'000;
/// As small as people want it. Above, the shrinker looks for a way to fail with fewer paths or events, whatever becomes
/// of the figures.
inline constexpr std::size_t kSmallPaths = 2;
inline constexpr std::size_t kSmallEvents = 3;

struct Shrunk {
  Case smallest;    // its seed may be another than that of the case it came from
  Outcome outcome;  // of the smallest
  std::size_t runs = 0;
  std::uint64_t events = 0;  // of all runs
  bool stopped = false;      // before it was done, by a limit or by `progress`
};

/// Hears of the runs so far, and says whether to go on.
using ShrinkProgress = std::function<bool(std::size_t runs, const Case& best)>;

/// Deterministic unless `progress` ends it: the same case gives the same smallest one.
[[nodiscard]] Shrunk shrink(const Case& failing, const Outcome& outcome, const ShrinkProgress& progress);

}  // namespace mpquic::sim::swarm
