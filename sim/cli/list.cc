#include <fmt/format.h>

#include <algorithm>

#include "sim/cli/commands.h"
#include "sim/scenario/scenario_files.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

constexpr const char* kListExamples =
    "Examples:\n"
    "  mpquic-sim list\n"
    "  mpquic-sim list my-scenarios\n\n"
    "Names are looked for in the directory that --scenario-dir or the environment's MPQUIC_SCENARIOS names, in "
    "scenarios/\n"
    "here, in the source tree that this program was built from, and in share/mpquic/scenarios beside it.\n";

}  // namespace

CLI::App* add_list_command(CLI::App& app, Arguments& arguments) {
  CLI::App* command = app.add_subcommand("list", "List the scenarios and what each protects");
  command->add_option("directory", arguments.directory, "Only those of this directory");
  command->footer(std::string(kListExamples) + "\n" + kExitStatus);
  return command;
}

int list(const Arguments& arguments) {
  std::vector<std::filesystem::path> files;
  if (arguments.directory.empty()) {
    files = scenario_files();
    if (files.empty()) return complain("no scenarios are to be found; --help says where they are looked for");
  } else {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(arguments.directory, error))
      if (entry.path().extension() == ".yaml") files.push_back(entry.path());
    if (error) return complain(fmt::format("{}: {}", arguments.directory, error.message()));
    std::ranges::sort(files);
  }
  int status = kOk;
  for (const auto& file : files) {
    const auto scenario = load_scenario(file.string());
    if (scenario)
      fmt::print("{:<24} {}\n", scenario->name, scenario->protects);
    else
      status = complain(scenario.error());
  }
  return status;
}

}  // namespace mpquic::sim
