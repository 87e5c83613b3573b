// Both endpoints' qlogs as files in one directory: <scenario>-client.sqlog, <scenario>-server.sqlog.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "stack/trace/qlog.h"
#include "stack/trace/sink.h"

namespace mpquic::sim {

class QlogFiles final : public trace::SinkFactory {
 public:
  /// Creates the directory. The error is one line.
  [[nodiscard]] static std::expected<std::unique_ptr<QlogFiles>, std::string> open(const std::string& directory,
                                                                                   const std::string& scenario);
  [[nodiscard]] std::unique_ptr<trace::Sink> make_sink(Role role, const ConnectionId& original_dcid) override;
  /// Of the files so far.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  explicit QlogFiles(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string prefix_;
  std::vector<std::string> names_;
  std::size_t made_[2] = {};  // by role: later connections get a number
};

}  // namespace mpquic::sim
