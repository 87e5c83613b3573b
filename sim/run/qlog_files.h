// Both endpoints' qlogs as files in one directory: <scenario>-client.sqlog, <scenario>-server.sqlog.
#pragma once

#include <array>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "sim/trace/output_file.h"
#include "stack/trace/qlog.h"
#include "stack/trace/sink.h"

namespace mpquic::sim {

/// Outlives the sinks that it makes.
class QlogFiles final : public trace::SinkFactory {
 public:
  /// Creates the directory, and sees that the first file of each side can be written. The error is one line.
  [[nodiscard]] static std::expected<std::unique_ptr<QlogFiles>, std::string> open(const std::string& directory,
                                                                                   const std::string& scenario);
  [[nodiscard]] std::unique_ptr<trace::Sink> make_sink(Role role, const ConnectionId& original_dcid) override;
  /// After the sinks are gone: every connection's file is there, or the first reason why one is not.
  [[nodiscard]] std::expected<void, std::string> close();
  /// Of the connections so far.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  explicit QlogFiles(std::string prefix) : prefix_(std::move(prefix)) {}
  [[nodiscard]] std::string name_of(Role role, std::size_t number) const;

  std::string prefix_;
  std::array<std::unique_ptr<OutputFile>, 2> first_;  // by role, until its connection comes
  std::vector<std::unique_ptr<OutputFile>> files_;
  std::vector<std::string> names_;
  std::array<std::size_t, 2> made_{};  // by role: later connections get a number
  std::expected<void, std::string> opened_;
};

}  // namespace mpquic::sim
