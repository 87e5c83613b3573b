#include "sim/link/bottleneck.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "tests/unit/link/link_bench.h"

namespace mpquic::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two links that feed one bottleneck, and a clock.
class SharedBench final : public LinkObserver {
 public:
  explicit SharedBench(const BottleneckConfig& config)
      : bottleneck(config, {.seed = 1, .entity = 99}),
        links{std::make_unique<Link>(LinkId(0), LinkConfig{}, services(), 1),
              std::make_unique<Link>(LinkId(1), LinkConfig{}, services(), 1)} {}
  void send(std::size_t link, std::uint32_t bytes) {
    const PacketRef ref = store.add({.sent = now, .bytes = bytes});
    links[link]->offer({.ref = ref, .bytes = bytes, .flow = static_cast<std::uint32_t>(link)}, now);
  }
  void run_until(Instant end) {
    while (true) {
      Deadline next = bottleneck.next_deadline();
      for (const auto& link : links) next = earlier(next, link->next_deadline());
      if (!next || *next > end) break;
      now = *next;
      bottleneck.on_deadline(now);
      for (const auto& link : links) link->on_deadline(now);
    }
    now = end;
  }

  Instant now{};
  TestStore store;
  Bottleneck bottleneck;
  std::array<std::unique_ptr<Link>, 2> links;
  std::array<std::uint64_t, 2> received{};

 private:
  Link::Services services() { return {.store = store, .observer = *this, .shared = &bottleneck}; }
  void on_delivered(LinkId link, PacketRef ref) override { received[link.value()] += store.take(ref).bytes; }
  void on_dropped(LinkId, PacketRef ref, LinkDrop) override { static_cast<void>(store.take(ref)); }
};

TEST(SharedBottleneck, LinksShareOneRateAndPacketsReturnToTheirOwnLink) {
  BottleneckConfig config{.rate = Bandwidth::from_bits_per_second(10'000'000), .queue = ByteCount(50'000)};
  config.discipline.kind = QueueKind::fq_codel;
  SharedBench bench(config);
  for (int i = 0; i < 10'000; ++i) {
    bench.run_until(at_us(i * 1000));
    bench.send(0, 1250);  // 10 Mbit/s
    bench.send(1, 1250);
    if (i % 2 == 0) bench.send(1, 1250);  // 15 Mbit/s
  }
  const double mbps = 8 / 10e6;
  EXPECT_NEAR(static_cast<double>(bench.received[0] + bench.received[1]) * mbps, 10, 0.05);
  EXPECT_NEAR(static_cast<double>(bench.received[0]) * mbps, 5, 0.1);
  EXPECT_TRUE(bench.links[0]->counters().conserved());
  EXPECT_TRUE(bench.links[1]->counters().conserved());
}

TEST(SharedBottleneck, AnOutageOfOneLinkLeavesTheOtherAlone) {
  SharedBench bench({.rate = Bandwidth::from_bits_per_second(10'000'000), .queue = ByteCount(1'000'000)});
  for (int i = 0; i < 10; ++i) {
    bench.send(0, 1250);
    bench.send(1, 1250);
  }
  bench.links[0]->begin_outage(bench.now);
  bench.run_until(at_us(1'000'000));
  EXPECT_EQ(bench.received[0], 0u);
  EXPECT_EQ(bench.received[1], 12'500u);
  EXPECT_EQ(bench.links[0]->counters().dropped_for(LinkDrop::down), 10u);
  EXPECT_EQ(bench.store.in_use(), 0u);
}

TEST(SharedBottleneck, ARateThatIsSetHoldsForAllItsLinks) {
  SharedBench bench({.rate = Bandwidth::from_bits_per_second(10'000'000), .queue = ByteCount(1'000'000)});
  bench.links[0]->set_rate(Bandwidth::from_bits_per_second(3'000'000));
  for (const auto& link : bench.links) EXPECT_EQ(link->rate().bits_per_second(), 3'000'000u);
}

LinkConfig beside(const CrossTrafficConfig& cross) {
  LinkConfig config = ten_mbit();
  config.delay = Duration::zero();
  config.queue = ByteCount(10'000'000);
  config.cross_traffic = cross;
  return config;
}

TEST(CrossTraffic, PoissonArrivalsCauseTheDelayOfAnMd1Queue) {
  // 5 Mbit/s in packets of 1 ms: load 0.5, so the mean wait is 0.5 * 1 ms / (2 * (1 - 0.5)) = 0.5 ms.
  Bench bench(beside({.rate = Bandwidth::from_bits_per_second(5'000'000), .bytes = 1250}));
  bench.stream(1, microseconds(20'300), seconds(600));
  double sum = 0;
  for (const Arrival& arrival : bench.arrivals) sum += to_milliseconds(arrival.took()) - 29 * 8 / 10e3;
  EXPECT_NEAR(sum / static_cast<double>(bench.arrivals.size()), 0.5, 0.04);
}

TEST(CrossTraffic, OccupiesItsShareAndIsConserved) {
  const CrossTrafficConfig cross{.rate = Bandwidth::from_bits_per_second(4'000'000), .bytes = 1250};
  LinkConfig config = beside(cross);
  config.queue = ByteCount(50'000);
  Bench bench(config);
  bench.stream(1222, milliseconds(1), seconds(60));  // 10 Mbit/s into what is left of 10
  const auto& counters = bench.link.bottleneck().cross_traffic();
  EXPECT_NEAR(static_cast<double>(counters.offered), 60 * 400, 4 * std::sqrt(60 * 400));
  EXPECT_LE(counters.served + counters.dropped, counters.offered);
  const double served = static_cast<double>(counters.served + bench.arrivals.size());
  EXPECT_NEAR(served, 60'000, 50);
  EXPECT_TRUE(bench.link.counters().conserved());
}

TEST(CrossTraffic, AnOnOffSourceIsOnForItsShareOfTheTime) {
  Bench bench(beside({.rate = Bandwidth::from_bits_per_second(5'000'000),
                      .bytes = 1250,
                      .mean_on = milliseconds(300),
                      .mean_off = milliseconds(700)}));
  bench.run_until(at_us(2'000'000'000));
  // 500 packets a second for 30 % of 2000 s. The share's deviation is sqrt(2 * 0.3^2 * 0.7^2 / 2000) = 0.7 %.
  EXPECT_NEAR(static_cast<double>(bench.link.bottleneck().cross_traffic().offered), 300'000, 28'000);
}

}  // namespace
}  // namespace mpquic::sim
