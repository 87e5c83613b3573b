// What a link can carry at most in the course of a run: the same rates as the simulator's, step by step, with what the
// timeline does to them. For oracles, which ask what the best transport could have done.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/scenario/scenario.h"

namespace mpquic::sim {

/// Between two changes. By time T (from <= T - delay < to) it has delivered
///   at_once + bits_per_ns * (T - delay - from)
struct CapacitySegment {
  Duration from{};
  Duration to{};
  double bits_per_ns = 0;  // payload; zero while the link is down
  double at_once = 0;      // payload bits: a full bucket, delivery opportunities at this time, a packet in service
  Duration delay{};        // the least that a packet may find
};
using CapacityTimeline = std::vector<CapacitySegment>;

inline constexpr Duration kForever = std::chrono::hours(24 * 365);

/// Traces and processes are followed until `until`, and then stay at their best rate of before.
struct Course {
  const Scenario& scenario;
  std::uint64_t seed = 1;
  Duration until{};
};
/// As if the link were alone behind its bottleneck. Losses, policers, cross traffic and outages that come by themselves
/// are left out.
[[nodiscard]] CapacityTimeline capacity_of_link(const Course& course, std::size_t path, Direction direction);
/// The bottleneck that the links of `paths` share, without their outages and behind the shortest of their delays.
[[nodiscard]] CapacityTimeline capacity_of_bottleneck(const Course& course, const std::vector<std::size_t>& paths,
                                                      Direction direction);
/// The same of ns-3's line.
[[nodiscard]] CapacityTimeline capacity_of_line(const Scenario& scenario, const std::vector<std::size_t>& paths,
                                                Direction direction);
/// When the client first asks for the path, by itself or by the timeline; kForever: never.
[[nodiscard]] Duration opens_at(const Scenario& scenario, std::size_t path);

/// Payload that departs at `released` or later and has arrived at `by`.
[[nodiscard]] double delivered_bits(const CapacityTimeline& timeline, Duration released, Duration by);

}  // namespace mpquic::sim
