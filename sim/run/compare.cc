#include "sim/run/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/run/best_path.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

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

[[nodiscard]] std::expected<Report, std::string> run_variant(const Comparison& comparison, const Variant& variant) {
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
  if (auto why = obstacle(*scenario, options)) return std::unexpected(std::move(*why));
  const auto run = [&options](const Scenario& one) { return Simulation(one, options).run(); };
  return scenario->baseline == Baseline::best_path ? run_best_path(*scenario, run).report : run(*scenario);
}

/// For people: which of the WANs the run could use.
[[nodiscard]] std::string paths_text(const ComparedRun& run) {
  if (!run.report.single_path.empty()) return fmt::format("best: {}", run.report.single_path);
  if (run.report.baseline != Baseline::per_path) return run.baseline;
  const auto carried = [](const PathReport& path) { return path.share > 0; };
  const auto count = std::ranges::count_if(run.report.paths, carried);
  if (count == 0) return "per path";  // the connection that carried it is gone, and its figures with it
  if (count == 1) return fmt::format("per path: only {}", std::ranges::find_if(run.report.paths, carried)->name);
  return fmt::format("per path: {} WANs", count);
}

[[nodiscard]] std::string violations_text(const std::vector<ComparedRun>& runs) {
  std::string out;
  for (const ComparedRun& run : runs) {
    if (run.report.passed()) continue;
    const Violation& first = run.report.violations.front();
    out += fmt::format("  VIOLATION, {} {}, at {:.6f} s: {}", run.engine, paths_text(run),
                       to_seconds(first.at.time_since_epoch()), first.what);
    const std::size_t others = run.report.violations_total - 1;
    out += others > 0 ? fmt::format(" ... and {} more\n", others) : "\n";
  }
  return out.empty() ? "  no invariant is violated\n" : out;
}

}  // namespace

std::expected<std::vector<ComparedRun>, std::string> compare_baselines(const Comparison& comparison) {
  std::vector<ComparedRun> runs;
  for (const Variant& variant : kVariants) {
    if (std::string_view(variant.engine) == "ngtcp2" && !comparison.ngtcp2) continue;
    auto report = run_variant(comparison, variant);
    if (!report) return std::unexpected(std::move(report).error());
    runs.push_back({.engine = variant.engine,
                    .baseline = runs.empty() ? "multipath" : variant.baseline,
                    .report = std::move(*report)});
  }
  return runs;
}

std::string comparison_table(const std::vector<ComparedRun>& runs) {
  const Report& first = runs.front().report;
  std::string out =
      fmt::format("{}  seed {}\n\n  {:<8} {:<20} {:>12} {:>8} {:>14} {:>8} {:>10} {:>22}\n", first.scenario, first.seed,
                  "engine", "paths", "completion", "", "goodput", "of sum", "stall", "worst delay p50/p95");
  for (const ComparedRun& run : runs) {
    const Report& report = run.report;
    const LatencyReport delay = worst_delay(report);
    const double sum = report.oracles.sum_of_links_mbps;
    const bool comparable = report.completed && first.completed && first.completion_s > 0;
    out += fmt::format("  {:<8} {:<20} {:>12} {:>8} {:>7.2f} Mbit/s {:>7.1f}% {:>7.0f} ms {:>22}\n", run.engine,
                       paths_text(run), report.completed ? fmt::format("{:.3f} s", report.completion_s) : "not done",
                       comparable ? fmt::format("{:.2f}x", report.completion_s / first.completion_s) : "",
                       report.goodput_mbps, sum > 0 ? report.goodput_mbps / sum * 100 : 0, longest_stall(report) * 1e3,
                       delay.count > 0 ? fmt::format("{:.1f} / {:.1f} ms", delay.p50_ms, delay.p95_ms) : "");
  }
  out += '\n';
  if (first.oracles.completion_bound_s)
    out += fmt::format("  lower bound {:.3f} s over all links", *first.oracles.completion_bound_s);
  if (first.oracles.completion_bound_s && first.oracles.single_path_bound_s)
    out += fmt::format(", {:.3f} s over {} alone", *first.oracles.single_path_bound_s, first.oracles.single_path);
  if (first.oracles.completion_bound_s) out += '\n';
  if (!first.oracles.unbounded.empty()) out += fmt::format("  no lower bound: {}\n", first.oracles.unbounded);
  out +=
      "  best: every WAN was tried alone, and this one was done first, or else got furthest\n"
      "  per path: a connection on each WAN; every stream and datagram flow keeps to the one that its hash gives\n";
  return out + violations_text(runs);
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
