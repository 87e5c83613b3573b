#include "sim/checks/oracles.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

// D = 1452: capacity = rate * 1425 / 1480.
constexpr double kShare = 1425.0 / 1480.0;
/// What is in service when the rate changes.
constexpr double kPacketBits = 1500 * 8;
constexpr const char* kTwo = R"(name: two
paths:
  - {name: a, rate: 8Mbit/s, rtt: 20ms}
  - {name: b, rate: 4Mbit/s, rtt: 100ms}
workloads: [{kind: bulk, bytes: 1MB}]
)";

Oracles oracles(const std::string& more = "", const std::vector<std::string>& overrides = {}) {
  const auto scenario = parse_scenario(kTwo + more, "two.yaml", overrides);
  EXPECT_TRUE(scenario) << scenario.error();
  return oracles_of(*scenario, 1);
}

TEST(Oracles, SumAndBest) {
  EXPECT_NEAR(oracles().sum_of_links_mbps, 12 * kShare, 1e-9);
  EXPECT_NEAR(oracles().best_link_mbps, 8 * kShare, 1e-9);
  EXPECT_NEAR(oracles("", {"paths.0.use=off"}).sum_of_links_mbps, 4 * kShare, 1e-9);
}

TEST(Oracles, TheBoundCountsDelaysOfAllLinks) {
  // 8 C (T - 10 ms) + 4 C (T - 50 ms) = 8 Mbit
  EXPECT_NEAR(*oracles().completion_bound_s, (8 / kShare + 8 * 0.010 + 4 * 0.050) / 12, 1e-6);
  EXPECT_NEAR(*oracles().single_path_bound_s, 1 / kShare + 0.010, 1e-6);
  EXPECT_EQ(oracles().single_path, "a");
}

TEST(Oracles, OutagesRatesAndDelaysOfTheTimelineCount) {
  const double alone = *oracles("", {"paths.1.use=off"}).completion_bound_s;
  EXPECT_NEAR(
      *oracles("events: [{at: 500ms, do: outage, path: a, for: 300ms}]\n", {"paths.1.use=off"}).completion_bound_s,
      alone + 0.3, 1e-6);
  EXPECT_NEAR(*oracles("events: [{at: 500ms, do: set_rate, path: a, value: 4Mbit/s}]\n", {"paths.1.use=off"})
                   .completion_bound_s,
              0.5 + 2 * (alone - 0.010 - 0.5) + 0.010 - kPacketBits / 4e6, 1e-6);
  EXPECT_NEAR(
      *oracles("events: [{at: 0s, do: set_delay, path: a, value: 40ms}]\n", {"paths.1.use=off"}).completion_bound_s,
      alone + 0.030, 1e-6);
  EXPECT_NEAR(*oracles("", {"paths.1.use=off", "workloads.0.start=2s"}).completion_bound_s, alone + 2, 1e-6);
  // One way only: the other way's outage does not matter to an upload.
  EXPECT_NEAR(*oracles("events: [{at: 500ms, do: silent_death, path: a, direction: down}]\n", {"paths.1.use=off"})
                   .completion_bound_s,
              alone, 1e-6);
}

TEST(Oracles, ALinkCountsFromWhenItsPathIsOpenedFirst) {
  const auto bound = [](const std::string& path, const std::string& event) {
    return oracles("events: [" + event + "]\n", {"paths.1." + path}).completion_bound_s.value_or(0);
  };
  const double late = bound("open_at=400ms", "");
  EXPECT_GT(late, bound("open_at=0s", "") + 0.01);
  EXPECT_EQ(bound("use=off", "{at: 400ms, do: open_path, path: b}"), late);
  EXPECT_EQ(bound("open_at=900ms", "{at: 400ms, do: open_path, path: b}"), late);
  // Nothing is given up before it is open, and what is still under way then arrives.
  EXPECT_EQ(bound("open_at=400ms", "{at: 300ms, do: abandon_path, path: b, if_open: on}"), late);
}

TEST(Oracles, WhatCannotArriveHasNoBound) {
  const Oracles none = oracles("events: [{at: 100ms, do: silent_death, path: all}]\n");
  EXPECT_FALSE(none.completion_bound_s);
  EXPECT_FALSE(none.single_path_bound_s);
}

/// Of path a alone.
double bound_of_a(std::vector<std::string> overrides) {
  overrides.emplace_back("paths.1.use=off");
  const auto bound = oracles("", overrides).completion_bound_s;
  EXPECT_TRUE(bound);
  return bound.value_or(0);
}

TEST(Oracles, ABucketAddsItsBurst) {
  // 8 C (T - 10 ms) + 100 kB C = 8 Mbit
  EXPECT_NEAR(bound_of_a({"paths.0.burst=100kB"}), (8 / kShare - 0.8) / 8 + 0.010, 1e-6);
}

TEST(Oracles, DelaysThatVaryCountWithTheirLeast) {
  EXPECT_NEAR(bound_of_a({"paths.0.jitter={deviation: 2ms, least: 4ms}"}), 1 / kShare + 0.004, 1e-6);
  EXPECT_NEAR(bound_of_a({"paths.0.down.jitter.deviation=2ms"}), bound_of_a({}), 1e-9);  // the data goes up
}

