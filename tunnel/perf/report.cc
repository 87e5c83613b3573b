#include "tunnel/perf/report.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "io/files.h"
#include "io/interfaces.h"

namespace mpquic::perf {
namespace {

using nlohmann::json;

constexpr int kIndent = 2;

[[nodiscard]] json to_json(const PathStats& path) {
  return {{"id", path.id.value()},
          {"local", io::text_of(path.tuple.local)},
          {"remote", io::text_of(path.tuple.remote)},
          {"validated", path.validated},
          {"abandoned", path.abandoned},
          {"bytes_sent", path.bytes_sent},
          {"bytes_received", path.bytes_received},
          {"packets_sent", path.packets_sent},
          {"packets_received", path.packets_received},
          {"packets_lost", path.packets_lost},
          {"stream_bytes_sent", path.stream_bytes_sent},
          {"stream_bytes_received", path.stream_bytes_received},
          {"bytes_retransmitted", path.bytes_retransmitted},
          {"bytes_duplicated", path.bytes_duplicated},
          {"pto_count", path.pto_count},
          {"rtt_ms", to_milliseconds(path.smoothed_rtt)},
          {"min_rtt_ms", to_milliseconds(path.min_rtt)},
          {"congestion_window", path.congestion_window.value()},
          {"max_datagram_size", path.max_datagram_size}};
}

[[nodiscard]] json to_json(std::span<const PathStats> paths) {
  json array = json::array();
  for (const PathStats& path : paths) array.push_back(to_json(path));
  return array;
}

[[nodiscard]] json to_json(const JobResult& result) {
  json object = {{"name", result.name},
                 {"bytes", result.downloaded},
                 {"bytes_uploaded", result.uploaded},
                 {"seconds", to_seconds(result.ended - result.started)},
                 {"sha256", nullptr}};
  if (!result.sha256.empty()) object["sha256"] = result.sha256;
  if (!result.upload_sha256.empty()) object["upload_sha256"] = result.upload_sha256;
  return object;
}

/// The response's, or the upload's where there was nothing else.
[[nodiscard]] const std::string& hash_of(const JobResult& result) {
  return result.downloaded == 0 && result.uploaded > 0 ? result.upload_sha256 : result.sha256;
}

}  // namespace

double megabits_per_second(std::uint64_t bytes, Duration time) {
  return time > Duration::zero() ? static_cast<double>(bytes) * 8 / 1e6 / to_seconds(time) : 0;
}

std::string summary(const ClientReport& report) {
  const std::uint64_t bytes = report.downloaded + report.uploaded;
  std::string text = fmt::format("{} bytes in {:.3f} s: {:.1f} Mbit/s, handshake {:.1f} ms{}, {} path{}, cpu {:.2f} s",
                                 bytes, to_seconds(report.transfer), megabits_per_second(bytes, report.transfer),
                                 to_milliseconds(report.handshake), report.resumed ? " (resumed)" : "",
                                 report.paths.size(), report.paths.size() == 1 ? "" : "s", to_seconds(report.cpu));
  if (report.documents.size() == 1 && !hash_of(report.documents.front()).empty())
    text += fmt::format("\nsha256 {}", hash_of(report.documents.front()));
  for (const PathStats& path : report.paths)
    text +=
        fmt::format("\npath {} {} -> {}: {} bytes out, {} in, {} lost, rtt {:.2f} ms{}", path.id.value(),
                    io::text_of(path.tuple.local), io::text_of(path.tuple.remote), path.bytes_sent, path.bytes_received,
                    path.packets_lost, to_milliseconds(path.smoothed_rtt), path.validated ? "" : ", never validated");
  return text;
}

std::string summary(const ConnectionRecord& record) {
  const Duration time = record.ended - record.started;
  const bool clean = !record.closed || is_clean(*record.closed);
  return fmt::format("connection {} ended after {:.3f} s: {} requests ({} failed), {} bytes out, {} in, {} path{}{}{}",
                     record.handle.value(), to_seconds(time), record.requests, record.requests_failed,
                     record.bytes_sent, record.bytes_received, record.paths.size(), record.paths.size() == 1 ? "" : "s",
                     clean ? "" : "; ", clean ? "" : describe(*record.closed));
}

json to_json(const ClientReport& report) {
  const std::uint64_t bytes = report.downloaded + report.uploaded;
  json documents = json::array();
  for (const JobResult& result : report.documents) documents.push_back(to_json(result));
  json object = {{"bytes", bytes},
                 {"bytes_downloaded", report.downloaded},
                 {"bytes_uploaded", report.uploaded},
                 {"seconds", to_seconds(report.transfer)},
                 {"handshake_seconds", to_seconds(report.handshake)},
                 {"goodput_mbps", megabits_per_second(bytes, report.transfer)},
                 {"cpu_s", to_seconds(report.cpu)},
                 {"sha256", nullptr},
                 {"engine", report.engine},
                 {"alpn", report.alpn},
                 {"congestion_control", report.congestion_control},
                 {"scheduler", report.scheduler},
                 {"multipath", report.multipath},
                 {"path_limit", report.connection.path_limit},
                 {"resumed", report.resumed},
                 {"key_updates", report.connection.key_updates},
                 {"packets_sent", report.connection.packets_sent},
                 {"packets_received", report.connection.packets_received},
                 {"documents", std::move(documents)},
                 {"paths", to_json(std::span(report.paths))},
                 {"error", nullptr}};
  if (report.documents.size() == 1 && !hash_of(report.documents.front()).empty())
    object["sha256"] = hash_of(report.documents.front());
  if (report.error) object["error"] = *report.error;
  return object;
}

json to_json(std::span<const ConnectionRecord> records, Duration cpu) {
  json array = json::array();
  for (const ConnectionRecord& record : records) {
    const Duration time = record.ended - record.started;
    json object = {{"alpn", record.alpn},
                   {"multipath", record.multipath},
                   {"resumed", record.resumed},
                   {"requests", record.requests},
                   {"requests_failed", record.requests_failed},
                   {"bytes", record.bytes_sent + record.bytes_received},
                   {"bytes_sent", record.bytes_sent},
                   {"bytes_received", record.bytes_received},
                   {"seconds", to_seconds(time)},
                   {"goodput_mbps", megabits_per_second(record.bytes_sent + record.bytes_received, time)},
                   {"paths", to_json(std::span(record.paths))},
                   {"error", nullptr}};
    if (!record.last_upload_sha256.empty()) object["sha256"] = record.last_upload_sha256;
    if (record.closed && !is_clean(*record.closed)) object["error"] = describe(*record.closed);
    array.push_back(std::move(object));
  }
  return {{"cpu_s", to_seconds(cpu)}, {"connections", std::move(array)}};
}

io::Result<ReportFile> ReportFile::create(const std::string& path) {
  ReportFile report;
  report.standard_output_ = path == "-";
  if (path.empty() || report.standard_output_) return report;
  auto file = io::NewFile::create(path);
  if (!file) return std::unexpected(std::move(file).error());
  report.file_ = std::move(*file);
  return report;
}

io::Result<void> ReportFile::write(const json& document) {
  // Error texts may quote the peer: bytes that are no UTF-8 are replaced.
  const std::string text = document.dump(kIndent, ' ', false, json::error_handler_t::replace) + "\n";
  if (standard_output_ && std::fputs(text.c_str(), stdout) < 0) return io::failure("cannot write the report");
  if (!file_) return {};
  if (auto written = file_->append(as_bytes(text)); !written) return written;
  return file_->commit();
}

}  // namespace mpquic::perf
