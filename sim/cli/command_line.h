// What the command lines of mpquic-sim and mpquic-ns3 have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run/run_command.h"

namespace mpquic::sim {

/// The scenario, and where its name is looked for.
void add_scenario_options(CLI::App& command, std::string& scenario);
/// The file of what add_scenario_options() took. The error is one line.
[[nodiscard]] std::expected<std::string, std::string> scenario_named(const std::string& scenario);
/// What a run prints and leaves: tables, JSON, pictures, traces.
void add_report_options(CLI::App& command, RunRequest& request);

/// Parses it. The exit code where the program is over: after --help, or after one line that says what is wrong.
[[nodiscard]] std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv);

/// "; did you mean NAME?" with the known word that is nearest to `word`. Empty where none is near.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace mpquic::sim
