// `mpquic-sim run --seeds N`: one scenario with many seeds, and what its figures come to.
#pragma once

#include <cstdint>

#include "sim/cli/arguments.h"

namespace mpquic::sim {

inline constexpr std::uint64_t kMostSeeds = 1'000'000;

/// Every seed runs in a process of its own, as it would run alone: the same trace hashes. The exit code.
[[nodiscard]] int run_seeds(const Arguments& arguments);

}  // namespace mpquic::sim
