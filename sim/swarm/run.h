// One run of a swarm's case, and many of them in processes of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/swarm/case.h"

namespace mpquic::sim::swarm {

struct Outcome {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::vector<std::string> violations;  // each with its time; empty: all is well
  [[nodiscard]] bool failed() const { return !violations.empty(); }
  bool operator==(const Outcome&) const = default;
};

/// What kind of failure it is: the first violation without its figures and the side that it is about. Empty if there is
/// none.
[[nodiscard]] std::string kind_of(const Outcome& outcome);

/// In this process: a failing CHECK ends it.
[[nodiscard]] Outcome run_here(const Case& drawn);

/// All of `count` cases, `jobs` at a time, in the order of their numbers whatever the number of jobs. A case that ends
/// its process fails, and so does one that takes longer than kHangSeconds. `done` hears of each as it is over.
struct Batch {
  std::size_t count = 0;
  std::size_t jobs = 1;
  std::function<Case(std::size_t)> make;
  std::function<void(const Outcome&)> done;
};
[[nodiscard]] std::vector<Outcome> run_all(const Batch& batch);
/// The same for one case.
[[nodiscard]] Outcome run_apart(const Case& drawn);

}  // namespace mpquic::sim::swarm
