// What a run was like: one JSON document for programs, one or two lines for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/error.h"
#include "io/files.h"
#include "stack/base/time.h"
#include "stack/endpoint/transport.h"
#include "tunnel/perf/client_app.h"
#include "tunnel/perf/server_app.h"

namespace mpquic::perf {

struct ClientReport {
  std::string engine;
  std::string congestion_control;
  std::string scheduler;
  std::string alpn;
  bool multipath = false;
  bool resumed = false;
  std::uint64_t downloaded = 0;
  std::uint64_t uploaded = 0;
  Duration handshake{};
  Duration transfer{};  // from the handshake's end to the last byte
  Duration cpu{};
  ConnectionStats connection;
  std::vector<JobResult> documents;
  std::vector<PathStats> paths;
  std::optional<std::string> error;
};

[[nodiscard]] double megabits_per_second(std::uint64_t bytes, Duration time);
[[nodiscard]] std::string summary(const ClientReport& report);
[[nodiscard]] std::string summary(const ConnectionRecord& record);
[[nodiscard]] nlohmann::json to_json(const ClientReport& report);
[[nodiscard]] nlohmann::json to_json(std::span<const ConnectionRecord> records, Duration cpu);

/// Where the JSON document goes: found out before the run, so that none is lost to a wrong name.
class ReportFile {
 public:
  /// "-" is standard output; an empty name is nowhere.
  [[nodiscard]] static io::Result<ReportFile> create(const std::string& path);
  [[nodiscard]] io::Result<void> write(const nlohmann::json& document);

 private:
  bool standard_output_ = false;
  std::optional<io::NewFile> file_;
};

}  // namespace mpquic::perf
