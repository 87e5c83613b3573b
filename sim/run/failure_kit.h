// What a failing run leaves behind, whoever carried its packets.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <string>

#include "sim/run/report.h"
#include "sim/run/tracing.h"

namespace mpquic::sim {

struct FailedRun {
  const Scenario& scenario;
  const Report& report;
  const TraceOptions& traced;  // what the run has left already
  /// The same run, bit for bit, with these traces. The error is one line.
  std::function<std::expected<Report, std::string>(const TraceOptions&)> again;
  std::filesystem::path under = "out";
};

/// qlogs (of ngtcp2, which writes none: packets), TLS keys if the crypto is real, the report and the resolved scenario
/// in `under`/NAME-SEED/; the run is repeated for those traces that it has not left. For people: where they are, and
/// the command that repeats the run.
[[nodiscard]] std::string keep_evidence(const FailedRun& run);

}  // namespace mpquic::sim
