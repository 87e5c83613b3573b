#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "sim/link/impairment.h"
#include "tests/unit/link/link_bench.h"

namespace mpquic::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr BurstLossConfig kBursts{.mean_good = milliseconds(900), .mean_bad = milliseconds(100)};

std::vector<bool> losses_of(const BurstLossConfig& config, Duration spacing, Duration length) {
  BurstLoss loss(config, {.seed = 7, .entity = 3});
  std::vector<bool> lost;
  for (Instant at{}; at < Instant{} + length; at += spacing) {
    Fate fate;
    loss.apply(fate, at);
    lost.push_back(fate.lost);
  }
  return lost;
}

TEST(BurstLoss, HasItsMeanLossAndBurstLength) {
  const std::vector<bool> lost = losses_of(kBursts, milliseconds(1), seconds(4000));
  std::size_t packets = 0;
  std::size_t bursts = 0;
  for (std::size_t i = 0; i < lost.size(); ++i) {
    packets += lost[i];
    bursts += lost[i] && (i == 0 || !lost[i - 1]);
  }
  EXPECT_DOUBLE_EQ(kBursts.mean_loss(), 0.1);
  // The share of time in the bad state has the deviation sqrt(2 g^2 b^2 / ((g + b)^3 T)): 0.2 % here.
  EXPECT_NEAR(static_cast<double>(packets) / static_cast<double>(lost.size()), 0.1, 0.008);
  // 4000 bursts with exponential lengths of 100 packets in the mean: 1.6 packets of deviation.
  EXPECT_NEAR(static_cast<double>(packets) / static_cast<double>(bursts), 100.5, 6.5);
  EXPECT_NEAR(static_cast<double>(bursts), 4000, 4 * std::sqrt(4000.0));
}

TEST(BurstLoss, TheStateFollowsTheTimeNotThePackets) {
  const std::vector<bool> dense = losses_of(kBursts, milliseconds(1), seconds(100));
  const std::vector<bool> sparse = losses_of(kBursts, milliseconds(50), seconds(100));
  for (std::size_t i = 0; i < sparse.size(); ++i) ASSERT_EQ(sparse[i], dense[i * 50]) << i;
}

TEST(BurstLoss, EachStateHasItsOwnProbability) {
  BurstLossConfig config = kBursts;
  config.loss_good = 0.01;
  config.loss_bad = 0.5;
  const std::vector<bool> lost = losses_of(config, milliseconds(1), seconds(2000));
  const auto count = std::ranges::count(lost, true);
  EXPECT_NEAR(static_cast<double>(count) / static_cast<double>(lost.size()), config.mean_loss(), 0.008);
}

TEST(BurstLoss, CostsThePacketsOfItsLink) {
  LinkConfig config = ten_mbit();
  config.burst_loss = BurstLossConfig{.mean_good = milliseconds(80), .mean_bad = milliseconds(20)};
  Bench bench(config);
  bench.stream(100, milliseconds(1), seconds(60));
  bench.run();
  EXPECT_NEAR(static_cast<double>(bench.lost(LinkDrop::loss)) / 60'000, 0.2, 0.04);
}

TEST(Impairments, TruncatedPacketsAreShorterAndArrive) {
  LinkConfig config = ten_mbit();
  config.truncate = 0.5;
  Bench bench(config);
  bench.stream(1000, milliseconds(1), seconds(2));
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 2000u);
  const auto shorter = std::ranges::count_if(bench.arrivals, [](const Arrival& a) { return a.bytes < 1028; });
  EXPECT_EQ(static_cast<std::uint64_t>(shorter), bench.link.counters().truncated);
  EXPECT_NEAR(static_cast<double>(shorter), 1000, 4 * std::sqrt(500.0));
}

TEST(Impairments, DuplicatesArriveTwice) {
  LinkConfig config = ten_mbit();
  config.duplicate = 0.25;
  Bench bench(config);
  bench.stream(100, milliseconds(1), seconds(4));
  bench.run();
  EXPECT_EQ(bench.arrivals.size(), 4000 + bench.link.counters().duplicated);
  EXPECT_NEAR(static_cast<double>(bench.link.counters().duplicated), 1000, 4 * std::sqrt(750.0));
}

TEST(Impairments, WhatDropsEctDropsEveryMark) {
  LinkConfig config = ten_mbit();
  config.drops_ect = true;
  config.bleach = true;  // too late
  Bench bench(config);
  for (const Ecn ecn : {Ecn::ect0, Ecn::not_ect, Ecn::ect1, Ecn::ce}) bench.send(100, {.ecn = ecn});
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 1u);
  EXPECT_EQ(bench.arrivals[0].ecn, Ecn::not_ect);
  EXPECT_EQ(bench.lost(LinkDrop::ect), 3u);
  EXPECT_EQ(bench.link.counters().bleached, 0u);
}

TEST(Impairments, BleachingClearsEveryEcnField) {
  LinkConfig config = ten_mbit();
  config.bleach = true;
  Bench bench(config);
  for (const Ecn ecn : {Ecn::not_ect, Ecn::ect0, Ecn::ect1, Ecn::ce}) bench.send(100, {.ecn = ecn});
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 4u);
  for (const Arrival& arrival : bench.arrivals) EXPECT_EQ(arrival.ecn, Ecn::not_ect);
  EXPECT_EQ(bench.link.counters().bleached, 3u);
}

}  // namespace
}  // namespace mpquic::sim
