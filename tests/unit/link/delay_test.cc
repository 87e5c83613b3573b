#include "sim/link/delay.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/unit/link/link_bench.h"

namespace mpquic::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

LinkConfig jittery(Duration deviation) {
  LinkConfig config = ten_mbit();
  config.rate = Bandwidth::from_bits_per_second(1'000'000'000);
  config.delay = milliseconds(50);
  config.jitter = JitterConfig{.deviation = deviation, .step = milliseconds(10), .memory = milliseconds(50)};
  return config;
}

TEST(Jitter, NeverReordersAndNeverGoesBelowItsLeast) {
  LinkConfig config = jittery(milliseconds(20));
  config.jitter->least = milliseconds(30);
  Bench bench(config);
  bench.stream(100, microseconds(500), seconds(20));
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 40'000u);
  EXPECT_TRUE(std::ranges::is_sorted(bench.arrivals, {}, &Arrival::serial));
  for (const Arrival& arrival : bench.arrivals) ASSERT_GE(arrival.took(), milliseconds(30));
}

TEST(Jitter, HasItsDeviationAndAutocorrelation) {
  // Packets far enough apart that the FIFO never holds one back: 10 deviations.
  DelayModel model(jittery(milliseconds(5)).jitter, nullptr, {.seed = 2, .stream = 9});
  constexpr int kSamples = 200'000;
  std::vector<double> x(kSamples);
  for (int i = 0; i < kSamples; ++i)
    x[i] = to_milliseconds(model.at(Instant{} + milliseconds(10) * i, milliseconds(50))) - 50;
  const auto covariance = [&](int lag) {
    double sum = 0;
    for (int i = lag; i < kSamples; ++i) sum += x[i] * x[i - lag];
    return sum / (kSamples - lag);
  };
  EXPECT_NEAR(covariance(0), 25, 0.8);
  EXPECT_NEAR(covariance(1) / 25, std::exp(-0.2), 0.04);
  EXPECT_NEAR(covariance(5) / 25, std::exp(-1.0), 0.04);
}

TEST(Jitter, FollowsTheTimeNotThePackets) {
  DelayModel often(jittery(milliseconds(5)).jitter, nullptr, {.seed = 2, .stream = 9});
  DelayModel seldom(jittery(milliseconds(5)).jitter, nullptr, {.seed = 2, .stream = 9});
  for (int i = 0; i < 10'000; ++i) {
    const Instant at = at_us(i * 700);
    const Duration delay = often.at(at, milliseconds(50));
    if (i % 97 == 0) {
      ASSERT_EQ(seldom.at(at, milliseconds(50)), delay);
    }
  }
}

TEST(DelayTrace, IsFollowedAndRepeats) {
  LinkConfig config = ten_mbit();
  config.rate = Bandwidth::from_bits_per_second(1'000'000'000);
  config.delay_trace =
      std::make_shared<const DelayTrace>(DelayTrace{{.lasts = milliseconds(100), .value = milliseconds(20)},
                                                    {.lasts = milliseconds(100), .value = milliseconds(60)}});
  EXPECT_EQ(mean_delay(*config.delay_trace), milliseconds(40));
  Bench bench(config);
  for (const int ms : {50, 150, 250, 350, 450}) {
    bench.run_until(at_us(ms * 1000));
    bench.send(97);  // 125 bytes: 1 us
  }
  bench.run();
  ASSERT_EQ(bench.arrivals.size(), 5u);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(bench.arrivals[i].took(), milliseconds(i % 2 == 0 ? 20 : 60) + microseconds(1)) << i;
}

TEST(DelayTrace, ADelayThatIsSetEndsIt) {
  LinkConfig config = ten_mbit();
  config.delay_trace = std::make_shared<const DelayTrace>(DelayTrace{{.lasts = seconds(1), .value = seconds(1)}});
  Bench bench(config);
  bench.link.set_delay(milliseconds(7));
  bench.send(1222);
  bench.run();
  EXPECT_EQ(bench.arrivals.at(0).took(), milliseconds(8));
}

}  // namespace
}  // namespace mpquic::sim
