// mpquic-ns3: runs scenarios of mpquic-sim in ns-3. `mpquic-sim run ... --engine ns3` starts it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "sim/base/standard_output.h"
#include "sim/cli/command_line.h"
#include "sim/ns3/network.h"
#include "sim/run/best_path.h"
#include "sim/run/run_command.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"
#include "sim/trace/output_file.h"

namespace mpquic::sim {
namespace {

constexpr const char* kProgram = "mpquic-ns3";

constexpr const char* kExamples =
    "Examples:\n"
    "  mpquic-sim run six-wan-bulk --engine ns3 --seed 7\n"
    "  mpquic-sim run six-wan-bulk --engine ns3 --set ns3.links=ns3\n"
    "  mpquic-sim run ns3-shared-bottleneck --engine ns3 --pcap-dir out/ --flow-monitor out/flows.xml\n\n"
    "Exit status: 0 all checks hold, 1 an invariant or assertion is violated, 2 wrong usage or scenario.";

struct Arguments {
  std::string scenario;
  std::string crypto;
  std::vector<std::string> overrides;
  RunRequest request;
  Ns3Options ns3;
};

/// ns-3 ends the process when it cannot write.
[[nodiscard]] std::expected<void, std::string> prepare(const Ns3Options& options) {
  if (!options.pcap.empty())
    if (auto made = io::make_directories(options.pcap); !made) return std::unexpected(made.error().message);
  if (!options.flow_monitor.empty())
    if (auto file = OutputFile::create(options.flow_monitor); !file) return std::unexpected(file.error());
  return {};
}

/// A scenario that can be run as it stands. The error is one line.
[[nodiscard]] std::expected<Scenario, std::string> load(const Arguments& arguments) {
  std::vector<std::string> overrides = arguments.overrides;
  if (!arguments.crypto.empty()) overrides.push_back("crypto=" + arguments.crypto);
  const auto file = scenario_named(arguments.scenario);
  if (!file) return std::unexpected(file.error());
  auto scenario = load_scenario(*file, overrides, arguments.ns3.seed);
  if (!scenario) return scenario;
  if (scenario->endpoints.any(EngineKind::ngtcp2))
    return std::unexpected(fmt::format("{}: engine ngtcp2: ns-3 carries our own engine only", scenario->source));
  return scenario;
}

[[nodiscard]] int run(const Arguments& arguments) {
  auto scenario = load(arguments);
  if (!scenario) return complain(kProgram, scenario.error());
  if (auto prepared = prepare(arguments.ns3); !prepared) return complain(kProgram, prepared.error());
  const auto simulate = [](const Scenario& run, const Ns3Options& ns3, const Instruments* instruments) {
    Ns3Network network(run, ns3);
    SimulationOptions options;
    options.seed = ns3.seed;
    options.carrier = &network;
    if (instruments != nullptr) instruments->attach(options);
    Simulation simulation(run, options);
    Report report = instruments == nullptr ? simulation.run() : instruments->drive(simulation);
    network.finish();
    return report;
  };
  bool first = true;  // what the devices see is kept of the run that was asked for
  RunSetup setup{.program = kProgram, .scenario = std::move(*scenario), .seed = arguments.ns3.seed};
  setup.settle = [&](Scenario& settled) {
    settle_best_path(settled,
                     [&](const Scenario& alone) { return simulate(alone, {.seed = arguments.ns3.seed}, nullptr); });
  };
  setup.simulate = [&](const Scenario& settled, const Instruments& instruments) {
    return simulate(settled, std::exchange(first, false) ? arguments.ns3 : Ns3Options{.seed = arguments.ns3.seed},
                    &instruments);
  };
  setup.describe = [&](Report& report) {
    report.overrides = arguments.overrides;
    report.engine_flags = " --engine ns3";
  };
  return run_and_report(arguments.request, std::move(setup));
}

void add_options(CLI::App& command, Arguments& arguments) {
  add_scenario_options(command, arguments.scenario);
  command.add_option("--seed", arguments.ns3.seed, "Everything random follows from it")->capture_default_str();
  add_report_options(command, arguments.request);
  command.add_option("--pcap-dir", arguments.ns3.pcap, "Write what each of ns-3's devices sees to this directory");
  command.add_option("--flow-monitor", arguments.ns3.flow_monitor, "Write FlowMonitor's statistics to this XML file");
  command.add_option("--crypto", arguments.crypto, "real: TLS 1.3 and AEADs. null: neither, for speed")
      ->check(CLI::IsMember({"real", "null"}));
  command.add_option("--set", arguments.overrides, "Override a value of the scenario, like ns3.tcp.flows=4")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.footer(kExamples);
}

[[nodiscard]] int run_program(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Runs scenarios over the multipath QUIC stack in ns-3. This program is GPLv2, as ns-3 is.", kProgram);
  app.set_version_flag("--version", std::string(MPQUIC_VERSION));
  app.require_subcommand(1);
  add_options(*app.add_subcommand("run", "Run one scenario"), arguments);
  if (const auto over = parse_command_line(app, argc, argv)) return *over;
  return run(arguments);
}

}  // namespace
}  // namespace mpquic::sim

int main(int argc, char** argv) {
  using namespace mpquic::sim;
  return run_checked(kProgram, [&] { return run_program(argc, argv); });
}
