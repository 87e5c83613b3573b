#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "sim/best_path.h"
#include "sim/cli/commands.h"
#include "sim/cli/huge_pages.h"
#include "sim/failure_kit.h"
#include "sim/scenario/scenario_loader.h"
#include "sim/simulation.h"
#include "sim/standard_output.h"

namespace mpquic::sim {
namespace {

constexpr const char* kReplayExamples =
    "Examples:\n"
    "  mpquic-sim replay silent-death --seed 41 --qlog out/\n"
    "  mpquic-sim replay silent-death --seed 41 --set events.0.at=900ms\n";

/// Another engine or baseline than the file's is not held to the file's assertions.
[[nodiscard]] bool is_judged(const Arguments& arguments) {
  return arguments.engine.empty() && arguments.baseline.empty();
}

[[nodiscard]] SimulationOptions options_for(std::uint64_t seed, bool judge) {
  SimulationOptions options;
  options.seed = seed;
  options.ngtcp2 = ngtcp2();
  options.judge = judge;
  return options;
}

/// A scenario that can be run as it stands. The error is one line.
[[nodiscard]] std::expected<Scenario, std::string> prepare(const Arguments& arguments) {
  auto scenario = load_scenario(find_file(arguments), overrides_of(arguments), arguments.seed);
  if (!scenario) return scenario;
  const SimulationOptions options = options_for(arguments.seed, false);
  if (auto why = obstacle(*scenario, options)) return std::unexpected(std::move(*why));
  if (scenario->endpoints.any(EngineKind::ngtcp2) && wants_null_crypto(arguments))
    return std::unexpected(kNoNullCrypto);
  settle_best_path(*scenario, [&](const Scenario& alone) { return Simulation(alone, options).run(); });
  return scenario;
}

/// The error is one line.
[[nodiscard]] std::expected<Report, std::string> run_once(const Scenario& scenario, std::uint64_t seed,
                                                          const TraceOptions& trace, bool judge) {
  auto tracing = Tracing::open(trace, scenario, seed);
  if (!tracing) return std::unexpected(std::move(tracing).error());
  SimulationOptions options = options_for(seed, judge);
  (*tracing)->attach(options);
  Report report = Simulation(scenario, options).run();
  if (auto closed = (*tracing)->close(); !closed) return std::unexpected(std::move(closed).error());
  return report;
}

void add_run_options(CLI::App& command, Arguments& arguments) {
  add_common_options(command, arguments);
  command.add_option("--json", arguments.json,
                     "Write the report to this file as well; -: to standard output, instead of the table");
  // ns3 never gets here: become_ns3().
  command
      .add_option(
          "--engine", arguments.engine,
          "mpquic, ngtcp2: whose QUIC runs on both sides, on the best single WAN if not ours. ns3: ours, in ns-3")
      ->check(CLI::IsMember({"mpquic", "ngtcp2", "ns3"}));
  command.add_option(
      "--baseline", arguments.baseline,
      "Without multipath: best_path (every single WAN is tried, the first one done is taken), 'path NAME', "
      "per_path (a connection each); or none");
  add_trace_options(command, arguments.trace);
  command.add_flag("--quiet", arguments.quiet, "Print nothing unless something is wrong");
}

}  // namespace

void add_run_commands(CLI::App& app, Arguments& arguments) {
  CLI::App* run_command = app.add_subcommand("run", "Run one scenario");
  add_run_options(*run_command, arguments);
  run_command->footer(std::string(kRunExamples) + "\n" + kExitStatus);
  CLI::App* replay_command = app.add_subcommand("replay", "Run it again: the same as run");
  add_run_options(*replay_command, arguments);
  replay_command->footer(std::string(kReplayExamples) + "\n" + kExitStatus);
}

int run(const Arguments& arguments) {
  prefer_huge_pages();
  const auto scenario = prepare(arguments);
  if (!scenario) return complain(scenario.error());
  auto report = run_once(*scenario, arguments.seed, arguments.trace, is_judged(arguments));
  if (!report) return complain(report.error());
  report->overrides = arguments.overrides;
  // `./dev replay` may be called from anywhere; by name it finds the repository's.
  const bool is_file = report->source == arguments.scenario;
  report->source = is_file ? std::filesystem::absolute(report->source).string() : arguments.scenario;
  if (!arguments.engine.empty()) report->engine_flags += fmt::format(" --engine {}", arguments.engine);
  if (!arguments.baseline.empty()) report->engine_flags += fmt::format(" --baseline '{}'", arguments.baseline);
  if (!arguments.json.empty() && !write_text(arguments.json, to_json(*report)))
    return complain(fmt::format("{}: cannot be written", arguments.json));
  if (!arguments.quiet && arguments.json != kStandardOutput) fmt::print("{}", to_table(*report));
  if (report->passed()) return kOk;
  if (arguments.quiet)
    for (const Violation& violation : report->violations)
      fmt::print(stderr, "{:.6f} s: {}\n", to_seconds(violation.at.time_since_epoch()), violation.what);
  fmt::print(stderr, "{}",
             keep_evidence({.scenario = *scenario,
                            .report = *report,
                            .traced = arguments.trace,
                            .again = [&](const TraceOptions& trace) {
                              return run_once(*scenario, arguments.seed, trace, is_judged(arguments));
                            }}));
  return kViolated;
}

std::expected<void, std::string> record(const DiffArguments& diff, const std::string& file) {
  Arguments arguments;
  arguments.scenario = diff.a;
  arguments.seed = diff.seed;
  arguments.crypto = diff.crypto;
  arguments.overrides = diff.overrides;
  const auto scenario = prepare(arguments);
  if (!scenario) return std::unexpected(scenario.error());
  if (auto report = run_once(*scenario, diff.seed, {.record = file}, true); !report)
    return std::unexpected(std::move(report).error());
  return {};
}

}  // namespace mpquic::sim
