#include "tunnel/perf/jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "io/files.h"
#include "tunnel/perf/protocol.h"

namespace mpquic::perf {
namespace {

constexpr std::string_view kIndexName = "index";

/// The last component of a path, without what a directory could be left by.
[[nodiscard]] std::string file_name_of(std::string_view path) {
  const auto end = path.find_first_of("?#");
  path = path.substr(0, end);
  const auto slash = path.rfind('/');
  const std::string_view name = path.substr(slash + 1);
  return std::string(name.empty() || name == "." || name == ".." ? kIndexName : name);
}

[[nodiscard]] std::expected<void, std::string> set_outputs(const ClientOptions& options, std::vector<Job>& jobs) {
  const bool directory = jobs.size() > 1 || options.output.ends_with('/') || io::is_directory(options.output);
  if (!directory) {
    const std::string parent = std::filesystem::path(options.output).parent_path().string();
    if (!parent.empty() && !io::is_directory(parent))
      return std::unexpected(fmt::format("cannot write {}: there is no directory {}", options.output, parent));
    jobs.front().output = options.output;
    return {};
  }
  if (auto made = io::make_directories(options.output); !made) return std::unexpected(made.error().message);
  std::vector<std::string> names;
  for (Job& job : jobs) {
    std::string name = job.path.empty() ? "stream" : file_name_of(job.path);
    if (const auto twins = std::ranges::count(names, name)) {
      names.push_back(name);
      name = fmt::format("{}.{}", name, twins);
    } else {
      names.push_back(name);
    }
    job.output = fmt::format("{}/{}", options.output, name);
  }
  return {};
}

}  // namespace

std::expected<ClientAppOptions, std::string> plan_jobs(const ClientOptions& options) {
  ClientAppOptions plan;
  plan.duration = options.duration;
  const bool hq = options.alpn == kHqAlpn;
  for (const std::string& document : options.documents) plan.jobs.push_back({.path = document});
  const std::size_t streams = std::max<std::size_t>(options.streams, 1);
  while (options.documents.empty() && plan.jobs.size() < streams) {
    Job job;
    if (hq) {
      job.path = fmt::format("/{}", options.download);
    } else {
      job.download = options.download;
      job.upload = options.upload;
      job.upload_file = options.upload_file;
    }
    plan.jobs.push_back(std::move(job));
  }
  plan.concurrency = options.streams == 0 ? plan.jobs.size() : options.streams;
  plan.digest = options.digest;
  if (!options.upload_file.empty())
    if (const auto file = io::File::open(options.upload_file); !file) return std::unexpected(file.error().message);
  if (!options.output.empty())
    if (auto set = set_outputs(options, plan.jobs); !set) return std::unexpected(set.error());
  return plan;
}

}  // namespace mpquic::perf
