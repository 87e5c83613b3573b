#include <fmt/format.h>

#include "sim/cli/commands.h"

namespace mpquic::sim {

CLI::App* add_profile_command(CLI::App& app, ProfileRequest& request) {
  CLI::App* command = app.add_subcommand("profile", "Probe a profile of an access network");
  command->add_option("name", request.name, "One of scenarios/wan/, or a file")->required();
  command->add_option("--seed", request.seed, "Everything random follows from it")->capture_default_str();
  command->add_option("--duration", request.duration, "Of simulated time")->capture_default_str();
  command->add_option("--plot", request.plot, "Draw rates and round trips into this .svg file");
  command->add_option("--json", request.json, "Write all samples to this file");
  return command;
}

int profile(const ProfileRequest& request) {
  const auto text = describe_profile(request);
  if (!text) return complain(text.error());
  fmt::print("{}", *text);
  return kOk;
}

}  // namespace mpquic::sim
