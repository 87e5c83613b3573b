#include "sim/run/run_command.h"

#include <fmt/format.h>

#include <cstdio>

#include "sim/base/standard_output.h"
#include "sim/run/failure_kit.h"
#include "sim/trace/output_file.h"

namespace mpquic::sim {
namespace {

void print(const RunRequest& request, const Report& report) {
  if (!request.quiet && request.json != kStandardOutput) {
    fmt::print("{}", to_table(report));
    if (request.explain) fmt::print("\n{}", explain(report));
  }
  if (!request.quiet) return;
  for (const Violation& violation : report.violations)
    fmt::print(stderr, "{:.6f} s: {}\n", to_seconds(violation.at.time_since_epoch()), violation.what);
}

}  // namespace

std::expected<Report, std::string> run_traced(const RunSetup& setup, const TraceOptions& trace) {
  auto tracing = Tracing::open(trace, setup.scenario, setup.seed);
  if (!tracing) return std::unexpected(std::move(tracing).error());
  Report report = setup.simulate(setup.scenario, {.tracing = **tracing});
  if (auto closed = (*tracing)->close(); !closed) return std::unexpected(std::move(closed).error());
  return report;
}

int run_and_report(const RunRequest& request, RunSetup setup) {
  auto tracing = Tracing::open(request.trace, setup.scenario, setup.seed);
  if (!tracing) return complain(setup.program, tracing.error());
  if (!request.plot.empty() && !request.plot.ends_with(".svg"))
    return complain(setup.program, fmt::format("--plot {}: expected a file that ends in .svg", request.plot));
  auto json = OptionalOutput::open(request.json);
  if (!json) return complain(setup.program, json.error());
  auto picture = OptionalOutput::open(request.plot);
  if (!picture) return complain(setup.program, picture.error());

  setup.settle(setup.scenario);
  RunPlot plot(setup.scenario);
  Report report =
      setup.simulate(setup.scenario, {.tracing = **tracing, .plot = request.plot.empty() ? nullptr : &plot});
  setup.describe(report);
  print(request, report);
  // Whatever cannot be written, the rest is.
  ExitCode code = report.passed() ? kOk : kViolated;
  for (const auto& written : {(*tracing)->close(), json->finish([&] { return to_json(report); }),
                              picture->finish([&] { return plot.to_svg(report); })})
    if (!written) code = complain(setup.program, written.error());
  if (report.passed()) return code;
  fmt::print(stderr, "{}",
             keep_evidence({.scenario = setup.scenario,
                            .report = report,
                            .traced = request.trace,
                            .again = [&](const TraceOptions& trace) { return run_traced(setup, trace); }}));
  return code;
}

}  // namespace mpquic::sim
