#include "sim/run/seed_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/run/probe.h"

namespace mpquic::sim {
namespace {

constexpr double kQuantiles[] = {0, 0.05, 0.5, 0.95, 1};
constexpr std::size_t kMostFailuresShown = 10;
constexpr std::size_t kMostSeedsListed = 50;

[[nodiscard]] std::optional<double> ratio(double part, double whole) {
  return whole > 0 ? std::optional(part / whole) : std::nullopt;
}

[[nodiscard]] std::optional<double> times(const std::optional<double>& value, double factor) {
  return value ? std::optional(*value * factor) : std::nullopt;
}

void add_workload(std::vector<Figure>& figures, const WorkloadReport& w) {
  const auto add = [&](const char* what, const std::optional<double>& value) {
    figures.push_back({fmt::format("{}: {}", w.label, what), value});
  };
  add("done s", w.completion_s);
  add("longest stall ms", w.longest_stall_s * 1e3);
  if (w.kind != WorkloadKind::bulk)
    add("delay p95 ms", w.latency.count > 0 ? std::optional(w.latency.p95_ms) : std::nullopt);
  if (w.kind == WorkloadKind::datagrams)
    add("delivered %",
        times(ratio(static_cast<double>(w.datagrams_received), static_cast<double>(w.datagrams_sent)), 100));
  if (w.kind == WorkloadKind::voip || w.kind == WorkloadKind::game) add("too late or lost %", times(w.late, 100));
  if (w.kind == WorkloadKind::voip) add("MOS", w.mos);
  if (w.kind == WorkloadKind::video) {
    add("plays after ms", times(w.startup_s, 1e3));
    add("rebuffering ms", times(w.rebuffering_s, 1e3));
  }
}

[[nodiscard]] std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

/// Those of the first run that was made: they are the same for all.
[[nodiscard]] std::vector<std::string> names_of(const std::vector<SeedOutcome>& outcomes) {
  std::vector<std::string> names;
  const auto made = std::ranges::find_if(outcomes, [](const SeedOutcome& o) { return !o.figures.empty(); });
  if (made != outcomes.end())
    for (const Figure& figure : made->figures) names.push_back(figure.name);
  return names;
}

[[nodiscard]] std::vector<double> values_of(const std::vector<SeedOutcome>& outcomes, std::size_t figure) {
  std::vector<double> values;
  for (const SeedOutcome& outcome : outcomes)
    if (figure < outcome.figures.size() && outcome.figures[figure].value)
      values.push_back(*outcome.figures[figure].value);
  return values;
}

[[nodiscard]] std::string failures_text(const std::vector<SeedOutcome>& outcomes) {
  std::vector<const SeedOutcome*> failed;
  for (const SeedOutcome& outcome : outcomes)
    if (!outcome.passed) failed.push_back(&outcome);
  std::string out = fmt::format("\n  passed         {} of {} seeds", outcomes.size() - failed.size(), outcomes.size());
  if (failed.empty()) return out + "\n";
  out += "; failed:";
  for (std::size_t i = 0; i < std::min(failed.size(), kMostSeedsListed); ++i)
    out += fmt::format("{} {}", i == 0 ? "" : ",", failed[i]->seed);
  if (failed.size() > kMostSeedsListed) out += fmt::format(" and {} more", failed.size() - kMostSeedsListed);
  out += '\n';
  for (std::size_t i = 0; i < std::min(failed.size(), kMostFailuresShown); ++i)
    out +=
        fmt::format("  FAILED seed {}: {}\n    again: {}\n", failed[i]->seed, failed[i]->violation, failed[i]->replay);
  return out;
}

}  // namespace

std::vector<Figure> headline_figures(const Report& report) {
  const auto completion = report.completed ? std::optional(report.completion_s) : std::nullopt;
  double stall = 0;
  for (const WorkloadReport& workload : report.workloads) stall = std::max(stall, workload.longest_stall_s);
  std::vector<Figure> figures = {{"goodput Mbit/s", report.goodput_mbps}, {"completed in s", completion}};
  if (report.oracles.sum_of_links_mbps > 0) {
    figures.push_back({"of the links %", times(ratio(report.goodput_mbps, report.oracles.sum_of_links_mbps), 100)});
    figures.push_back({"of the best link %", times(ratio(report.goodput_mbps, report.oracles.best_link_mbps), 100)});
  }
  if (const auto bound = report.oracles.completion_bound_s)
    figures.push_back({"times the lower bound", completion ? ratio(*completion, *bound) : std::nullopt});
  figures.push_back({"longest stall ms", stall * 1e3});
  for (const WorkloadReport& workload : report.workloads) add_workload(figures, workload);
  return figures;
}

std::string encode(const SeedOutcome& outcome) {
  auto figures = nlohmann::json::array();
  for (const Figure& figure : outcome.figures)
    figures.push_back({figure.name, figure.value ? nlohmann::json(*figure.value) : nlohmann::json()});
  return nlohmann::json({{"seed", outcome.seed},
                         {"passed", outcome.passed},
                         {"hash", outcome.hash},
                         {"figures", std::move(figures)},
                         {"violation", outcome.violation},
                         {"replay", outcome.replay}})
      .dump();
}

SeedOutcome decode_seed_outcome(const std::string& text) {
  const auto in = nlohmann::json::parse(text);
  SeedOutcome outcome{.seed = in["seed"],
                      .passed = in["passed"],
                      .hash = in["hash"],
                      .figures = {},
                      .violation = in["violation"],
                      .replay = in["replay"]};
  for (const auto& figure : in["figures"])
    outcome.figures.push_back({figure[0], figure[1].is_null() ? std::nullopt : std::optional(figure[1].get<double>())});
  return outcome;
}

std::string seeds_table(const std::vector<SeedOutcome>& outcomes) {
  const auto names = names_of(outcomes);
  std::size_t width = 24;
  for (const std::string& name : names) width = std::max(width, name.size());
  std::string out =
      fmt::format("  {:<{}} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "", width, "min", "p5", "p50", "p95", "max");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto values = values_of(outcomes, i);
    out += fmt::format("  {:<{}}", names[i], width);
    for (const double q : kQuantiles)
      out += values.empty() ? fmt::format(" {:>10}", "-") : fmt::format(" {:>10.3f}", quantile(values, q));
    if (values.size() < outcomes.size()) out += fmt::format("  of {} seeds that have it", values.size());
    out += '\n';
  }
  return out + failures_text(outcomes);
}

std::string seeds_csv(const std::vector<SeedOutcome>& outcomes) {
  const auto names = names_of(outcomes);
  std::string out = "seed,passed,trace_hash";
  for (const std::string& name : names) out += "," + quoted(name);
  out += ",violation\r\n";
  for (const SeedOutcome& outcome : outcomes) {
    out += fmt::format("{},{},{:016x}", outcome.seed, outcome.passed ? "yes" : "no", outcome.hash);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const bool known = i < outcome.figures.size() && outcome.figures[i].value;
      out += known ? fmt::format(",{}", *outcome.figures[i].value) : ",";
    }
    out += fmt::format(",{}\r\n", quoted(outcome.violation));
  }
  return out;
}

}  // namespace mpquic::sim
