// What a path does, found out by sending packets over it: a saturating stream each way, and a ping on the idle path.
// Each measurement has a network of its own from the same seed, so all see the same weather.
#pragma once

#include <vector>

#include "sim/network/world.h"

namespace mpquic::sim {

struct DirectionProbe {
  std::vector<double> mbps;  // of IP packets, in bins of kProbeBin
  double mean_mbps = 0;
  double loss = 0;              // share of packets lost on the line
  std::vector<double> gaps_ms;  // times without a delivery, longer than kProbeGap
};

struct PathProbe {
  Duration length{};
  DirectionProbe up;
  DirectionProbe down;
  std::vector<double> rtt_at_s;
  std::vector<double> rtt_ms;
  double round_trip_loss = 0;
};

inline constexpr Duration kProbeBin = std::chrono::milliseconds(100);
inline constexpr Duration kProbeGap = std::chrono::milliseconds(50);

[[nodiscard]] PathProbe probe_path(const PathConfig& path, std::uint64_t seed, Duration length);

/// The value that a share `q` of the samples does not exceed. Zero without samples.
[[nodiscard]] double quantile(std::vector<double> samples, double q);

}  // namespace mpquic::sim
