#include "sim/trace/output_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sim/base/standard_output.h"

namespace mpquic::sim {
namespace {

constexpr std::size_t kBuffer = std::size_t{64} << 10;

}  // namespace

std::expected<OutputFile, std::string> OutputFile::create(const std::string& path) {
  auto file = io::NewFile::create(path);
  if (!file) return std::unexpected(std::move(file.error().message));
  OutputFile out;
  out.file_ = std::move(*file);
  return out;
}

std::expected<OutputFile, std::string> OutputFile::create_or_print(const std::string& path) {
  if (path == kStandardOutput) return OutputFile();
  return create(path);
}

void OutputFile::write(std::string_view text) {
  buffer_ += text;
  if (file_ && buffer_.size() >= kBuffer) flush();
}

void OutputFile::flush() {
  if (failure_) return;
  if (auto written = file_->append(as_bytes(buffer_)); !written) failure_ = std::move(written.error().message);
  buffer_.clear();
}

std::expected<void, std::string> OutputFile::close() {
  if (!file_) {
    fmt::print("{}", buffer_);
    return {};
  }
  flush();
  if (failure_) return std::unexpected(*failure_);
  if (auto committed = file_->commit(); !committed) return std::unexpected(std::move(committed.error().message));
  return {};
}

std::expected<void, std::string> check_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::path there = std::filesystem::absolute(path, error);
  while (there.has_relative_path() && !std::filesystem::exists(there, error) && !error) there = there.parent_path();
  if (!std::filesystem::is_directory(there, error))
    return std::unexpected(fmt::format("cannot write to {}: {} is no directory", path, there.string()));
  if (::access(there.c_str(), W_OK | X_OK) != 0)
    return std::unexpected(fmt::format("cannot write to {}: {}", path, std::strerror(errno)));
  return {};
}

}  // namespace mpquic::sim
