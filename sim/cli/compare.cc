#include "sim/run/compare.h"

#include <fmt/format.h>

#include "sim/base/standard_output.h"
#include "sim/cli/command_line.h"
#include "sim/cli/commands.h"
#include "sim/trace/output_file.h"

namespace mpquic::sim {
namespace {

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
  if (ngtcp2() && wants_null_crypto(arguments)) return complain(kNoNullCrypto);
  const auto file = scenario_named(arguments.scenario);
  if (!file) return complain(file.error());
  auto json = OptionalOutput::open(arguments.json);
  if (!json) return complain(json.error());
  const auto rows = compare_baselines(
      {.file = *file, .overrides = overrides_of(arguments), .seed = arguments.seed, .ngtcp2 = ngtcp2()});
  if (!rows) return complain(rows.error());
  if (arguments.json != kStandardOutput) fmt::print("{}", comparison_table(*rows));
  if (auto written = json->finish([&] { return comparison_json(*rows); }); !written) return complain(written.error());
  return rows->front().report.completed ? kOk : kViolated;
}

}  // namespace mpquic::sim
