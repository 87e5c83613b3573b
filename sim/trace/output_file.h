// A file that is written once, from front to back.
#pragma once

#include <cstdio>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"

namespace mpquic::sim {

class OutputFile {
 public:
  /// The error is one line.
  [[nodiscard]] static std::expected<OutputFile, std::string> create(const std::string& path);
  /// A failure (a full disk) is kept for close().
  void write(std::string_view text);
  void write(Bytes bytes) { write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())); }
  /// Everything is on disk, or one line about what is not.
  [[nodiscard]] std::expected<void, std::string> close();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
  };
  OutputFile(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  std::unique_ptr<std::FILE, Close> file_;
  std::string path_;
  bool failed_ = false;
};

}  // namespace mpquic::sim
