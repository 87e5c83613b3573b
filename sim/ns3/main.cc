// mpquic-ns3: runs scenarios of mpquic-sim in ns-3. `mpquic-sim run ... --engine ns3` starts it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "sim/best_path.h"
#include "sim/failure_kit.h"
#include "sim/ns3/network.h"
#include "sim/scenario/scenario_loader.h"
#include "sim/simulation.h"
#include "sim/standard_output.h"
#include "sim/trace/cli.h"
#include "sim/trace/tracing.h"

namespace mpquic::sim {
namespace {

enum ExitCode : int { kOk = 0, kViolated = 1, kUsage = 2 };

constexpr const char* kExamples =
    "Examples:\n"
    "  mpquic-sim run six-wan-bulk --engine ns3 --seed 7\n"
    "  mpquic-sim run six-wan-bulk --engine ns3 --set ns3.links=ns3\n"
    "  mpquic-sim run ns3-shared-bottleneck --engine ns3 --pcap-dir out/ --flow-monitor out/flows.xml\n\n"
    "Exit status: 0 all checks hold, 1 an invariant or assertion is violated, 2 wrong usage or scenario.";

struct Arguments {
  std::string scenario;
  std::string json;
  std::string crypto;
  std::vector<std::string> overrides;
  bool quiet = false;
  TraceOptions trace;
  Ns3Options ns3;
};

[[nodiscard]] int complain(const std::string& what) {
  fmt::print(stderr, "mpquic-ns3: {}\n", what);
  return kUsage;
}

[[nodiscard]] std::string find_file(const std::string& scenario) {
  if (std::filesystem::is_regular_file(scenario)) return scenario;
  const auto named = std::filesystem::path("scenarios") / (scenario + ".yaml");
  return std::filesystem::exists(named) ? named.string() : scenario;
}

[[nodiscard]] bool writable(const std::string& file) { return static_cast<bool>(std::ofstream(file)); }

/// ns-3 ends the process when it cannot write.
[[nodiscard]] std::expected<void, std::string> prepare(const Ns3Options& options) {
  std::error_code error;
  if (!options.pcap.empty()) std::filesystem::create_directories(options.pcap, error);
  if (error) return std::unexpected(fmt::format("{}: {}", options.pcap, error.message()));
  if (!options.flow_monitor.empty() && !writable(options.flow_monitor))
    return std::unexpected(fmt::format("{}: cannot be written", options.flow_monitor));
  return {};
}

[[nodiscard]] std::expected<Report, std::string> run_once(const Scenario& scenario, const Ns3Options& ns3,
                                                          const TraceOptions& trace) {
  if (auto prepared = prepare(ns3); !prepared) return std::unexpected(std::move(prepared).error());
  auto tracing = Tracing::open(trace, scenario, ns3.seed);
  if (!tracing) return std::unexpected(std::move(tracing).error());
  Ns3Network network(scenario, ns3);
  SimulationOptions options;
  options.seed = ns3.seed;
  options.carrier = &network;
  (*tracing)->attach(options);
  Report report = Simulation(scenario, options).run();
  network.finish();
  if (auto closed = (*tracing)->close(); !closed) return std::unexpected(std::move(closed).error());
  return report;
}

/// A scenario that can be run as it stands. The error is one line.
[[nodiscard]] std::expected<Scenario, std::string> load(const Arguments& arguments) {
  std::vector<std::string> overrides = arguments.overrides;
  if (!arguments.crypto.empty()) overrides.push_back("crypto=" + arguments.crypto);
  auto scenario = load_scenario(find_file(arguments.scenario), overrides, arguments.ns3.seed);
  if (!scenario) return scenario;
  if (scenario->endpoints.any(EngineKind::ngtcp2))
    return std::unexpected(fmt::format("{}: engine ngtcp2: ns-3 carries our own engine only", scenario->source));
  settle_best_path(*scenario, [&](const Scenario& alone) {
    Ns3Network network(alone, {.seed = arguments.ns3.seed});
    Report report = Simulation(alone, {.seed = arguments.ns3.seed, .carrier = &network}).run();
    network.finish();
    return report;
  });
  return scenario;
}

[[nodiscard]] int run(const Arguments& arguments) {
  const auto scenario = load(arguments);
  if (!scenario) return complain(scenario.error());
  auto report = run_once(*scenario, arguments.ns3, arguments.trace);
  if (!report) return complain(report.error());
  report->overrides = arguments.overrides;
  report->engine_flags = " --engine ns3";
  if (!arguments.json.empty() && !write_text(arguments.json, to_json(*report)))
    return complain(fmt::format("{}: cannot be written", arguments.json));
  if (!arguments.quiet && arguments.json != kStandardOutput) fmt::print("{}", to_table(*report));
  if (report->passed()) return kOk;
  for (const Violation& violation : report->violations)
    if (arguments.quiet)
      fmt::print(stderr, "{:.6f} s: {}\n", to_seconds(violation.at.time_since_epoch()), violation.what);
  fmt::print(stderr, "{}",
             keep_evidence({.scenario = *scenario,
                            .report = *report,
                            .traced = arguments.trace,
                            .again = [&](const TraceOptions& trace) {
                              return run_once(*scenario, {.seed = arguments.ns3.seed}, trace);
                            }}));
  return kViolated;
}

void add_options(CLI::App& command, Arguments& arguments) {
  command.add_option("scenario", arguments.scenario, "A scenario file, or the name of one in scenarios/")->required();
  command.add_option("--seed", arguments.ns3.seed, "Everything random follows from it")->capture_default_str();
  command.add_option("--json", arguments.json,
                     "Write the report to this file as well; -: to standard output, instead of the table");
  add_trace_options(command, arguments.trace);
  command.add_option("--pcap-dir", arguments.ns3.pcap, "Write what each of ns-3's devices sees to this directory");
  command.add_option("--flow-monitor", arguments.ns3.flow_monitor, "Write FlowMonitor's statistics to this XML file");
  command.add_option("--crypto", arguments.crypto, "real: TLS 1.3 and AEADs. null: neither, for speed")
      ->check(CLI::IsMember({"real", "null"}));
  command.add_option("--set", arguments.overrides, "Override a value of the scenario, like ns3.tcp.flows=4")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_flag("--quiet", arguments.quiet, "Print nothing unless something is wrong");
  command.footer(kExamples);
}

[[nodiscard]] int run_program(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Runs scenarios over the multipath QUIC stack in ns-3. This program is GPLv2, as ns-3 is.",
               "mpquic-ns3");
  app.set_version_flag("--version", std::string(MPQUIC_VERSION));
  app.require_subcommand(1);
  add_options(*app.add_subcommand("run", "Run one scenario"), arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return complain(error.what());
  }
  return run(arguments);
}

}  // namespace
}  // namespace mpquic::sim

int main(int argc, char** argv) {
  using namespace mpquic::sim;
  return run_checked("mpquic-ns3", [&] { return run_program(argc, argv); });
}
