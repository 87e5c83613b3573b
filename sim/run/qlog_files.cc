#include "sim/run/qlog_files.h"

#include <fmt/format.h>

#include <filesystem>

namespace mpquic::sim {

std::expected<std::unique_ptr<QlogFiles>, std::string> QlogFiles::open(const std::string& directory,
                                                                       const std::string& scenario) {
  if (auto made = io::make_directories(directory); !made) return std::unexpected(std::move(made.error().message));
  std::unique_ptr<QlogFiles> files(new QlogFiles((std::filesystem::path(directory) / scenario).string()));
  for (const Role role : {Role::client, Role::server}) {
    auto file = OutputFile::create(files->name_of(role, 0));
    if (!file) return std::unexpected(std::move(file).error());
    files->first_[static_cast<std::size_t>(role)] = std::make_unique<OutputFile>(std::move(*file));
  }
  return files;
}

std::string QlogFiles::name_of(Role role, std::size_t number) const {
  return fmt::format("{}-{}{}.sqlog", prefix_, role == Role::client ? "client" : "server",
                     number == 0 ? "" : fmt::format("-{}", number));
}

std::unique_ptr<trace::Sink> QlogFiles::make_sink(Role role, const ConnectionId& original_dcid) {
  const auto side = static_cast<std::size_t>(role);
  const std::string name = name_of(role, made_[side]++);
  auto opened = std::move(first_[side]);
  if (!opened) {
    auto file = OutputFile::create(name);
    if (!file) {
      if (opened_) opened_ = std::unexpected(std::move(file).error());
      return nullptr;
    }
    opened = std::make_unique<OutputFile>(std::move(*file));
  }
  OutputFile& file = *files_.emplace_back(std::move(opened));
  names_.push_back(name);
  // All files of a run share the simulation's own time.
  return std::make_unique<trace::QlogSink>(
      role, original_dcid, [&file](std::string_view record) { file.write(record); }, Instant{});
}

std::expected<void, std::string> QlogFiles::close() {
  std::expected<void, std::string> all = std::move(opened_);
  for (const auto& file : files_)
    if (auto closed = file->close(); !closed && all) all = std::move(closed);
  return all;
}

}  // namespace mpquic::sim
