#include "sim/link/link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/heap.h"
#include "tests/unit/link/link_bench.h"

namespace mpquic::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(Link, TakesSerialisationAndPropagationTime) {
  Bench bench(ten_mbit());
  bench.send(1222);  // 1250 bytes with IP and UDP: 1 ms at 10 Mbit/s
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 1u);
  EXPECT_EQ(bench.arrivals[0].at, at_us(6000));
}

TEST(Link, PacketsFollowEachOtherAtTheRate) {
  Bench bench(ten_mbit());
  for (int i = 0; i < 10; ++i) bench.send(1222);
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bench.arrivals[i].at, at_us(6000 + 1000 * i));
}

TEST(Link, AFullQueueRefusesTheNewest) {
  LinkConfig config = ten_mbit();
  config.queue = ByteCount(2500);  // two packets wait, one is in service
  Bench bench(config);
  for (int i = 0; i < 5; ++i) bench.send(1222);
  bench.run();
  EXPECT_EQ(bench.arrivals.size(), 3u);
  ASSERT_EQ(bench.lost(LinkDrop::queue_full), 2u);
  EXPECT_EQ(bench.losses[0].serial, 3u);
}

TEST(Link, AQueueSmallerThanAPacketStillHoldsOne) {
  LinkConfig config = ten_mbit();
  config.queue = ByteCount(0);
  Bench bench(config);
  for (int i = 0; i < 3; ++i) bench.send(1222);
  bench.run();
  EXPECT_EQ(bench.arrivals.size(), 2u);
}

TEST(Link, AShorterDelayNeverReorders) {
  Bench bench(ten_mbit());
  for (int i = 0; i < 3; ++i) bench.send(1222);
  bench.run_until(at_us(1500));
  bench.link.set_delay(milliseconds(1));
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 3u);
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(bench.arrivals[i].serial, i);
  EXPECT_EQ(bench.arrivals[0].at, at_us(6000));
  EXPECT_EQ(bench.arrivals[1].at, at_us(6000));  // left at 2 ms with 1 ms of delay: held back behind the first
}

TEST(Link, ARateChangeAppliesToTheNextPacket) {
  Bench bench(ten_mbit());
  bench.send(1222);
  bench.send(1222);
  bench.link.set_rate(Bandwidth::from_bits_per_second(1'000'000));
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 2u);
  EXPECT_EQ(bench.arrivals[0].at, at_us(6000));
  EXPECT_EQ(bench.arrivals[1].at, at_us(16000));
}

TEST(Link, LosesTheAskedForShare) {
  LinkConfig config = ten_mbit();
  config.loss = 0.1;
  Bench bench(config);
  for (int i = 0; i < 20'000; ++i) {
    bench.send(100);
    bench.run();
  }
  EXPECT_NEAR(static_cast<double>(bench.lost(LinkDrop::loss)), 2000.0, 150.0);
}

TEST(Link, EqualSeedsLoseTheSamePackets) {
  LinkConfig config = ten_mbit();
  config.loss = 0.3;
  const auto serials = [&](std::uint64_t seed) {
    Bench bench(config, seed);
    for (int i = 0; i < 100; ++i) {
      bench.send(100);
      bench.run();
    }
    std::vector<std::uint64_t> out;
    for (const Loss& loss : bench.losses) out.push_back(loss.serial);
    return out;
  };
  EXPECT_EQ(serials(5), serials(5));
  EXPECT_NE(serials(5), serials(6));
}

TEST(Link, AnotherKnobDoesNotMoveTheLosses) {
  LinkConfig config = ten_mbit();
  config.loss = 0.3;
  Bench plain(config);
  config.duplicate = 0.5;
  Bench duplicating(config);
  for (int i = 0; i < 200; ++i) {
    for (Bench* bench : {&plain, &duplicating}) {
      bench->send(100);
      bench->run();
    }
  }
  ASSERT_EQ(plain.losses.size(), duplicating.losses.size());
  for (std::size_t i = 0; i < plain.losses.size(); ++i) EXPECT_EQ(plain.losses[i].serial, duplicating.losses[i].serial);
}

