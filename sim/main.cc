// mpquic-sim: runs scenarios in the discrete-event simulator.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "sim/profile_command.h"
#include "sim/scenario_loader.h"
#include "sim/simulation.h"
#include "sim/trace/cli.h"
#include "sim/trace/tracing.h"

namespace mpquic::sim {
namespace {

enum ExitCode : int { kOk = 0, kViolated = 1, kUsage = 2 };

constexpr const char* kRunExamples =
    "Examples:\n"
    "  mpquic-sim run six-wan-bulk --seed 7\n"
    "  mpquic-sim run six-wan-bulk --seed 7 --set endpoints.cc=cubic --set paths.0.rate=5Mbit/s\n"
    "  mpquic-sim run scenarios/unequal-six.yaml --json report.json --qlog out/\n";
constexpr const char* kReplayExamples =
    "Examples:\n"
    "  mpquic-sim replay silent-death --seed 41 --qlog out/\n"
    "  mpquic-sim replay silent-death --seed 41 --set events.0.at=900ms\n";
constexpr const char* kListExamples =
    "Examples:\n"
    "  mpquic-sim list\n"
    "  mpquic-sim list my-scenarios\n";
constexpr const char* kExitStatus =
    "Exit status: 0 all checks hold, 1 an invariant or assertion is violated, 2 wrong usage or scenario.";

struct Arguments {
  std::string scenario;
  std::uint64_t seed = 1;
  std::string json;
  TraceOptions trace;
  std::string crypto;
  std::vector<std::string> overrides;
  bool quiet = false;
  std::string directory = "scenarios";
};

[[nodiscard]] int complain(const std::string& what) {
  fmt::print(stderr, "mpquic-sim: {}\n", what);
  return kUsage;
}

/// A file, or the name of one in scenarios/.
[[nodiscard]] std::string find_file(const Arguments& arguments) {
  if (std::filesystem::is_regular_file(arguments.scenario)) return arguments.scenario;
  const auto named = std::filesystem::path(arguments.directory) / (arguments.scenario + ".yaml");
  return std::filesystem::exists(named) ? named.string() : arguments.scenario;
}

[[nodiscard]] bool write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  return static_cast<bool>(out.flush());
}

/// The error is one line.
[[nodiscard]] std::expected<Report, std::string> run_once(const Scenario& scenario, std::uint64_t seed,
                                                          const TraceOptions& trace) {
  auto tracing = Tracing::open(trace, scenario, seed);
  if (!tracing) return std::unexpected(std::move(tracing).error());
  SimulationOptions options;
  options.seed = seed;
  (*tracing)->attach(options);
  Report report = Simulation(scenario, options).run();
  if (auto closed = (*tracing)->close(); !closed) return std::unexpected(std::move(closed).error());
  return report;
}

/// What a failure leaves behind. The run is repeated with qlogs if it had none: it is the same run, bit for bit.
void keep_evidence(const Scenario& scenario, const Report& report, const std::string& qlog) {
  const auto directory = fmt::format("out/{}-{}", scenario.name, report.seed);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (qlog.empty()) {
    if (const auto again = run_once(scenario, report.seed, {.qlog = directory}); !again)
      fmt::print(stderr, "mpquic-sim: {}\n", again.error());
  }
  if (!write_file(std::filesystem::path(directory) / "report.json", to_json(report)) ||
      !write_file(std::filesystem::path(directory) / "scenario.yaml", scenario.resolved + "\n"))
    fmt::print(stderr, "mpquic-sim: cannot write to {}\n", directory);
  fmt::print(stderr, "\nFAILED. qlogs in {}. Repeat with:\n  {}\n", qlog.empty() ? directory : qlog,
             replay_command(report));
}

[[nodiscard]] int run(const Arguments& arguments) {
  std::vector<std::string> overrides = arguments.overrides;
  if (!arguments.crypto.empty()) overrides.push_back("crypto=" + arguments.crypto);
  const auto scenario = load_scenario(find_file(arguments), overrides);
  if (!scenario) return complain(scenario.error());
  auto report = run_once(*scenario, arguments.seed, arguments.trace);
  if (!report) return complain(report.error());
  report->overrides = arguments.overrides;
  if (!arguments.json.empty() && !write_file(arguments.json, to_json(*report)))
    return complain(fmt::format("{}: cannot be written", arguments.json));
  if (!arguments.quiet) fmt::print("{}", to_table(*report));
  if (report->passed()) return kOk;
  if (arguments.quiet)
    for (const Violation& violation : report->violations)
      fmt::print(stderr, "{:.6f} s: {}\n", to_seconds(violation.at.time_since_epoch()), violation.what);
  keep_evidence(*scenario, *report, arguments.trace.qlog);
  return kViolated;
}

[[nodiscard]] int list(const Arguments& arguments) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(arguments.directory, error))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  if (error) return complain(fmt::format("{}: {}", arguments.directory, error.message()));
  std::ranges::sort(files);
  for (const auto& file : files) {
    const auto scenario = load_scenario(file.string());
    if (!scenario) return complain(scenario.error());
    fmt::print("{:<18} {}\n", scenario->name, scenario->protects);
  }
  return kOk;
}

