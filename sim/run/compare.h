// One scenario, run as its file says and as users without multipath would have it: on the single WAN that turns out to
// be the best one (sim/run/best_path.h), and with one connection per WAN; on our engine and on ngtcp2.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "sim/engine/engine.h"
#include "sim/run/report.h"

namespace mpquic::sim {

struct Comparison {
  std::string file;
  std::vector<std::string> overrides;
  std::uint64_t seed = 1;
  EngineFactory ngtcp2;  // empty: left out
};

struct ComparedRun {
  std::string engine;
  std::string baseline;
  Report report;
};

/// The multipath run is the first one. The error is one line.
[[nodiscard]] std::expected<std::vector<ComparedRun>, std::string> compare_baselines(const Comparison& comparison);
[[nodiscard]] std::string comparison_table(const std::vector<ComparedRun>& runs);
[[nodiscard]] std::string comparison_json(const std::vector<ComparedRun>& runs);

}  // namespace mpquic::sim
