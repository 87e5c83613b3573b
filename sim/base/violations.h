#pragma once

#include <string>
#include <vector>

#include "stack/base/time.h"

namespace mpquic::sim {

struct Violation {
  Instant at;
  std::string what;
};

/// What went wrong, oldest first. One broken rule often breaks again at once, so only the first ones are kept.
class Violations {
 public:
  void add(Instant at, std::string what) {
    ++total_;
    if (list_.size() < kKept) list_.push_back({.at = at, .what = std::move(what)});
  }
  [[nodiscard]] const std::vector<Violation>& list() const { return list_; }
  [[nodiscard]] std::size_t total() const { return total_; }

 private:
  static constexpr std::size_t kKept = 50;
  std::vector<Violation> list_;
  std::size_t total_ = 0;
};

}  // namespace mpquic::sim
