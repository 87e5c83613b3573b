// The headline figures of many runs of one scenario.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/run/report.h"

namespace mpquic::sim {

/// One figure of one run; absent where the run did not get so far.
struct Figure {
  std::string name;  // with its unit, like "goodput Mbit/s"
  std::optional<double> value;
};

/// What a run comes to in a few numbers: goodput and completion, against what the links could do, the longest stall,
/// and each workload's own. Reports of one scenario have the same figures in the same order.
[[nodiscard]] std::vector<Figure> headline_figures(const Report& report);

struct SeedOutcome {
  std::uint64_t seed = 0;
  bool passed = false;
  std::uint64_t hash = 0;
  std::vector<Figure> figures;  // none: the run could not be made
  std::string violation;        // the first one, or why there was no run
  std::string replay;           // the command
};

[[nodiscard]] std::string encode(const SeedOutcome& outcome);
[[nodiscard]] SeedOutcome decode_seed_outcome(const std::string& text);

/// Percentiles of each figure over the seeds, then which seeds fail, why, and how to repeat them.
[[nodiscard]] std::string seeds_table(const std::vector<SeedOutcome>& outcomes);
/// A line for each seed (RFC 4180), the names of the columns first.
[[nodiscard]] std::string seeds_csv(const std::vector<SeedOutcome>& outcomes);

}  // namespace mpquic::sim
