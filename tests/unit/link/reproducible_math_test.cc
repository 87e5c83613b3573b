#include "sim/link/reproducible_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

namespace mpquic::sim {
namespace {

using std::chrono::milliseconds;

TEST(ReproducibleMath, LogarithmIsWithinItsBound) {
  SeededRng rng(1);
  for (int i = 0; i < 200'000; ++i) {
    const double x = std::ldexp(0.5 + rng.unit() / 2, static_cast<int>(rng.next() % 200) - 100);
    const double expected = std::log(x);
    ASSERT_NEAR(natural_log(x), expected, 4e-16 * std::max(1.0, std::abs(expected))) << x;
  }
  EXPECT_EQ(natural_log(1), 0);
}

TEST(ReproducibleMath, ExponentialIsWithinItsBound) {
  SeededRng rng(2);
  for (int i = 0; i < 200'000; ++i) {
    const double x = (rng.unit() - 0.5) * 1400;
    const double expected = std::exp(x);
    ASSERT_NEAR(natural_exp(x) / expected, 1, 1e-15) << x;
  }
  EXPECT_EQ(natural_exp(0), 1);
}

// The bits, not just the value: this is what makes trace hashes equal in all builds.
TEST(ReproducibleMath, ResultsAreTheSameBitsInEveryBuild) {
  std::uint64_t bits = 0;
  SeededRng rng(3);
  Gaussian gaussian({.seed = 3, .stream = 4});
  for (int i = 0; i < 10'000; ++i) {
    bits = std::rotl(bits, 7) ^ std::bit_cast<std::uint64_t>(natural_log(rng.unit() + 0x1p-60));
    bits = std::rotl(bits, 7) ^ std::bit_cast<std::uint64_t>(natural_exp(rng.unit() * 20 - 10));
    bits = std::rotl(bits, 7) ^ std::bit_cast<std::uint64_t>(gaussian.next());
  }
  EXPECT_EQ(bits, 10032938486625320550U);
}

TEST(ReproducibleMath, ExponentialTimesHaveTheirMeanAndTail) {
  SeededRng rng(4);
  constexpr int kSamples = 100'000;
  double sum = 0;
  int over_mean = 0;
  for (int i = 0; i < kSamples; ++i) {
    const Duration time = exponential_time(rng, milliseconds(10));
    ASSERT_GT(time, Duration::zero());
    sum += to_milliseconds(time);
    over_mean += time > milliseconds(10);
  }
  EXPECT_NEAR(sum / kSamples, 10, 4 * 10 / std::sqrt(kSamples));
  EXPECT_NEAR(static_cast<double>(over_mean) / kSamples, std::exp(-1), 4 * 0.4823 / std::sqrt(kSamples));
}

TEST(ReproducibleMath, UniformTimesReachBothEnds) {
  SeededRng rng(5);
  Duration least = milliseconds(100);
  Duration most{};
  for (int i = 0; i < 10'000; ++i) {
    const Duration time = uniform_time(rng, Duration(59), Duration(135));
    least = std::min(least, time);
    most = std::max(most, time);
  }
  EXPECT_EQ(least, Duration(59));
  EXPECT_EQ(most, Duration(135));
}

TEST(ReproducibleMath, GaussianHasItsMomentsAndTails) {
  Gaussian gaussian({.seed = 1, .stream = 1});
  constexpr int kSamples = 200'000;
  double sum = 0, squares = 0, fourth = 0;
  int beyond = 0;
  for (int i = 0; i < kSamples; ++i) {
    const double x = gaussian.next();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    beyond += std::abs(x) > 1.959964;
  }
  EXPECT_NEAR(sum / kSamples, 0, 4 / std::sqrt(kSamples));
  EXPECT_NEAR(squares / kSamples, 1, 4 * std::sqrt(2.0 / kSamples));
  EXPECT_NEAR(fourth / kSamples, 3, 4 * std::sqrt(96.0 / kSamples));
  EXPECT_NEAR(static_cast<double>(beyond) / kSamples, 0.05, 4 * std::sqrt(0.05 * 0.95 / kSamples));
}

TEST(ReproducibleMath, Ar1HasUnitVarianceAndGeometricAutocorrelation) {
  Ar1 process(milliseconds(10), milliseconds(50), {.seed = 1, .stream = 2});
  const double c = std::exp(-0.2);
  constexpr int kSamples = 400'000;
  std::vector<double> x(kSamples);
  for (double& value : x) value = process.advance();
  const auto covariance = [&](int lag) {
    double sum = 0;
    for (int i = lag; i < kSamples; ++i) sum += x[i] * x[i - lag];
    return sum / (kSamples - lag);
  };
  // Bartlett: the estimate's deviation is about sqrt((1 + c^2) / (1 - c^2) / n), 0.0036 here.
  EXPECT_NEAR(covariance(0), 1, 0.02);
  for (const int lag : {1, 2, 5, 10}) EXPECT_NEAR(covariance(lag), std::pow(c, lag), 0.02) << lag;
}

TEST(ReproducibleMath, Ar1WithoutMemoryIsWhiteNoise) {
  Ar1 process(milliseconds(10), Duration::zero(), {.seed = 1, .stream = 2});
  double sum = 0;
  constexpr int kSamples = 100'000;
  for (int i = 0; i < kSamples; ++i) {
    const double before = process.value();
    sum += before * process.advance();
  }
  EXPECT_NEAR(sum / kSamples, 0, 4 / std::sqrt(kSamples));
}

}  // namespace
}  // namespace mpquic::sim
