// A file that is written once, from front to back, and takes its name when it is complete.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "io/files.h"
#include "stack/base/bytes.h"

namespace mpquic::sim {

/// Everything that the programs write goes through this: it is opened before anything runs, a run that ends early
/// leaves nothing (io::NewFile), and what cannot be written to the end is an error.
class OutputFile {
 public:
  /// The error is one line.
  [[nodiscard]] static std::expected<OutputFile, std::string> create(const std::string& path);
  /// The same; "-" is standard output, which gets everything at once by close().
  [[nodiscard]] static std::expected<OutputFile, std::string> create_or_print(const std::string& path);
  /// A failure (a full disk) is kept for close().
  void write(std::string_view text);
  void write(Bytes bytes) { write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())); }
  /// Everything is in the file, or one line about what is not. Without it there is no file.
  [[nodiscard]] std::expected<void, std::string> close();

 private:
  OutputFile() = default;
  void flush();
  std::optional<io::NewFile> file_;  // none: standard output
  std::string buffer_;
  std::optional<std::string> failure_;
};

/// An output that may not be wanted.
class OptionalOutput {
 public:
  /// Empty name: not wanted. "-": standard output. The error is one line.
  [[nodiscard]] static std::expected<OptionalOutput, std::string> open(const std::string& name) {
    OptionalOutput output;
    if (name.empty()) return output;
    auto file = OutputFile::create_or_print(name);
    if (!file) return std::unexpected(std::move(file).error());
    output.file_ = std::move(*file);
    return output;
  }
  /// Writes what `text` gives, which is not asked where nothing is wanted.
  template <class Text>
  [[nodiscard]] std::expected<void, std::string> finish(const Text& text) {
    if (!file_) return {};
    file_->write(text());
    return file_->close();
  }

 private:
  std::optional<OutputFile> file_;
};

/// A directory for outputs is there and takes files, or could be made. The error is one line.
[[nodiscard]] std::expected<void, std::string> check_directory(const std::string& path);

}  // namespace mpquic::sim
