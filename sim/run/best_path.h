// Which single WAN is the best one is measured: nominal rates say nothing of loss, queues, outages and who recovers
// how.
#pragma once

#include <functional>

#include "sim/run/report.h"
#include "sim/scenario/scenario.h"

namespace mpquic::sim {

/// One whole run. It is called for several scenarios that differ in `endpoints.first_path` and `duration`.
using RunScenario = std::function<Report(const Scenario&)>;

struct SinglePathRun {
  std::size_t path = 0;
  Report report;
};

/// Runs a scenario with `baseline: best_path` over each WAN in use alone. The best one completes first; where none
/// completes, or several at the same time, it brings most bytes; the first such one in the file breaks ties.
[[nodiscard]] SinglePathRun run_best_path(const Scenario& scenario, const RunScenario& run);

/// Gives a scenario with `baseline: best_path` its path; leaves others alone.
void settle_best_path(Scenario& scenario, const RunScenario& run);

}  // namespace mpquic::sim
