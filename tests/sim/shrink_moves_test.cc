// What the shrinker tries must be cases that a seed could have drawn.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/swarm/shrink_moves.h"

namespace mpquic::sim::swarm {
namespace {

Case two_paths(const std::vector<Fields>& events) {
  Case made;
  made.top = {{"name", "made"}, {"max_stall", "120s"}};
  made.paths = {{{"name", "p0"}, {"rate", "2000kbit/s"}, {"rtt", "20ms"}},
                {{"name", "p1"}, {"rate", "3000kbit/s"}, {"rtt", "30ms"}}};
  made.workloads = {{{"kind", "bulk"}, {"bytes", "12kB"}}};
  made.events = events;
  heal_at(made, 500);
  return made;
}

TEST(ShrinkMoves, FiguresKeepTheirUnitAndTheirBounds) {
  EXPECT_EQ(scaled("12kB", {.times = 3, .over = 2}), "18kB");
  EXPECT_EQ(scaled("12kB", {.times = 9, .most = 50}), "50kB");
  EXPECT_EQ(scaled("1", {.over = 2}), "1");
  EXPECT_EQ(scaled("on", {.over = 2}), "on");
}

TEST(ShrinkMoves, APathTakesItsEventsAlongOrLeavesThemToAnother) {
  const Case whole = two_paths({{{"at", "5ms"}, {"do", "set_rate"}, {"path", "p1"}, {"value", "400kbit/s"}}});
  const auto fewer = without_path(whole, 1);
  ASSERT_EQ(fewer.size(), 2U);
  EXPECT_EQ(fewer[0].events.size(), 1U) << "heal alone";
  EXPECT_EQ(fewer[1].events[0].get("path"), "p0");
  EXPECT_EQ(fewer[1].paths.size(), 1U);
}

TEST(ShrinkMoves, WhatMayEndAPathDoesNotGetToTheFirstOne) {
  for (const char* verb : {"abandon_path", "silent_death", "link_down", "address_change", "nat_rebind", "handover"})
    EXPECT_EQ(without_path(two_paths({{{"at", "5ms"}, {"do", verb}, {"path", "p1"}}}), 1).size(), 1U) << verb;
}

TEST(ShrinkMoves, APathLeavesItsGroupsAndAGroupOfOneIsNone) {
  Case whole = two_paths({});
  whole.paths.push_back({{"name", "p2"}, {"rate", "3000kbit/s"}, {"rtt", "30ms"}});
  whole.groups = {{{"paths", "[p0, p1, p2]"}, {"length", "50ms"}}, {{"paths", "[p1, p2]"}, {"length", "50ms"}}};
  const Case fewer = without_path(whole, 1).front();
  ASSERT_EQ(fewer.groups.size(), 1U);
  EXPECT_EQ(fewer.groups[0].get("paths"), "[p0, p2]");
  EXPECT_TRUE(to_scenario(fewer)) << to_scenario(fewer).error();
}

TEST(ShrinkMoves, LinksOfABottleneckGetRatesOfTheirOwn) {
  Case whole = two_paths({});
  whole.bottlenecks = {{{"name", "b0"}, {"rate", "5000kbit/s"}, {"queue", "50ms"}}};
  whole.paths[1].set("up", "{shared: b0}");
  whole.paths[1].set("rate_process", "{spread: 0.3}");
  ASSERT_TRUE(to_scenario(whole)) << to_scenario(whole).error();
  const auto plain = without_bottleneck(whole, 0);
  ASSERT_EQ(plain.size(), 2U);
  EXPECT_EQ(plain[0].paths[1].get("rate"), "3000kbit/s");
  EXPECT_EQ(plain[1].paths[1].get("rate"), "5000kbit/s");
  for (const Case& each : plain) {
    EXPECT_TRUE(each.bottlenecks.empty());
    EXPECT_TRUE(each.paths[1].get("up").empty());
    EXPECT_TRUE(to_scenario(each)) << to_scenario(each).error();
  }
}

TEST(ShrinkMoves, APlainPathHasItsRateAndItsRoundTripAlone) {
  Case whole = two_paths({});
  whole.paths[1].set("jitter", "{deviation: 5ms}");
  whole.paths[1].set("nat", "{idle_timeout: 2s}");
  EXPECT_EQ(with_plain_path(whole, 1), two_paths({}));
}

TEST(ShrinkMoves, AChangedFigureIsThereFromTheStart) {
  const auto event = [](const char* verb, const char* value) {
    return two_paths({{{"at", "5ms"}, {"do", verb}, {"path", "p1"}, {"value", value}}});
  };
  EXPECT_EQ(without_change(event("set_rate", "400kbit/s"), 0).front().paths[1].get("rate"), "400kbit/s");
  EXPECT_EQ(without_change(event("set_delay", "7ms"), 0).front().paths[1].get("rtt"), "14ms");
  EXPECT_EQ(without_change(event("set_loss", "2.5%"), 0).front().paths[1].get("loss"), "2.5%");
  EXPECT_EQ(without_change(event("set_loss", "2.5%"), 0).front().events.size(), 1U);
  EXPECT_TRUE(without_change(event("path_status", "backup"), 0).empty());
}

TEST(ShrinkMoves, ShakenCasesLoadAreAsLargeAndHealAfterEverything) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Case calm = draw(seed, {});
    for (std::size_t attempt = 0; attempt < 8; ++attempt) {
      const Case other = shaken(calm, attempt);
      EXPECT_EQ(other, shaken(calm, attempt));
      EXPECT_NE(other.seed, calm.seed);
      EXPECT_EQ(other.paths.size(), calm.paths.size());
      ASSERT_EQ(other.events.size(), calm.events.size());
      const auto last = std::ranges::max_element(other.events, {}, end_of);
      EXPECT_TRUE(is_heal(*last) || end_of(*last) == end_of(other.events.back())) << to_yaml(other);
      const auto scenario = to_scenario(other);
      ASSERT_TRUE(scenario) << scenario.error() << "\n" << to_yaml(other);
    }
  }
}

}  // namespace
}  // namespace mpquic::sim::swarm
