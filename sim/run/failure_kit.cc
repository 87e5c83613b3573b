#include "sim/run/failure_kit.h"

#include <fmt/format.h>

#include <vector>

#include "io/files.h"
#include "sim/trace/output_file.h"

namespace mpquic::sim {
namespace {

[[nodiscard]] std::expected<void, std::string> keep_file(const std::filesystem::path& file, const std::string& text) {
  auto out = OutputFile::create(file.string());
  if (!out) return std::unexpected(std::move(out).error());
  out->write(text);
  return out->close();
}

/// "a, b and c".
[[nodiscard]] std::string listed(const std::vector<std::string_view>& words) {
  const std::string_view last = words.back();
  if (words.size() == 1) return std::string(last);
  return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), last);
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
  std::string text = "\n";
  std::vector<std::string_view> kept;
  const auto note = [&](std::string_view what, const std::expected<void, std::string>& outcome) {
    if (outcome)
      kept.push_back(what);
    else
      text += outcome.error() + "\n";
  };
  if (auto made = io::make_directories(directory.string()); !made) {
    text += made.error().message + "\n";
  } else {
    const TraceOptions wanted = missing_traces(run, directory);
    if (!wanted.qlog.empty() || !wanted.pcap.empty() || !wanted.keylog.empty()) {
      const std::string_view what = !wanted.qlog.empty() ? "qlogs" : !wanted.pcap.empty() ? "packets" : "keys";
      const auto again = run.again(wanted);
      note(what, again ? std::expected<void, std::string>() : std::unexpected(again.error()));
    }
    note("report", keep_file(directory / "report.json", to_json(run.report)));
    note("scenario", keep_file(directory / "scenario.yaml", run.scenario.resolved + "\n"));
  }
  text += kept.empty() ? "FAILED. Nothing of it could be kept"
                       : fmt::format("FAILED. {} in {}", listed(kept), directory.string());
  return text + fmt::format(". Repeat with:\n  {}\n", replay_command(run.report));
}

}  // namespace mpquic::sim