[[nodiscard]] int profile(const ProfileRequest& request) {
  const auto text = describe_profile(request);
  if (!text) return complain(text.error());
  fmt::print("{}", *text);
  return kOk;
}

void add_profile_options(CLI::App& command, ProfileRequest& request) {
  command.add_option("name", request.name, "One of scenarios/wan/, or a file")->required();
  command.add_option("--seed", request.seed, "Everything random follows from it")->capture_default_str();
  command.add_option("--duration", request.duration, "Of simulated time")->capture_default_str();
  command.add_option("--plot", request.plot, "Draw rates and round trips into this .svg file");
  command.add_option("--json", request.json, "Write all samples to this file");
}

/// For diff: this build's run of the scenario.
[[nodiscard]] std::expected<void, std::string> record(const DiffArguments& diff, const std::string& file) {
  Arguments arguments;
  arguments.scenario = diff.a;
  std::vector<std::string> overrides = diff.overrides;
  if (!diff.crypto.empty()) overrides.push_back("crypto=" + diff.crypto);
  const auto scenario = load_scenario(find_file(arguments), overrides);
  if (!scenario) return std::unexpected(scenario.error());
  if (auto report = run_once(*scenario, diff.seed, {.record = file}); !report)
    return std::unexpected(std::move(report).error());
  return {};
}

void add_run_options(CLI::App& command, Arguments& arguments) {
  command.add_option("scenario", arguments.scenario, "A scenario file, or the name of one in scenarios/")->required();
  command.add_option("--seed", arguments.seed, "Everything random follows from it")->capture_default_str();
  command.add_option("--json", arguments.json, "Write the report to this file as well");
  add_trace_options(command, arguments.trace);
  command.add_option("--crypto", arguments.crypto, "real: TLS 1.3 and AEADs. null: neither, for speed")
      ->check(CLI::IsMember({"real", "null"}));
  command.add_option("--set", arguments.overrides, "Override a value of the scenario, like paths.0.rate=5Mbit/s")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_flag("--quiet", arguments.quiet, "Print nothing unless something is wrong");
}

}  // namespace
}  // namespace mpquic::sim

int main(int argc, char** argv) {
  using namespace mpquic::sim;
  Arguments arguments;
  CLI::App app("Runs scenarios over the multipath QUIC stack in a deterministic simulator.", "mpquic-sim");
  app.set_version_flag("--version", std::string(MPQUIC_VERSION));
  app.require_subcommand(1);
  app.footer(std::string(kRunExamples) + "  mpquic-sim list\n\n" + kExitStatus);
  CLI::App* run_command = app.add_subcommand("run", "Run one scenario");
  add_run_options(*run_command, arguments);
  run_command->footer(std::string(kRunExamples) + "\n" + kExitStatus);
  CLI::App* replay_command = app.add_subcommand("replay", "Run it again: the same as run");
  add_run_options(*replay_command, arguments);
  replay_command->footer(std::string(kReplayExamples) + "\n" + kExitStatus);
  CLI::App* list_command = app.add_subcommand("list", "List the scenarios and what each protects");
  list_command->add_option("directory", arguments.directory, "Where the scenario files are")->capture_default_str();
  list_command->footer(std::string(kListExamples) + "\n" + kExitStatus);
  ProfileRequest profile_request;
  CLI::App* profile_command = app.add_subcommand("profile", "Probe a profile of an access network");
  add_profile_options(*profile_command, profile_request);
  DiffArguments diff;
  const CLI::App* diff_command = add_diff_command(app, diff);
  QvisArguments qvis;
  const CLI::App* qvis_command = add_qvis_command(app, qvis);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return complain(error.what());
  }
  if (profile_command->parsed()) return profile(profile_request);
  if (diff_command->parsed()) return run_diff(diff, [&diff](const std::string& file) { return record(diff, file); });
  if (qvis_command->parsed()) return run_qvis(qvis);
  return list_command->parsed() ? list(arguments) : run(arguments);
}
