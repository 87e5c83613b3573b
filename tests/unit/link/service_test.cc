#include "sim/link/service.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/unit/link/link_bench.h"

namespace mpquic::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

Bandwidth mbit(std::uint64_t value) { return Bandwidth::from_bits_per_second(value * 1'000'000); }

/// What a saturated link delivers, in Mbit/s of IP packets.
double saturated_mbps(const ServiceConfig& service, Duration length, std::size_t payload = kPayload) {
  LinkConfig config = ten_mbit();
  config.service = service;
  config.delay = Duration::zero();
  Bench bench(config);
  bench.stream(payload, microseconds(200), length);
  return static_cast<double>(bench.link.counters().delivered_bytes) * 8e-6 / to_seconds(length);
}

TEST(Service, ASaturatedLinkIsUsedInFull) { EXPECT_NEAR(saturated_mbps(FixedRate{}, seconds(10)), 10, 0.001); }

TEST(Service, ATokenBucketPassesABurstAndThenItsRate) {
  LinkConfig config = ten_mbit();
  config.service = BucketRate{.burst = ByteCount(12'500)};
  config.delay = Duration::zero();
  Bench bench(config);
  bench.run_until(at_us(1'000'000));
  for (int i = 0; i < 30; ++i) bench.send(kPayload);
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 30u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bench.arrivals[i].took(), Duration::zero());
  for (int i = 10; i < 30; ++i) EXPECT_EQ(bench.arrivals[i].took(), milliseconds(i - 9));
  EXPECT_NEAR(saturated_mbps(config.service, seconds(10)), 10, 0.02);
}

TEST(Service, ARateTraceIsFollowedAndRepeats) {
  const auto trace = std::make_shared<RateTrace>(RateTrace{{.lasts = milliseconds(100), .value = mbit(10)},
                                                           {.lasts = milliseconds(50), .value = mbit(0)},
                                                           {.lasts = milliseconds(100), .value = mbit(20)}});
  EXPECT_EQ(mean_rate(*trace), mbit(12));
  EXPECT_NEAR(saturated_mbps(std::shared_ptr<const RateTrace>(trace), seconds(25)), 12, 0.01);
}

TEST(Service, APacketThatSpansARateChangeTakesItsTimeFromBoth) {
  const auto trace = std::make_shared<const RateTrace>(RateTrace{{.lasts = milliseconds(100), .value = mbit(10)},
                                                                 {.lasts = milliseconds(50), .value = mbit(0)},
                                                                 {.lasts = milliseconds(100), .value = mbit(20)}});
  TraceService service(trace);
  // 0.4 ms at 10 Mbit/s, 50 ms of nothing, the other 6000 bits at 20 Mbit/s.
  EXPECT_EQ(service.finish(1250, at_us(99'600)), at_us(150'300));
  EXPECT_EQ(service.finish(1250, at_us(150'300)), at_us(150'800));
}

TEST(Service, AfterAFlushTheRateIsThatOfTheTime) {
  const auto trace = std::make_shared<const RateTrace>(
      RateTrace{{.lasts = milliseconds(100), .value = mbit(1)}, {.lasts = milliseconds(100), .value = mbit(100)}});
  TraceService service(trace);
  // This one would end in the second step; something takes it away, and the next begins in the first.
  EXPECT_EQ(service.finish(1250, at_us(95'000)), at_us(100'050));
  EXPECT_EQ(service.finish(125, at_us(96'000)), at_us(97'000));
  EXPECT_EQ(service.rate(), mbit(1));
  EXPECT_EQ(service.finish(1250, at_us(97'000)), at_us(100'070));
}

TEST(Service, MahimahiOpportunitiesCarryWhatWaits) {
  const auto opportunities = std::make_shared<const Opportunities>(Opportunities{
      .at = {milliseconds(10), milliseconds(10), milliseconds(20), milliseconds(35)}, .period = milliseconds(35)});
  const ServiceConfig service = opportunities;
  const auto delivered = [&](std::size_t bytes) {
    LinkConfig config = ten_mbit();
    config.service = service;
    config.delay = Duration::zero();
    config.mtu = kOpportunityBytes;
    Bench bench(config);
    bench.stream(bytes - kIpUdp, microseconds(500), milliseconds(3501));
    return bench.arrivals.size();
  };
  EXPECT_EQ(delivered(1504), 400u);  // 100 periods of four
  EXPECT_EQ(delivered(752), 800u);   // two to an opportunity
}

TEST(Service, AnOpportunityThatNobodyTakesIsGone) {
  OpportunityService service(std::make_shared<const Opportunities>(
      Opportunities{.at = {milliseconds(10), milliseconds(20)}, .period = milliseconds(20)}));
  EXPECT_EQ(service.finish(100, at_us(1000)), at_us(10'000));
  EXPECT_EQ(service.finish(1404, at_us(10'000)), at_us(10'000));  // the rest of the same one
  EXPECT_EQ(service.finish(100, at_us(10'000)), at_us(20'000));
  EXPECT_EQ(service.finish(100, at_us(20'001)), at_us(30'000));                 // not the rest of the one at 20 ms
  EXPECT_EQ(service.finish(3000, at_us(1'000'015'000)), at_us(1'000'030'000));  // two whole ones, long after
}

TEST(Service, AWanderingRateHasTheQuantilesOfItsSpread) {
  const WanderingRate config{.spread = 0.7, .step = seconds(1), .memory = seconds(3)};
  WanderingService service(config, mbit(10), {.seed = 1, .stream = 1});
  // One packet of a tenth of a second at the median; how long it takes tells the rate.
  std::vector<double> rates;
  for (int i = 0; i < 20'000; ++i) {
    const Instant start = Instant{} + seconds(i) + milliseconds(10);
    const Instant end = service.finish(1250, start);
    rates.push_back(0.01 / to_seconds(end - start));
  }
  std::ranges::sort(rates);
  const auto quantile = [&](double q) {
    return rates[static_cast<std::size_t>(q * static_cast<double>(rates.size()))];
  };
  EXPECT_NEAR(quantile(0.50), 10, 0.7);
  EXPECT_NEAR(quantile(0.05), 10 * std::exp(-0.7 * 1.645), 0.4);
  EXPECT_NEAR(quantile(0.95), 10 * std::exp(0.7 * 1.645), 3);
}

TEST(Service, ANewRateEndsATrace) {
  LinkConfig config = ten_mbit();
  config.service = std::make_shared<const RateTrace>(RateTrace{{.lasts = seconds(1), .value = mbit(1)}});
  config.delay = Duration::zero();
  Bench bench(config);
  bench.link.set_rate(mbit(10));
  bench.send(kPayload);
  bench.run();
  EXPECT_EQ(bench.arrivals.at(0).took(), milliseconds(1));
}

TEST(Policer, PassesItsRateAndOneBurst) {
  LinkConfig config = ten_mbit();
  config.rate = mbit(100);
  config.policer = PolicerConfig{.rate = mbit(5), .burst = ByteCount(15'000)};
  Bench bench(config);
  bench.stream(kPayload, milliseconds(1), seconds(10));  // 10 Mbit/s
  bench.run();
  const double expected = 5e6 / 8 * 10 + 15'000;
  EXPECT_NEAR(static_cast<double>(bench.link.counters().delivered_bytes), expected, 1250);
  EXPECT_EQ(bench.lost(LinkDrop::policed) + bench.arrivals.size(), 10'000u);
}

TEST(Policer, DelaysNothing) {
  LinkConfig config = ten_mbit();
  config.policer = PolicerConfig{.rate = mbit(5), .burst = ByteCount(15'000)};
  Bench bench(config);
  bench.stream(kPayload, milliseconds(1), seconds(1));
  bench.run();
  for (const Arrival& arrival : bench.arrivals) ASSERT_EQ(arrival.took(), milliseconds(6));
}

}  // namespace
}  // namespace mpquic::sim
