#include "sim/link/link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace mpquic::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Arrival {
  std::uint64_t serial;
  Instant at;
  std::byte first;
};
struct Loss {
  std::uint64_t serial;
  LinkDrop reason;
};

/// One link with its own clock, and a record of what comes out.
class Bench final : public LinkObserver {
 public:
  explicit Bench(const LinkConfig& config, std::uint64_t seed = 1)
      : link(LinkId(0), config, {.events = events, .pool = pool, .observer = *this}, seed) {}

  void send(std::size_t payload) {
    const PacketRef ref = pool.acquire();
    pool[ref] = {
        .tuple = {}, .sent_at = events.now(), .serial = next_serial++, .size = static_cast<std::uint32_t>(payload)};
    std::ranges::fill(pool.bytes(ref), std::byte{0});
    link.offer(ref);
  }
  void run_until(Instant end) {
    while (events.next_time() && *events.next_time() <= end) step();
  }
  void run() {
    while (!events.empty()) step();
  }
  [[nodiscard]] std::size_t lost(LinkDrop reason) const {
    return static_cast<std::size_t>(std::ranges::count(losses, reason, &Loss::reason));
  }

  EventQueue events;
  PacketPool pool{1500};
  std::vector<Arrival> arrivals;
  std::vector<Loss> losses;
  Link link;
  std::uint64_t next_serial = 0;

 private:
  void step() {
    const SimEvent event = *events.pop();
    if (event.kind == EventKind::link_serviced) link.on_serviced();
    if (event.kind == EventKind::link_arrival) link.on_arrival();
    if (event.kind == EventKind::link_straggler)
      link.on_straggler(PacketRef(static_cast<std::uint32_t>(event.payload)));
  }
  void on_delivered(LinkId, PacketRef ref) override {
    std::byte any{0};
    for (const std::byte b : pool.bytes(ref)) any |= b;
    arrivals.push_back({pool[ref].serial, events.now(), any});
    pool.release(ref);
  }
  void on_dropped(LinkId, PacketRef ref, LinkDrop reason) override {
    losses.push_back({pool[ref].serial, reason});
    pool.release(ref);
  }
};

LinkConfig ten_mbit() {
  LinkConfig config;
  config.rate = Bandwidth::from_bits_per_second(10'000'000);
  config.delay = milliseconds(5);
  config.queue = ByteCount(100'000);
  return config;
}

Instant at_us(int us) { return Instant{} + microseconds(us); }

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
  bench.link.set_up(false);
  bench.send(1222);
  bench.run();
  EXPECT_TRUE(bench.arrivals.empty());
  EXPECT_EQ(bench.lost(LinkDrop::down), 11u);
  bench.link.set_up(true);
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
  bench.link.set_up(false);
  bench.link.set_up(true);
  bench.run();
  EXPECT_TRUE(bench.arrivals.empty());
  EXPECT_TRUE(bench.link.counters().conserved());
}

TEST(Link, CorruptionFlipsABit) {
  LinkConfig config = ten_mbit();
  config.corrupt = 1;
  Bench bench(config);
  bench.send(1000);
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 1u);
  EXPECT_EQ(std::popcount(std::to_integer<unsigned>(bench.arrivals[0].first)), 1);
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
    if (rng.below(3) == 0) bench.run_until(bench.events.now() + microseconds(rng.below(4000)));
    if (rng.below(100) == 0) bench.link.set_up(!bench.link.up());
    ASSERT_TRUE(bench.link.counters().conserved());
    ASSERT_EQ(bench.link.counters().held, bench.pool.in_use());
  }
  bench.run();
  EXPECT_EQ(bench.pool.in_use(), 0u);
  EXPECT_EQ(bench.link.counters().held, 0u);
}

TEST(Link, SteadyStateAllocatesNoBuffers) {
  Bench bench(ten_mbit());
  for (int i = 0; i < 100; ++i) bench.send(1000);
  bench.run();
  const std::size_t warm = bench.pool.allocated();
  for (int i = 0; i < 10'000; ++i) {
    bench.send(1000);
    if (i % 50 == 0) bench.run();
  }
  EXPECT_EQ(bench.pool.allocated(), warm);
}

}  // namespace
}  // namespace mpquic::sim
