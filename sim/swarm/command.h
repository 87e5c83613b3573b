// `mpquic-sim swarm`.
#pragma once

#include <cstdint>
#include <string>

namespace mpquic::sim::swarm {

struct Arguments {
  std::uint64_t seeds = 100;
  std::uint64_t first_seed = 1;
  std::size_t jobs = 0;  // 0: one per core
  std::string crypto = "null";
  std::string bug = "none";
  std::string json;
  std::string out = "tests/regress";
  bool shrink = true;
  bool print = false;
};

/// The exit status: 0 no violation, 1 some, 2 wrong usage.
[[nodiscard]] int run(const Arguments& arguments);

}  // namespace mpquic::sim::swarm
