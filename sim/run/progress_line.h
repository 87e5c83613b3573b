#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace mpquic::sim {

/// One line that is written again and again, on a terminal only.
class ProgressLine {
 public:
  ProgressLine() : shown_(::isatty(STDERR_FILENO) == 1) {}
  void show(const std::string& text) const {
    if (shown_) fmt::print(stderr, "\r\x1b[K{}", text);
  }
  void clear() const { show(""); }

 private:
  bool shown_;
};

}  // namespace mpquic::sim