TEST(Link, DownLosesEverythingOnTheWay) {
  Bench bench(ten_mbit());
  for (int i = 0; i < 10; ++i) bench.send(1222);
  bench.run_until(at_us(3500));  // three on the wire, one in service, six waiting
  bench.link.set_up(false, bench.now);
  bench.send(1222);
  bench.run();
  EXPECT_TRUE(bench.arrivals.empty());
  EXPECT_EQ(bench.lost(LinkDrop::down), 11u);
  bench.link.set_up(true, bench.now);
  bench.send(1222);
  bench.run();
  EXPECT_EQ(bench.arrivals.size(), 1u);
}

TEST(Link, APacketOverTheMtuVanishes) {
  LinkConfig config = ten_mbit();
  config.mtu = 1300;
  Bench bench(config);
  bench.send(1272);
  bench.send(1273);
  bench.run();
  EXPECT_EQ(bench.arrivals.size(), 1u);
  EXPECT_EQ(bench.lost(LinkDrop::too_big), 1u);
}

TEST(Link, AnotherMtuHoldsForWhatComesFromThenOn) {
  Bench bench(ten_mbit());
  bench.send(1272);  // waits already
  bench.link.set_mtu(1280);
  bench.send(1272);
  bench.send(1252);
  bench.link.set_mtu(1500);
  bench.send(1272);
  bench.run();
  EXPECT_EQ(bench.arrivals.size(), 3u);
  EXPECT_EQ(bench.lost(LinkDrop::too_big), 1u);
}

TEST(Link, ReorderingDelaysSomeOutsideTheFifo) {
  LinkConfig config = ten_mbit();
  config.reorder = 0.2;
  config.reorder_delay = milliseconds(20);
  Bench bench(config);
  for (int i = 0; i < 50; ++i) bench.send(1222);
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 50u);
  EXPECT_FALSE(std::ranges::is_sorted(bench.arrivals, {}, &Arrival::serial));
}

TEST(Link, AStragglerDoesNotSurviveAnOutage) {
  LinkConfig config = ten_mbit();
  config.reorder = 1;
  config.reorder_delay = milliseconds(20);
  Bench bench(config);
  bench.send(1222);
  bench.run_until(at_us(2000));
  bench.link.set_up(false, bench.now);
  bench.link.set_up(true, bench.now);
  bench.run();
  EXPECT_TRUE(bench.arrivals.empty());
  EXPECT_TRUE(bench.link.counters().conserved());
}

TEST(Link, CorruptedPacketsArrive) {
  LinkConfig config = ten_mbit();
  config.corrupt = 1;
  Bench bench(config);
  bench.send(1000);
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 1u);
  EXPECT_TRUE(bench.arrivals[0].corrupted);
  EXPECT_EQ(bench.link.counters().corrupted, 1u);
}

TEST(Link, PacketsAreConservedUnderEverythingAtOnce) {
  LinkConfig config = ten_mbit();
  config.queue = ByteCount(20'000);
  config.loss = 0.05;
  config.duplicate = 0.1;
  config.reorder = 0.1;
  config.corrupt = 0.1;
  Bench bench(config);
  SeededRng rng(3);
  for (int i = 0; i < 5000; ++i) {
    bench.send(50 + rng.below(1500));
    if (rng.below(3) == 0) bench.run_until(bench.now + microseconds(rng.below(4000)));
    if (rng.below(100) == 0) bench.link.set_up(!bench.link.up(), bench.now);
    ASSERT_TRUE(bench.link.counters().conserved());
    ASSERT_EQ(bench.link.counters().held, bench.store.in_use());
  }
  bench.run();
  EXPECT_EQ(bench.store.in_use(), 0u);
  EXPECT_EQ(bench.link.counters().held, 0u);
}

TEST(Link, SteadyStateAllocatesNothing) {
  LinkConfig config = ten_mbit();
  config.loss = 0.01;
  config.reorder = 0.1;
  config.jitter = JitterConfig{.deviation = milliseconds(1)};
  for (const QueueKind kind :
       {QueueKind::drop_tail, QueueKind::drop_front, QueueKind::codel, QueueKind::fq_codel, QueueKind::pie}) {
    config.discipline.kind = kind;
    Bench bench(config);
    const auto load = [&] { bench.stream(1000, microseconds(500), std::chrono::seconds(10)); };
    load();
    load();
    bench.arrivals.reserve(100'000);
    bench.losses.reserve(100'000);
    const std::size_t warm = test::allocation_count();
    load();
    EXPECT_EQ(test::allocation_count(), warm) << name_of(kind);
  }
}

}  // namespace
}  // namespace mpquic::sim
