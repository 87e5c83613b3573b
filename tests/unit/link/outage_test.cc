#include "sim/link/outage.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/link/link_bench.h"

namespace mpquic::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr RandomStream kRandom{.seed = 5, .stream = 6};

/// Every second, from 500 ms on, for 100 ms.
OutageConfig every_second(OutageMode mode) {
  return {
      .mode = mode,
      .when = {.first = milliseconds(500), .every = seconds(1), .least = milliseconds(100), .most = milliseconds(100)}};
}

TEST(Outage, APeriodicOneLosesWhatMeetsIt) {
  Bench bench(ten_mbit());
  Outage outage(every_second(OutageMode::drop), kRandom, {&bench.link});
  bench.outage = &outage;
  bench.stream(97, milliseconds(1), seconds(10));
  bench.run_until(at_us(10'100'000));
  // 100 that come meanwhile, and those on the way when it begins: 5.1 ms of them.
  EXPECT_NEAR(static_cast<double>(bench.lost(LinkDrop::down)), 10 * 105, 10);
  EXPECT_EQ(bench.lost(LinkDrop::down) + bench.arrivals.size(), 10'000u);
  EXPECT_TRUE(bench.link.up());
}

TEST(Outage, AHoldLosesNothingAndEndsInABurst) {
  Bench bench(ten_mbit());
  Outage outage(every_second(OutageMode::hold), kRandom, {&bench.link});
  bench.outage = &outage;
  bench.stream(97, milliseconds(1), seconds(1));  // 0.1 ms each
  EXPECT_TRUE(bench.losses.empty());
  ASSERT_EQ(bench.arrivals.size(), 995u);
  Duration longest{};
  Duration gap{};
  std::size_t in_burst = 0;
  for (std::size_t i = 1; i < bench.arrivals.size(); ++i) {
    longest = std::max(longest, bench.arrivals[i].took());
    gap = std::max(gap, bench.arrivals[i].at - bench.arrivals[i - 1].at);
    in_burst += bench.arrivals[i].at - bench.arrivals[i - 1].at == std::chrono::microseconds(100);
  }
  EXPECT_GT(longest, milliseconds(104));
  EXPECT_NEAR(to_milliseconds(gap), 101, 2);
  EXPECT_NEAR(static_cast<double>(in_burst), 110, 5);  // at the full rate until the queue has caught up
}

TEST(Outage, HoldsAndScriptsNest) {
  Bench bench(ten_mbit());
  bench.link.begin_hold();
  bench.link.begin_hold();
  bench.send(97);
  bench.link.end_hold(bench.now);
  EXPECT_FALSE(bench.link.next_deadline());
  bench.run_until(at_us(50'000));
  bench.link.end_hold(bench.now);
  bench.run();
  EXPECT_EQ(bench.arrivals.at(0).at, at_us(55'000));
  bench.link.begin_outage(bench.now);
  bench.link.set_up(false, bench.now);
  bench.link.end_outage();
  EXPECT_FALSE(bench.link.up());
  bench.link.set_up(true, bench.now);
  EXPECT_TRUE(bench.link.up());
}

TEST(Outage, RandomOnesHaveTheirMeanGapAndLength) {
  OnOffProcess process(
      {.mean_gap = milliseconds(5400), .least = milliseconds(200), .most = seconds(20), .mean = milliseconds(600)},
      kRandom);
  Duration on{};
  Duration off{};
  Instant last{};
  constexpr int kCycles = 4000;
  for (int i = 0; i < 2 * kCycles; ++i) {
    (process.on() ? on : off) += process.next_change() - last;
    last = process.next_change();
    process.advance();
  }
  EXPECT_NEAR(to_milliseconds(off) / kCycles, 5400, 4 * 5400 / std::sqrt(kCycles));
  EXPECT_NEAR(to_milliseconds(on) / kCycles, 600, 4 * 400 / std::sqrt(kCycles));
}

TEST(Outage, LengthsStayWithinTheirBounds) {
  OnOffProcess process({.every = seconds(15), .least = milliseconds(59), .most = milliseconds(135)}, kRandom);
  for (int i = 0; i < 1000; ++i) {
    const Instant begins = process.next_change();
    EXPECT_EQ(begins, Instant{} + seconds(15) * i);
    process.advance();
    const Duration length = process.next_change() - begins;
    EXPECT_GE(length, milliseconds(59));
    EXPECT_LE(length, milliseconds(135));
    process.advance();
  }
}

TEST(Outage, OneThatIsLongerThanItsPeriodSkipsTurns) {
  OnOffProcess process({.every = milliseconds(100), .least = milliseconds(250), .most = milliseconds(250)}, kRandom);
  process.advance();
  process.advance();
  EXPECT_EQ(process.next_change(), at_us(300'000));
}

TEST(Outage, OneWithoutPeriodOrGapHappensOnce) {
  OnOffProcess process({.first = seconds(2), .least = seconds(1), .most = seconds(1)}, kRandom);
  process.advance();
  process.advance();
  EXPECT_EQ(process.next_change(), kNever);
}

TEST(Outage, LinksOfAGroupFailTogether) {
  Bench one(ten_mbit());
  Bench other(ten_mbit());
  Outage outage({.mode = OutageMode::drop,
                 .when = {.mean_gap = seconds(1), .least = milliseconds(10), .most = milliseconds(500)}},
                kRandom, {&one.link, &other.link});
  int changes = 0;
  for (Instant at{}; at < at_us(60'000'000); at += milliseconds(5)) {
    const bool before = one.link.up();
    outage.on_deadline(at);
    changes += before != one.link.up();
    ASSERT_EQ(one.link.up(), other.link.up());
    ASSERT_EQ(one.link.up(), !outage.active());
  }
  EXPECT_GT(changes, 50);
}

}  // namespace
}  // namespace mpquic::sim
