#include "sim/run/best_path.h"

#include <chrono>
#include <numeric>
#include <optional>

namespace mpquic::sim {
namespace {

[[nodiscard]] std::uint64_t bytes_of(const Report& report) {
  return std::accumulate(report.workloads.begin(), report.workloads.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const WorkloadReport& workload) { return sum + workload.bytes; });
}

[[nodiscard]] bool is_better(const Report& a, const Report& b) {
  if (a.completed != b.completed) return a.completed;
  if (a.completed && a.completion_s != b.completion_s) return a.completion_s < b.completion_s;
  return bytes_of(a) > bytes_of(b);
}

/// Who is not done by then is not the best. Rounded up: ties still complete.
[[nodiscard]] Duration limit_after(const Report& best) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(best.completion_s)) +
         std::chrono::microseconds(1);
}

}  // namespace

SinglePathRun run_best_path(const Scenario& scenario, const RunScenario& run) {
  Scenario alone = scenario;
  std::optional<SinglePathRun> best;
  for (std::size_t path = 0; path < scenario.paths.size(); ++path) {
    if (!scenario.paths[path].used) continue;
    alone.endpoints.first_path = path;
    Report report = run(alone);
    if (best && !is_better(report, best->report)) continue;
    if (report.completed) alone.duration = limit_after(report);
    best = {.path = path, .report = std::move(report)};
  }
  return std::move(*best);  // the loader wants a path in use
}

void settle_best_path(Scenario& scenario, const RunScenario& run) {
  if (scenario.baseline != Baseline::best_path || scenario.endpoints.first_path) return;
  scenario.endpoints.first_path = run_best_path(scenario, run).path;
}

}  // namespace mpquic::sim
