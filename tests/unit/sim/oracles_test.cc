#include "sim/oracles.h"

#include <gtest/gtest.h>

#include "sim/scenario_loader.h"

namespace mpquic::sim {
namespace {

// D = 1452: capacity = rate * 1425 / 1480.
constexpr double kShare = 1425.0 / 1480.0;
constexpr const char* kTwo = R"(name: two
paths:
  - {name: a, rate: 8Mbit/s, rtt: 20ms}
  - {name: b, rate: 4Mbit/s, rtt: 100ms}
workloads: [{kind: bulk, bytes: 1MB}]
)";

Oracles oracles(const std::string& more = "", const std::vector<std::string>& overrides = {}) {
  const auto scenario = parse_scenario(kTwo + more, "two.yaml", overrides);
  EXPECT_TRUE(scenario) << scenario.error();
  return oracles_of(*scenario);
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
              0.5 + 2 * (alone - 0.010 - 0.5) + 0.010, 1e-6);
  EXPECT_NEAR(
      *oracles("events: [{at: 0s, do: set_delay, path: a, value: 40ms}]\n", {"paths.1.use=off"}).completion_bound_s,
      alone + 0.030, 1e-6);
  EXPECT_NEAR(*oracles("", {"paths.1.use=off", "workloads.0.start=2s"}).completion_bound_s, alone + 2, 1e-6);
  // One way only: the other way's outage does not matter to an upload.
  EXPECT_NEAR(*oracles("events: [{at: 500ms, do: silent_death, path: a, direction: down}]\n", {"paths.1.use=off"})
                   .completion_bound_s,
              alone, 1e-6);
}

TEST(Oracles, WhatCannotArriveHasNoBound) {
  const Oracles none = oracles("events: [{at: 100ms, do: silent_death, path: all}]\n");
  EXPECT_FALSE(none.completion_bound_s);
  EXPECT_FALSE(none.single_path_bound_s);
}

TEST(Oracles, RatesThatVaryHaveNoBoundAndSayWhy) {
  const Oracles varying = oracles("", {"paths.1.rate_process.spread=0.3"});
  EXPECT_FALSE(varying.completion_bound_s);
  EXPECT_FALSE(varying.single_path_bound_s);
  EXPECT_NE(varying.unbounded.find("rate of b"), std::string::npos) << varying.unbounded;
  EXPECT_NEAR(varying.sum_of_links_mbps, 12 * kShare, 1e-9);
  EXPECT_FALSE(oracles("", {"paths.1.jitter.deviation=2ms"}).completion_bound_s);
  EXPECT_TRUE(oracles("", {"paths.1.down.jitter.deviation=2ms"}).completion_bound_s);  // the data goes up
  EXPECT_TRUE(oracles("", {"paths.1.use=off", "paths.1.jitter.deviation=2ms"}).completion_bound_s);
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
  const Oracles both = oracles_of(*scenario);
  EXPECT_NEAR(both.sum_of_links_mbps, 14 * kShare, 1e-9);
  EXPECT_FALSE(both.completion_bound_s);
}

TEST(Oracles, ALineOfNs3CapsThePathsBehindIt) {
  const Oracles both = oracles("ns3: {topology: shared_bottleneck, rate: 6Mbit/s}\n");
  EXPECT_NEAR(both.sum_of_links_mbps, 6 * kShare, 1e-9);
  EXPECT_NEAR(both.best_link_mbps, 6 * kShare, 1e-9);
  EXPECT_FALSE(both.completion_bound_s);
  EXPECT_EQ(both.unbounded, "paths share a line of ns-3");
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
  EXPECT_FALSE(scenario->endpoints.first_path);  // is measured: sim/best_path.h
  EXPECT_FALSE(scenario->endpoints.multipath());
  EXPECT_EQ(parse_scenario(kTwo, "two.yaml", {"baseline=path b"})->first_path(), 1u);
  EXPECT_EQ(parse_scenario(kTwo, "two.yaml", {"endpoints.engine=ngtcp2"})->baseline, Baseline::best_path);
}

}  // namespace
}  // namespace mpquic::sim
