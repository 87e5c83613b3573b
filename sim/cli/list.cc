#include <fmt/format.h>

#include <algorithm>

#include "sim/cli/commands.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

constexpr const char* kListExamples =
    "Examples:\n"
    "  mpquic-sim list\n"
    "  mpquic-sim list my-scenarios\n";

}  // namespace

CLI::App* add_list_command(CLI::App& app, Arguments& arguments) {
  CLI::App* command = app.add_subcommand("list", "List the scenarios and what each protects");
  command->add_option("directory", arguments.directory, "Where the scenario files are")->capture_default_str();
  command->footer(std::string(kListExamples) + "\n" + kExitStatus);
  return command;
}

int list(const Arguments& arguments) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(arguments.directory, error))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  if (error) return complain(fmt::format("{}: {}", arguments.directory, error.message()));
  std::ranges::sort(files);
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
