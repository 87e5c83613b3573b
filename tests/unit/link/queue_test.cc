// The disciplines, each in front of a link of 10 Mbit/s whose packets take 1 ms.
#include <gtest/gtest.h>

#include <cmath>

#include "sim/link/pie.h"
#include "tests/unit/link/link_bench.h"

namespace mpquic::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

LinkConfig with(QueueKind kind) {
  LinkConfig config = ten_mbit();
  config.delay = Duration::zero();
  config.discipline.kind = kind;
  return config;
}

/// Mean time in queue and transmitter of what arrived after `from`, in ms.
double mean_delay_ms(const Bench& bench, Instant from) {
  double sum = 0;
  int count = 0;
  for (const Arrival& arrival : bench.arrivals) {
    if (arrival.sent < from) continue;
    sum += to_milliseconds(arrival.took());
    ++count;
  }
  return sum / count;
}

TEST(Queue, DropTailByPackets) {
  LinkConfig config = with(QueueKind::drop_tail);
  config.discipline.packets = 3;
  Bench bench(config);
  for (int i = 0; i < 10; ++i) bench.send(10);
  bench.run();
  EXPECT_EQ(bench.arrivals.size(), 4u);  // one in service
  EXPECT_EQ(bench.losses.front().serial, 4u);
}

TEST(Queue, DropTailByAgeRefusesWhileTheFirstPacketIsTooOld) {
  LinkConfig config = with(QueueKind::drop_tail);
  config.discipline.age = milliseconds(20);
  Bench bench(config);
  bench.stream(kPayload, microseconds(500), seconds(5));  // twice the rate
  bench.run();
  Duration longest{};
  for (const Arrival& arrival : bench.arrivals) longest = std::max(longest, arrival.took());
  EXPECT_GT(longest, milliseconds(20));
  EXPECT_LT(longest, milliseconds(45));  // who joins behind a packet of 20 ms waits for the 40 that joined meanwhile
  EXPECT_NEAR(static_cast<double>(bench.lost(LinkDrop::queue_full)), 5000, 60);
}

TEST(Queue, DropFrontKeepsTheNewest) {
  LinkConfig config = with(QueueKind::drop_front);
  config.queue = ByteCount(2500);
  Bench bench(config);
  for (int i = 0; i < 6; ++i) bench.send(kPayload);
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 3u);
  EXPECT_EQ(bench.arrivals[0].serial, 0u);  // in service already
  EXPECT_EQ(bench.arrivals[1].serial, 4u);
  EXPECT_EQ(bench.arrivals[2].serial, 5u);
}

TEST(Codel, LeavesBurstsShorterThanAnIntervalAlone) {
  Bench bench(with(QueueKind::codel));
  for (int i = 0; i < 80; ++i) bench.send(kPayload);
  bench.run();
  EXPECT_EQ(bench.arrivals.size(), 80u);
}

TEST(Codel, DropsAreSpacedByTheIntervalOverTheSquareRootOfTheirNumber) {
  LinkConfig config = with(QueueKind::codel);
  config.queue = ByteCount(10'000'000);
  Bench bench(config);
  bench.stream(kPayload, microseconds(500), seconds(3));
  ASSERT_GT(bench.lost(LinkDrop::aqm), 30u);
  double expected = to_milliseconds(bench.losses[0].at.time_since_epoch());
  for (std::size_t n = 1; n <= 30; ++n) {
    expected += 100 / std::sqrt(static_cast<double>(n));
    const double at = to_milliseconds(bench.losses[n].at.time_since_epoch());
    EXPECT_GE(at, expected - 1e-3) << n;
    EXPECT_LE(at, expected + 1.01) << n;  // drops happen when a packet leaves, every millisecond
  }
}

TEST(Codel, HoldsAStandingQueueNearTheTarget) {
  Bench bench(with(QueueKind::codel));
  bench.stream(kPayload, microseconds(980), seconds(60));  // 2 % too much: droptail would stand at 80 ms
  const double delay = mean_delay_ms(bench, at_us(10'000'000));
  EXPECT_GT(delay, 2);
  EXPECT_LT(delay, 15);
  EXPECT_NEAR(static_cast<double>(bench.lost(LinkDrop::aqm)), 60'000 / 0.98 - 60'000, 150);
  EXPECT_EQ(bench.lost(LinkDrop::queue_full), 0u);
}

TEST(Codel, MarksWhatIsEcnCapableAndDropsTheRest) {
  LinkConfig config = with(QueueKind::codel);
  config.discipline.ecn = true;
  for (const Ecn ecn : {Ecn::ect0, Ecn::not_ect}) {
    Bench bench(config);
    for (int i = 0; i < 4000; ++i) {
      bench.run_until(at_us(i * 980));
      bench.send(kPayload, {.ecn = ecn});
    }
    bench.run();
    const auto marked = std::ranges::count(bench.arrivals, Ecn::ce, &Arrival::ecn);
    EXPECT_EQ(static_cast<std::uint64_t>(marked), bench.link.counters().marked);
    EXPECT_EQ(marked > 0, ecn == Ecn::ect0);
    EXPECT_EQ(bench.lost(LinkDrop::aqm) > 0, ecn == Ecn::not_ect);
  }
}

