#include "sim/cli/seeds.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/standard_output.h"
#include "sim/cli/commands.h"
#include "sim/run/process_pool.h"
#include "sim/run/progress_line.h"
#include "sim/run/seed_figures.h"
#include "sim/trace/output_file.h"

namespace mpquic::sim {
namespace {

/// In a process of its own.
[[nodiscard]] SeedOutcome run_seed(const Arguments& arguments, std::uint64_t seed) {
  auto setup = prepare(arguments, seed);
  if (!setup) return {.seed = seed, .violation = setup.error()};
  setup->settle(setup->scenario);
  auto report = run_traced(*setup, {});
  if (!report) return {.seed = seed, .violation = report.error()};
  setup->describe(*report);
  SeedOutcome outcome{.seed = seed,
                      .passed = report->passed(),
                      .hash = report->trace_hash,
                      .figures = headline_figures(*report),
                      .violation = {},
                      .replay = replay_command(*report)};
  if (!report->violations.empty()) {
    const Violation& first = report->violations.front();
    outcome.violation = fmt::format("{:.6f} s: {}", to_seconds(first.at.time_since_epoch()), first.what);
  }
  return outcome;
}

}  // namespace

int run_seeds(const Arguments& arguments) {
  const auto first = prepare(arguments, arguments.seed);  // what is wrong with it is said once
  if (!first) return complain(first.error());
  auto csv = OptionalOutput::open(arguments.csv);
  if (!csv) return complain(csv.error());
  std::vector<SeedOutcome> outcomes(arguments.seeds);
  const ProgressLine line;
  std::size_t over = 0;
  const auto keep = [&](std::size_t i, SeedOutcome outcome) {
    outcomes[i] = std::move(outcome);
    line.show(fmt::format("{}: {} of {} seeds", first->scenario.name, ++over, arguments.seeds));
  };
  run_in_processes({.count = arguments.seeds,
                    .processes = arguments.jobs == 0 ? default_processes() : arguments.jobs,
                    .run = [&](std::size_t i) { return encode(run_seed(arguments, arguments.seed + i)); },
                    .done = [&](std::size_t i, const std::string& result) { keep(i, decode_seed_outcome(result)); },
                    .died = [&](std::size_t i,
                                const std::string& why) { keep(i, {.seed = arguments.seed + i, .violation = why}); }});
  line.clear();
  const auto passed = static_cast<std::uint64_t>(std::ranges::count(outcomes, true, &SeedOutcome::passed));
  const bool shown = arguments.csv != kStandardOutput && (!arguments.request.quiet || passed < arguments.seeds);
  if (shown)
    fmt::print("{}  seeds {} to {}  crypto {}\n\n{}", first->scenario.name, arguments.seed,
               arguments.seed + arguments.seeds - 1, name_of(first->scenario.crypto), seeds_table(outcomes));
  if (auto written = csv->finish([&] { return seeds_csv(outcomes); }); !written) return complain(written.error());
  return passed == arguments.seeds ? kOk : kViolated;
}

}  // namespace mpquic::sim
