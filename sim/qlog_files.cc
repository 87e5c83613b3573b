#include "sim/qlog_files.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

namespace mpquic::sim {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

}  // namespace

std::expected<std::unique_ptr<QlogFiles>, std::string> QlogFiles::open(const std::string& directory,
                                                                       const std::string& scenario) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return std::unexpected(fmt::format("{}: {}", directory, error.message()));
  return std::unique_ptr<QlogFiles>(new QlogFiles((std::filesystem::path(directory) / scenario).string()));
}

std::unique_ptr<trace::Sink> QlogFiles::make_sink(Role role, const ConnectionId& original_dcid) {
  const std::size_t number = made_[static_cast<std::size_t>(role)]++;
  const std::string name = fmt::format("{}-{}{}.sqlog", prefix_, role == Role::client ? "client" : "server",
                                       number == 0 ? "" : fmt::format("-{}", number));
  File file(std::fopen(name.c_str(), "wb"));
  if (file == nullptr) return nullptr;
  names_.push_back(name);
  const auto append = [](File& to, std::string_view record) {
    static_cast<void>(std::fwrite(record.data(), 1, record.size(), to.get()));
  };
  // All files of a run share the simulation's own time.
  return std::make_unique<trace::QlogSink>(
      role, original_dcid, [file = std::move(file), append](std::string_view record) mutable { append(file, record); },
      Instant{});
}

}  // namespace mpquic::sim
