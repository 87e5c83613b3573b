#include "sim/swarm/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/run/process_pool.h"
#include "sim/run/simulation.h"

namespace mpquic::sim::swarm {
namespace {

/// A case has less than a million.
constexpr std::uint64_t kMostEvents = 20'000'000;
/// Of wall time, for a case that no simulated limit ends.
constexpr unsigned kHangSeconds = 120;
constexpr std::size_t kKeptViolations = 5;

[[nodiscard]] std::string encode(const Outcome& outcome) {
  return nlohmann::json{outcome.seed, outcome.hash, outcome.events, outcome.violations}.dump();
}

[[nodiscard]] Outcome decode(const std::string& text) {
  const auto in = nlohmann::json::parse(text);
  return {.seed = in[0].get<std::uint64_t>(),
          .hash = in[1].get<std::uint64_t>(),
          .events = in[2].get<std::uint64_t>(),
          .violations = in[3].get<std::vector<std::string>>()};
}

}  // namespace

std::string kind_of(const Outcome& outcome) {
  if (!outcome.failed()) return {};
  std::string kind = outcome.violations.front();
  if (const auto at = kind.find(" s: "); at != std::string::npos) kind.erase(0, at + 4);
  // Which side notices first depends on little.
  for (const std::string_view side : {"client: ", "server: "})
    if (kind.starts_with(side)) kind.erase(0, side.size());
  std::erase_if(kind, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return kind;
}

Outcome run_here(const Case& drawn) {
  Outcome outcome{.seed = drawn.seed};
  const auto scenario = to_scenario(drawn);
  if (!scenario) {
    outcome.violations = {"no scenario: " + scenario.error()};
    return outcome;
  }
  Simulation simulation(*scenario, {.seed = drawn.seed});
  simulation.start();
  while (outcome.events < kMostEvents && simulation.step()) ++outcome.events;
  if (outcome.events == kMostEvents)
    simulation.violations().add(simulation.world().now(), "more events than any run needs");
  const Report report = simulation.finish(0);
  outcome.hash = report.trace_hash;
  for (const Violation& violation : report.violations) {
    if (outcome.violations.size() == kKeptViolations) break;
    outcome.violations.push_back(
        fmt::format("{:.6f} s: {}", to_seconds(violation.at.time_since_epoch()), violation.what));
  }
  return outcome;
}

std::vector<Outcome> run_all(const Batch& batch) {
  std::vector<Outcome> outcomes(batch.count);
  run_in_processes({.count = batch.count,
                    .processes = batch.jobs,
                    .hang_seconds = kHangSeconds,
                    .run = [&](std::size_t i) { return encode(run_here(batch.make(i))); },
                    .done =
                        [&](std::size_t i, const std::string& result) {
                          outcomes[i] = decode(result);
                          batch.done(outcomes[i]);
                        },
                    .died =
                        [&](std::size_t i, const std::string& why) {
                          outcomes[i] = {.seed = batch.make(i).seed, .violations = {why}};
                          batch.done(outcomes[i]);
                        }});
  return outcomes;
}

Outcome run_apart(const Case& drawn) {
  return run_all({.count = 1, .jobs = 1, .make = [&](std::size_t) { return drawn; }, .done = [](const Outcome&) {}})
      .front();
}

}  // namespace mpquic::sim::swarm
