// The subcommands of mpquic-sim: each adds itself to the program, and gives the exit code once it was chosen. Those of
// traces stand in sim/cli/traces.h.
#pragma once

#include <CLI/CLI.hpp>
#include <expected>
#include <string>

#include "sim/cli/arguments.h"
#include "sim/cli/traces.h"
#include "sim/run/profile_command.h"
#include "sim/swarm/command.h"

namespace mpquic::sim {

/// run, and replay, which is the same.
void add_run_commands(CLI::App& app, Arguments& arguments);
[[nodiscard]] int run(const Arguments& arguments);
/// A run of the scenario that can go ahead. Refers to `arguments`. The error is one line.
[[nodiscard]] std::expected<RunSetup, std::string> prepare(const Arguments& arguments, std::uint64_t seed);
/// For diff: this build's run of the scenario.
[[nodiscard]] std::expected<void, std::string> record(const DiffArguments& diff, const std::string& file);

[[nodiscard]] CLI::App* add_compare_command(CLI::App& app, Arguments& arguments);
[[nodiscard]] int compare(const Arguments& arguments);

[[nodiscard]] CLI::App* add_list_command(CLI::App& app, Arguments& arguments);
[[nodiscard]] int list(const Arguments& arguments);

[[nodiscard]] CLI::App* add_profile_command(CLI::App& app, ProfileRequest& request);
[[nodiscard]] int profile(const ProfileRequest& request);

[[nodiscard]] CLI::App* add_swarm_command(CLI::App& app, swarm::Arguments& arguments);

}  // namespace mpquic::sim
