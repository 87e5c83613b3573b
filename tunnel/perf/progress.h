// A line on standard error that says how far a transfer is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/time.h"
#include "stack/endpoint/transport.h"

namespace mpquic::perf {

class Progress {
 public:
  static constexpr Duration kInterval = std::chrono::milliseconds(500);

  /// `terminal`: the line is overwritten in place instead of repeated.
  Progress(std::uint64_t total, bool terminal) : total_(total), terminal_(terminal) {}
  void show(std::uint64_t bytes, std::span<const PathStats> paths, Instant now);
  /// Leaves the terminal on a fresh line.
  void end();

 private:
  std::uint64_t total_;  // 0: unknown
  bool terminal_;
  bool shown_ = false;
  std::uint64_t last_bytes_ = 0;
  Deadline last_time_;
};

}  // namespace mpquic::perf
