#include "sim/trace/output_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace mpquic::sim {

std::expected<OutputFile, std::string> OutputFile::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  return OutputFile(file, path);
}

void OutputFile::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) failed_ = true;
}

std::expected<void, std::string> OutputFile::close() {
  if (file_ == nullptr) return {};
  const bool closed = std::fclose(file_.release()) == 0;
  if (failed_ || !closed) return std::unexpected(fmt::format("{}: cannot be written to the end", path_));
  return {};
}

}  // namespace mpquic::sim
