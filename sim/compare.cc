#include "sim/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/scenario_loader.h"
#include "sim/simulation.h"

namespace mpquic::sim {
namespace {

struct Variant {
  const char* engine;
  const char* baseline;
};
constexpr Variant kVariants[] = {{"mpquic", "none"},
                                 {"mpquic", "best_path"},
                                 {"mpquic", "per_path"},
                                 {"ngtcp2", "best_path"},
                                 {"ngtcp2", "per_path"}};

[[nodiscard]] double longest_stall(const Report& report) {
  double longest = 0;
  for (const WorkloadReport& workload : report.workloads) longest = std::max(longest, workload.longest_stall_s);
  return longest;
}

/// The worst workload that has delays.
[[nodiscard]] LatencyReport worst_delay(const Report& report) {
  LatencyReport worst;
  for (const WorkloadReport& workload : report.workloads)
    if (workload.latency.p95_ms >= worst.p95_ms && workload.latency.count > 0) worst = workload.latency;
  return worst;
}

}  // namespace

std::expected<std::vector<ComparedRun>, std::string> compare_baselines(const Comparison& comparison) {
  std::vector<ComparedRun> runs;
  for (const Variant& variant : kVariants) {
    const bool foreign = std::string_view(variant.engine) == "ngtcp2";
    if (foreign && !comparison.ngtcp2) continue;
    std::vector<std::string> overrides = comparison.overrides;
    for (const char* side : {"client", "server"})
      overrides.push_back(fmt::format("endpoints.{}.engine={}", side, variant.engine));
    overrides.push_back(fmt::format("baseline={}", variant.baseline));
    const auto scenario = load_scenario(comparison.file, overrides, comparison.seed);
    if (!scenario) return std::unexpected(scenario.error());
    SimulationOptions options;
    options.seed = comparison.seed;
    options.ngtcp2 = comparison.ngtcp2;
    options.judge = false;
    runs.push_back({.engine = variant.engine,
                    .baseline = runs.empty() ? "multipath" : variant.baseline,
                    .report = Simulation(*scenario, options).run()});
  }
  return runs;
}

std::string comparison_table(const std::vector<ComparedRun>& runs) {
  const Report& first = runs.front().report;
  std::string out =
      fmt::format("{}  seed {}\n\n  {:<8} {:<10} {:>12} {:>8} {:>14} {:>8} {:>10} {:>22}\n", first.scenario, first.seed,
                  "engine", "paths", "completion", "", "goodput", "of sum", "stall", "worst delay p50/p95");
  for (const ComparedRun& run : runs) {
    const Report& report = run.report;
    const LatencyReport delay = worst_delay(report);
    const double sum = report.oracles.sum_of_links_mbps;
    out += fmt::format("  {:<8} {:<10} {:>12} {:>7.2f}x {:>7.2f} Mbit/s {:>7.1f}% {:>7.0f} ms {:>22}\n", run.engine,
                       run.baseline, report.completed ? fmt::format("{:.3f} s", report.completion_s) : "not done",
                       first.completion_s > 0 ? report.completion_s / first.completion_s : 0, report.goodput_mbps,
                       sum > 0 ? report.goodput_mbps / sum * 100 : 0, longest_stall(report) * 1e3,
                       delay.count > 0 ? fmt::format("{:.1f} / {:.1f} ms", delay.p50_ms, delay.p95_ms) : "");
  }
  if (first.oracles.completion_bound_s)
    out += fmt::format("\n  lower bound {:.3f} s over all links", *first.oracles.completion_bound_s);
  if (first.oracles.completion_bound_s && first.oracles.single_path_bound_s)
    out += fmt::format(", {:.3f} s over {} alone", *first.oracles.single_path_bound_s, first.oracles.single_path);
  if (!first.oracles.unbounded.empty()) out += fmt::format("\n  no lower bound: {}", first.oracles.unbounded);
  out += fmt::format("\n  flows are hashed over the connections of per_path; violations of invariants: {}\n",
                     std::ranges::count_if(runs, [](const ComparedRun& run) { return !run.report.passed(); }));
  return out;
}

std::string comparison_json(const std::vector<ComparedRun>& runs) {
  nlohmann::ordered_json json;
  json["scenario"] = runs.front().report.scenario;
  json["seed"] = runs.front().report.seed;
  json["runs"] = nlohmann::json::array();
  for (const ComparedRun& run : runs) {
    auto report = nlohmann::ordered_json::parse(to_json(run.report));
    report.erase("resolved");
    json["runs"].push_back({{"engine", run.engine}, {"paths", run.baseline}, {"report", std::move(report)}});
  }
  return json.dump(2) + "\n";
}

}  // namespace mpquic::sim
