#include <fmt/format.h>

#include <filesystem>

#include "sim/cli/command_line.h"
#include "sim/cli/commands.h"
#include "sim/cli/huge_pages.h"
#include "sim/cli/seeds.h"
#include "sim/run/best_path.h"
#include "sim/run/run_command.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

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

void describe(const Arguments& arguments, Report& report) {
  report.overrides = arguments.overrides;
  // `./dev replay` may be called from anywhere; by name it finds the repository's.
  const bool is_file = report.source == arguments.scenario;
  report.source = is_file ? std::filesystem::absolute(report.source).string() : arguments.scenario;
  if (!arguments.engine.empty()) report.engine_flags += fmt::format(" --engine {}", arguments.engine);
  if (!arguments.baseline.empty()) report.engine_flags += fmt::format(" --baseline '{}'", arguments.baseline);
}

void add_run_options(CLI::App& command, Arguments& arguments) {
  add_common_options(command, arguments);
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
  add_report_options(command, arguments.request);
  CLI::Option* seeds = command
                           .add_option("--seeds", arguments.seeds,
                                       "Run so many seeds, from --seed on, and print percentiles of the figures")
                           ->check(CLI::Range(std::uint64_t{1}, kMostSeeds));
  command
      .add_option("--csv", arguments.csv,
                  "With --seeds: a line for each seed; -: to standard output, without the table")
      ->type_name("FILE")
      ->needs(seeds);
  command.add_option("--jobs,-j", arguments.jobs, "With --seeds: processes at a time (default: one per core)")
      ->check(CLI::Range(1, 1024))
      ->needs(seeds);
  for (const char* one_run : {"--json", "--plot", "--qlog", "--pcap", "--keylog", "--record", "--explain"})
    seeds->excludes(command.get_option(one_run));
}

}  // namespace

std::expected<RunSetup, std::string> prepare(const Arguments& arguments, std::uint64_t seed) {
  const auto file = scenario_named(arguments.scenario);
  if (!file) return std::unexpected(file.error());
  auto scenario = load_scenario(*file, overrides_of(arguments), seed);
  if (!scenario) return std::unexpected(std::move(scenario).error());
  if (auto why = obstacle(*scenario, options_for(seed, false))) return std::unexpected(std::move(*why));
  if (scenario->endpoints.any(EngineKind::ngtcp2) && wants_null_crypto(arguments))
    return std::unexpected(kNoNullCrypto);
  RunSetup setup{.program = kProgram, .scenario = std::move(*scenario), .seed = seed};
  setup.settle = [seed](Scenario& settled) {
    settle_best_path(settled,
                     [seed](const Scenario& alone) { return Simulation(alone, options_for(seed, false)).run(); });
  };
  setup.simulate = [seed, judge = is_judged(arguments)](const Scenario& settled, const Instruments& instruments) {
    SimulationOptions options = options_for(seed, judge);
    instruments.attach(options);
    Simulation simulation(settled, options);
    return instruments.drive(simulation);
  };
  setup.describe = [&arguments](Report& report) { describe(arguments, report); };
  return setup;
}

void add_run_commands(CLI::App& app, Arguments& arguments) {
  CLI::App* run_command = app.add_subcommand("run", "Run one scenario");
  add_run_options(*run_command, arguments);
  run_command->footer(std::string(kRunExamples) + "\n" + kExitStatus);
  CLI::App* replay_command = app.add_subcommand("replay", "Run it again: the same as run");
  add_run_options(*replay_command, arguments);
  replay_command->footer(std::string(kReplayExamples) + "\n" + kExitStatus);
}

int run(const Arguments& arguments) {
  if (arguments.seeds > 0) return run_seeds(arguments);
  prefer_huge_pages();
  auto setup = prepare(arguments, arguments.seed);
  if (!setup) return complain(setup.error());
  return run_and_report(arguments.request, std::move(*setup));
}

std::expected<void, std::string> record(const DiffArguments& diff, const std::string& file) {
  Arguments arguments;
  arguments.scenario = diff.a;
  arguments.seed = diff.seed;
  arguments.crypto = diff.crypto;
  arguments.overrides = diff.overrides;
  auto setup = prepare(arguments, diff.seed);
  if (!setup) return std::unexpected(std::move(setup).error());
  setup->settle(setup->scenario);
  if (auto report = run_traced(*setup, {.record = file}); !report) return std::unexpected(std::move(report).error());
  return {};
}

}  // namespace mpquic::sim