TEST(Pie, HoldsTheDelayAtItsTargetAndDropsTheExcess) {
  LinkConfig config = with(QueueKind::pie);
  Bench bench(config);
  bench.stream(kPayload, microseconds(909), seconds(120));      // 10 % too much
  EXPECT_NEAR(mean_delay_ms(bench, at_us(30'000'000)), 16, 4);  // 15 ms of queue and 1 ms of service
  const double share = static_cast<double>(bench.lost(LinkDrop::aqm)) / static_cast<double>(bench.next_serial);
  EXPECT_NEAR(share, 1 - 0.909, 0.01);
}

TEST(Pie, AllowsBurstsAtFirst) {
  Bench bench(with(QueueKind::pie));
  bench.stream(kPayload, microseconds(500), milliseconds(140));  // within the burst allowance of 150 ms
  EXPECT_EQ(bench.lost(LinkDrop::aqm), 0u);
}

TEST(Pie, ForgetsCongestionInAnIdleTime) {
  const auto drops = [](Duration idle) {
    Bench bench(with(QueueKind::pie));
    bench.stream(kPayload, microseconds(700), seconds(20));
    bench.run();
    bench.run_until(bench.now + idle);
    const std::size_t before = bench.lost(LinkDrop::aqm);
    bench.stream(kPayload, microseconds(900), milliseconds(140));
    return bench.lost(LinkDrop::aqm) - before;
  };
  EXPECT_GT(drops(Duration::zero()), 0u);
  EXPECT_EQ(drops(seconds(60)), 0u);
}

TEST(Pie, MarksWhileTheProbabilityIsLow) {
  LinkConfig config = with(QueueKind::pie);
  config.discipline.ecn = true;
  Bench bench(config);
  for (int i = 0; i < 30'000; ++i) {
    bench.run_until(at_us(i * 980));
    bench.send(kPayload, {.ecn = Ecn::ect0});
  }
  EXPECT_GT(bench.link.counters().marked, 100u);
}

TEST(FqCodel, FlowsShareTheLinkEvenlyWhateverTheyOffer) {
  LinkConfig config = with(QueueKind::fq_codel);
  Bench bench(config);
  for (int i = 0; i < 20'000; ++i) {  // 10 s
    bench.run_until(at_us(i * 500));
    bench.send(kPayload, {.flow = 1});                   // 20 Mbit/s
    if (i % 3 == 0) bench.send(kPayload, {.flow = 2});   // 6.7 Mbit/s
    if (i % 20 == 0) bench.send(kPayload, {.flow = 3});  // 1 Mbit/s: under its share
  }
  double bytes[4] = {};
  Duration worst{};
  for (const Arrival& arrival : bench.arrivals) {
    bytes[arrival.flow] += arrival.bytes;
    if (arrival.flow == 3) worst = std::max(worst, arrival.took());
  }
  const double mbps = 8 / 10e6;
  EXPECT_NEAR(bytes[1] * mbps, 4.5, 0.1);
  EXPECT_NEAR(bytes[2] * mbps, 4.5, 0.1);
  EXPECT_NEAR(bytes[3] * mbps, 1.0, 0.02);
  EXPECT_LT(worst, milliseconds(6));  // sparse flows go first: one packet in service, and one quantum of each other
}

TEST(FqCodel, AFullQueueDropsFromTheFattestFlow) {
  LinkConfig config = with(QueueKind::fq_codel);
  config.queue = ByteCount(50'000);
  Bench bench(config);
  bench.send(kPayload, {.flow = 2});
  bench.send(kPayload, {.flow = 2});
  for (int i = 0; i < 100; ++i) bench.send(kPayload, {.flow = 1});
  bench.run();
  EXPECT_GT(bench.lost(LinkDrop::queue_full), 50u);
  EXPECT_EQ(std::ranges::count(bench.arrivals, 2u, &Arrival::flow), 2);
}

TEST(Queue, EveryDisciplineConservesPackets) {
  for (const QueueKind kind :
       {QueueKind::drop_tail, QueueKind::drop_front, QueueKind::codel, QueueKind::fq_codel, QueueKind::pie}) {
    LinkConfig config = with(kind);
    config.queue = ByteCount(30'000);
    config.discipline.flows = 4;
    Bench bench(config);
    SeededRng rng(9);
    for (int i = 0; i < 20'000; ++i) {
      bench.send(50 + rng.below(1400), {.flow = static_cast<std::uint32_t>(rng.below(10)), .ecn = Ecn::ect0});
      if (rng.below(3) == 0) bench.run_until(bench.now + microseconds(rng.below(4000)));
      if (rng.below(500) == 0) bench.link.set_up(!bench.link.up(), bench.now);
      ASSERT_TRUE(bench.link.counters().conserved()) << name_of(kind);
      ASSERT_EQ(bench.link.counters().held, bench.store.in_use()) << name_of(kind);
    }
    bench.run();
    EXPECT_EQ(bench.store.in_use(), 0u) << name_of(kind);
  }
}

}  // namespace
}  // namespace mpquic::sim
