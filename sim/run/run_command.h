// What `run` does in every program that has it, whoever carries the packets.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "sim/run/report.h"
#include "sim/run/run_plot.h"
#include "sim/run/simulation.h"
#include "sim/run/tracing.h"

namespace mpquic::sim {

/// What the command line wants to have of a run. Empty names: not wanted.
struct RunRequest {
  TraceOptions trace;
  std::string json;  // file, or "-" instead of the table
  std::string plot;  // .svg file
  bool quiet = false;
  bool explain = false;
};

/// What watches one run.
struct Instruments {
  Tracing& tracing;
  RunPlot* plot = nullptr;

  void attach(SimulationOptions& options) const { tracing.attach(options); }
  [[nodiscard]] Report drive(Simulation& simulation) const {
    return plot == nullptr ? simulation.run() : plot->drive(simulation);
  }
};

struct RunSetup {
  std::string_view program;
  Scenario scenario;
  std::uint64_t seed = 1;
  /// Measures what the scenario leaves open (sim/run/best_path.h), which may take as long as the run.
  std::function<void(Scenario&)> settle;
  std::function<Report(const Scenario&, const Instruments&)> simulate;
  /// Adds what only the command line knows, for the replay command.
  std::function<void(Report&)> describe;
};

/// Opens every output, then runs, then prints and writes; a failed run leaves its evidence (sim/run/failure_kit.h). The
/// exit code.
[[nodiscard]] int run_and_report(const RunRequest& request, RunSetup setup);
/// For recordings: the run, and its traces on disk. The error is one line.
[[nodiscard]] std::expected<Report, std::string> run_traced(const RunSetup& setup, const TraceOptions& trace);

}  // namespace mpquic::sim
