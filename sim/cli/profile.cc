#include <fmt/format.h>

#include "sim/cli/commands.h"

namespace mpquic::sim {

namespace {

constexpr const char* kProfileExamples =
    "Examples:\n"
    "  mpquic-sim profile starlink\n"
    "  mpquic-sim profile lte-driving --duration 300s --seed 5 --plot lte.svg --json lte.json\n";

}  // namespace

CLI::App* add_profile_command(CLI::App& app, ProfileRequest& request) {
  CLI::App* command = app.add_subcommand("profile", "Probe a profile of an access network");
  command->add_option("name", request.name, "One of scenarios/wan/, or a file")->required();
  add_seed_option(*command, "--seed", request.seed, "Everything random follows from it");
  command->add_option("--duration", request.duration, "Of simulated time")->capture_default_str();
  command->add_option("--plot", request.plot, "Draw rates and round trips into this .svg file");
  command->add_option("--json", request.json,
                      "Write all samples to this file; -: to standard output, instead of the table");
  command->footer(std::string(kProfileExamples) + "\n" + kExitStatus);
  return command;
}

int profile(const ProfileRequest& request) {
  const auto text = describe_profile(request);
  if (!text) return complain(text.error());
  fmt::print("{}", *text);
  return kOk;
}

}  // namespace mpquic::sim
