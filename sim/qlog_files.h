// Both endpoints' qlogs as files in one directory: <scenario>-client.sqlog, <scenario>-server.sqlog.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "stack/trace/qlog.h"
#include "stack/trace/sink.h"

namespace mpquic::sim {

class QlogFiles final : public trace::SinkFactory {
 public:
  /// Creates the directory. The error is one line.
  [[nodiscard]] static std::expected<std::unique_ptr<QlogFiles>, std::string> open(const std::string& directory,
                                                                                   const std::string& scenario);
  [[nodiscard]] std::unique_ptr<trace::Sink> make_sink(Role role, const ConnectionId& original_dcid) override;

 private:
  explicit QlogFiles(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string prefix_;
  std::size_t made_[2] = {};  // by role: later connections get a number
};

}  // namespace mpquic::sim
