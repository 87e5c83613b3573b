// mpquic-sim's options and subcommands that have to do with traces.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "sim/run/tracing.h"

namespace mpquic::sim {

void add_trace_options(CLI::App& command, TraceOptions& options);

struct QvisArguments {
  std::vector<std::string> traces;
  std::string directory = ".";
};
[[nodiscard]] CLI::App* add_qvis_command(CLI::App& app, QvisArguments& arguments);
[[nodiscard]] int run_qvis(const QvisArguments& arguments);

struct DiffArguments {
  std::string a;  // a recording, or the scenario
  std::string b;
  std::string against;
  std::uint64_t seed = 1;
  std::string crypto;
  std::vector<std::string> overrides;
};
[[nodiscard]] CLI::App* add_diff_command(CLI::App& app, DiffArguments& arguments);
/// Runs the scenario of the arguments in this process and records it in the file.
using RecordHere = std::function<std::expected<void, std::string>(const std::string& file)>;
/// The exit code: 0 equal, 1 different, 2 neither.
[[nodiscard]] int run_diff(const DiffArguments& arguments, const RecordHere& record_here);

}  // namespace mpquic::sim
