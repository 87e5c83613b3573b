#include "sim/compare.h"

#include <fmt/format.h>

#include "sim/cli/commands.h"

namespace mpquic::sim {
namespace {

constexpr const char* kStandardOutput = "-";
constexpr const char* kCompareExamples =
    "Examples:\n"
    "  mpquic-sim compare six-wan-bulk\n"
    "  mpquic-sim compare lossy-lines --seed 3 --json\n"
    "Exit status: 0 the multipath run completed, 1 it did not, 2 wrong usage or scenario.";

}  // namespace

CLI::App* add_compare_command(CLI::App& app, Arguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "compare", "Multipath against the best single WAN and one connection per WAN, on both engines");
  add_common_options(*command, arguments);
  CLI::Option* json = command->add_option("--json", arguments.json,
                                          "Write JSON to this file, or to standard output instead of the table");
  json->expected(0, 1);
  command->parse_complete_callback([json, &arguments] {
    if (json->count() > 0 && arguments.json.empty()) arguments.json = kStandardOutput;
  });
  command->footer(kCompareExamples);
  return command;
}

int compare(const Arguments& arguments) {
  const auto rows = compare_baselines(
      {.file = find_file(arguments), .overrides = overrides_of(arguments), .seed = arguments.seed, .ngtcp2 = ngtcp2()});
  if (!rows) return complain(rows.error());
  const bool to_file = !arguments.json.empty() && arguments.json != kStandardOutput;
  if (to_file && !write_file(arguments.json, comparison_json(*rows)))
    return complain(fmt::format("{}: cannot be written", arguments.json));
  fmt::print("{}", arguments.json == kStandardOutput ? comparison_json(*rows) : comparison_table(*rows));
  return rows->front().report.completed ? kOk : kViolated;
}

}  // namespace mpquic::sim
