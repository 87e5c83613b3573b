#include "sim/cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "sim/base/standard_output.h"
#include "sim/cli/traces.h"
#include "sim/scenario/scenario_files.h"

namespace mpquic::sim {
namespace {

constexpr std::size_t kShortWord = 3;

/// Levenshtein's: insertions, deletions and replacements of letters.
[[nodiscard]] std::size_t distance_of(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

[[nodiscard]] std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

[[nodiscard]] std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

[[nodiscard]] std::string unknown_option(const CLI::App& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  return fmt::format("no option '{}'{}", name, did_you_mean(name, options_of(command)));
}

/// What is wrong with the words that nobody took, if that is it.
[[nodiscard]] std::string about_extras(const CLI::App& command) {
  const std::vector<std::string> extras = command.remaining();
  const auto option = std::ranges::find_if(extras, [](const std::string& word) { return word.starts_with('-'); });
  if (option != extras.end()) return unknown_option(command, *option);
  return extras.empty() ? "" : fmt::format("'{}' is one word too many", extras.front());
}

/// One line. CLI11's own messages name neither the command nor, of a command, the word that it does not know.
[[nodiscard]] std::string message_of(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const auto parsed = app.get_subcommands();
  if (parsed.empty()) {
    const std::string word = argc > 1 ? argv[1] : "";
    if (word.empty()) return fmt::format("which command? One of {}", fmt::join(commands_of(app), ", "));
    if (word.starts_with('-')) return unknown_option(app, word);
    return fmt::format("no command '{}'{}", word, did_you_mean(word, commands_of(app)));
  }
  const CLI::App& command = *parsed.front();
  std::string what = about_extras(app);
  if (what.empty()) what = about_extras(command);
  if (what.empty()) what = error.what();
  std::ranges::replace(what, '\n', ' ');
  return fmt::format("{}: {}", command.get_name(), what);
}

}  // namespace

void add_scenario_options(CLI::App& command, std::string& scenario) {
  command.add_option("scenario", scenario, "A scenario file, or a name that `mpquic-sim list` shows")->required();
  command
      .add_option_function<std::string>(
          "--scenario-dir",
          [](const std::string& directory) {
            if (!std::filesystem::is_directory(directory))
              throw CLI::ValidationError("--scenario-dir", directory + " is no directory");
            // For this program and those that it starts.
            ::setenv(kScenariosVariable, directory.c_str(), 1);
          },
          fmt::format("Where names of scenarios and profiles are looked for first (environment: {})",
                      kScenariosVariable))
      ->type_name("DIR");
}

std::expected<std::string, std::string> scenario_named(const std::string& scenario) {
  std::string file = find_scenario(scenario);
  if (std::filesystem::exists(file)) return file;
  if (scenario.find_first_of("./") != std::string::npos)
    return std::unexpected(fmt::format("{}: there is no such file", scenario));
  std::vector<std::string> names;
  for (const auto& known : scenario_files()) names.push_back(known.stem().string());
  const std::string hint = did_you_mean(scenario, names);
  return std::unexpected(
      fmt::format("no scenario '{}'{}", scenario, hint.empty() ? "; `mpquic-sim list` shows their names" : hint));
}

void add_report_options(CLI::App& command, RunRequest& request) {
  command
      .add_option("--json", request.json,
                  "Write the report to this file as well; -: to standard output, instead of the table")
      ->type_name("FILE");
  command
      .add_option("--plot", request.plot,
                  "Draw goodput, RTT, congestion window and queue of each path over time into this .svg file")
      ->type_name("FILE");
  add_trace_options(command, request.trace);
  command.add_flag("--explain", request.explain, "Also say what each figure of the table means");
  command.add_flag("--quiet", request.quiet, "Print nothing unless something is wrong");
}

std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return complain(app.get_name(), message_of(app, error, argc, argv));
  }
  return std::nullopt;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto distance = [&](const std::string& name) { return distance_of(word, name); };
  const auto nearest = std::ranges::min_element(known, {}, distance);
  // Two letters that changed places are two that are wrong; more than a third of a long word's are another word.
  const std::size_t most = word.size() <= kShortWord ? 1 : std::max<std::size_t>(2, word.size() / 3);
  if (nearest == known.end() || distance(*nearest) > most) return "";
  return fmt::format("; did you mean {}?", *nearest);
}

}  // namespace mpquic::sim
