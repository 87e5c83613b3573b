#include "sim/failure_kit.h"

#include <fmt/format.h>

#include "sim/trace/output_file.h"

namespace mpquic::sim {
namespace {

[[nodiscard]] std::expected<void, std::string> keep_file(const std::filesystem::path& file, const std::string& text) {
  auto out = OutputFile::create(file.string());
  if (!out) return std::unexpected(std::move(out).error());
  out->write(text);
  return out->close();
}

/// Of what the run has not left already. Empty names: there is nothing to repeat it for.
[[nodiscard]] TraceOptions missing_traces(const FailedRun& run, const std::filesystem::path& directory) {
  TraceOptions wanted;
  const bool has_qlogs = !run.scenario.endpoints.both(EngineKind::ngtcp2);
  if (has_qlogs && run.traced.qlog.empty()) wanted.qlog = directory.string();
  if (!has_qlogs && run.traced.pcap.empty()) wanted.pcap = (directory / "packets.pcapng").string();
  if (run.traced.keylog.empty() && run.scenario.crypto == Crypto::real)
    wanted.keylog = (directory / "keys.log").string();
  return wanted;
}

}  // namespace

std::string keep_evidence(const FailedRun& run) {
  const auto directory = run.under / fmt::format("{}-{}", run.scenario.name, run.report.seed);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  std::string text = "\n";
  const TraceOptions wanted = missing_traces(run, directory);
  if (!wanted.qlog.empty() || !wanted.pcap.empty() || !wanted.keylog.empty())
    if (const auto again = run.again(wanted); !again) text += fmt::format("cannot trace it: {}\n", again.error());
  for (const auto& kept : {keep_file(directory / "report.json", to_json(run.report)),
                           keep_file(directory / "scenario.yaml", run.scenario.resolved + "\n")})
    if (!kept) text += kept.error() + "\n";
  const std::string_view traces = !wanted.qlog.empty() ? "qlogs, " : !wanted.pcap.empty() ? "packets, " : "";
  text += fmt::format("FAILED. {}report and scenario in {}. Repeat with:\n  {}\n", traces, directory.string(),
                      replay_command(run.report));
  return text;
}

}  // namespace mpquic::sim