TEST(Oracles, TracesCountStepByStep) {
  const std::string directory = testing::TempDir();
  std::ofstream(directory + "oracles_rate.csv") << "0,4\n0.5,16\n";  // repeats each second
  std::ofstream(directory + "oracles_mahimahi.txt") << "2\n4\n";
  const double steps =
      oracles("", {"paths.1.use=off", "paths.0={name: a, rtt: 20ms, rate_trace: " + directory + "oracles_rate.csv}"})
          .completion_bound_s.value_or(0);
  EXPECT_NEAR(steps, 0.5 + (8 / kShare - 2) / 16 + 0.010, 1e-6);
  // 1504 bytes each 2 ms.
  const double opportunities =
      oracles("", {"paths.1.use=off", "paths.0={name: a, rtt: 20ms, mahimahi: " + directory + "oracles_mahimahi.txt}"})
          .completion_bound_s.value_or(0);
  EXPECT_NEAR(opportunities, std::ceil(1e6 / kShare / 1504) * 0.002 + 0.010, 1e-6);
}

TEST(Oracles, AProcessCountsWithTheRatesOfItsSeed) {
  const auto scenario = parse_scenario(kTwo, "two.yaml", {"paths.1.use=off", "paths.0.rate_process.spread=0.5"});
  ASSERT_TRUE(scenario) << scenario.error();
  std::set<double> bounds;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const double bound = oracles_of(*scenario, seed).completion_bound_s.value_or(0);
    bounds.insert(bound);
    const double took = Simulation(*scenario, {.seed = seed}).run().completion_s;
    EXPECT_GT(took, bound) << "seed " << seed;
    EXPECT_LT(took, 2 * bound) << "seed " << seed;
  }
  EXPECT_EQ(bounds.size(), 5U);
}

TEST(Oracles, HealBringsBackWhatWasDown) {
  constexpr const char* kDown = "events: [{at: 100ms, do: silent_death, path: all}, {at: 1100ms, do: heal}]\n";
  EXPECT_NEAR(*oracles(kDown, {"paths.1.use=off"}).completion_bound_s, bound_of_a({}) + 1 - kPacketBits / 8e6, 1e-6);
}

TEST(Oracles, ASharedBottleneckCountsOnce) {
  constexpr const char* kShared = R"(name: shared
bottlenecks: [{name: mast, rate: 6Mbit/s}]
paths:
  - {name: a, rate: 8Mbit/s, rtt: 20ms}
  - {name: b, shared: mast, rtt: 50ms}
  - {name: c, shared: mast, rtt: 50ms}
workloads: [{kind: bulk, bytes: 1MB}]
)";
  const auto scenario = parse_scenario(kShared, "shared.yaml");
  ASSERT_TRUE(scenario) << scenario.error();
  const Oracles both = oracles_of(*scenario, 1);
  EXPECT_NEAR(both.sum_of_links_mbps, 14 * kShare, 1e-9);
  // 8 C (T - 10 ms) + 6 C (T - 25 ms) = 8 Mbit
  EXPECT_NEAR(*both.completion_bound_s, (8 / kShare + 8 * 0.010 + 6 * 0.025) / 14, 1e-6);
}

TEST(Oracles, ALineOfNs3CapsThePathsBehindIt) {
  const Oracles both = oracles("ns3: {topology: shared_bottleneck, rate: 6Mbit/s}\n");
  EXPECT_NEAR(both.sum_of_links_mbps, 6 * kShare, 1e-9);
  EXPECT_NEAR(both.best_link_mbps, 6 * kShare, 1e-9);
  EXPECT_NEAR(*both.completion_bound_s, 8 / kShare / 6 + 0.010, 1e-6);
  const Oracles one = oracles("ns3: {topology: shared_bottleneck, rate: 6Mbit/s, through: [a]}\n");
  EXPECT_NEAR(one.sum_of_links_mbps, 10 * kShare, 1e-9);
}

TEST(Oracles, NobodyKnowsWhatARadioOfNs3Carries) {
  for (const char* topology : {"wifi", "lte"}) {
    const Oracles none = oracles(std::string("ns3: {topology: ") + topology + "}\n");
    EXPECT_EQ(none.sum_of_links_mbps, 0);
    EXPECT_FALSE(none.completion_bound_s);
    EXPECT_EQ(none.unbounded, "paths begin with a radio of ns-3");
  }
}

TEST(Oracles, ABaselineHasOnePath) {
  const auto scenario = parse_scenario(std::string(kTwo) + "baseline: best_path\n", "two.yaml");
  ASSERT_TRUE(scenario);
  EXPECT_FALSE(scenario->endpoints.first_path);  // is measured: sim/run/best_path.h
  EXPECT_FALSE(scenario->endpoints.multipath());
  EXPECT_EQ(parse_scenario(kTwo, "two.yaml", {"baseline=path b"})->first_path(), 1u);
  EXPECT_EQ(parse_scenario(kTwo, "two.yaml", {"endpoints.engine=ngtcp2"})->baseline, Baseline::best_path);
}

}  // namespace
}  // namespace mpquic::sim
