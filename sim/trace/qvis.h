// Our qlog for the qvis viewer: it reads qlog 0.3 with its old names, and knows one path. So each path becomes a file
// of its own, which qvis takes for a connection.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace mpquic::sim {

/// Splits `trace` (one of our .sqlog files) into `<directory>/<its name>-path<N>.qlog`. Reads the trace twice and holds
/// one record of it at a time. Errors are one line.
class QvisConversion {
 public:
  /// The first time: whether it is a trace, and whether the files can be written.
  [[nodiscard]] static std::expected<QvisConversion, std::string> open(const std::string& trace,
                                                                       const std::string& directory);
  QvisConversion(QvisConversion&&) noexcept;
  QvisConversion& operator=(QvisConversion&&) noexcept;
  ~QvisConversion();
  /// The second time. The names of the files.
  [[nodiscard]] std::expected<std::vector<std::string>, std::string> finish();

 private:
  class Splitter;
  QvisConversion(std::string trace, std::unique_ptr<Splitter> splitter);
  std::string trace_;
  std::unique_ptr<Splitter> splitter_;
};

[[nodiscard]] std::expected<std::vector<std::string>, std::string> convert_for_qvis(const std::string& trace,
                                                                                    const std::string& directory);

}  // namespace mpquic::sim
