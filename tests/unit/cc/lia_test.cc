// RFC 6356 §3, by hand. In all of these: x = w / rtt in bytes per second.
#include "stack/cc/lia.h"

#include <gtest/gtest.h>

#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;

constexpr double kExact = 1e-3;  // bytes

TEST(Lia, EqualPathsShareHalfOfOneFlowsGrowth) {
  // alpha = 48000 * (24000 / 0.1^2) / (240000 + 240000)^2 = 0.5; each takes 0.5 * 24000 / 48000 = 1/4 of NewReno's.
  const PathSet paths{{.window = 24'000, .rtt = milliseconds(100)}, {.window = 24'000, .rtt = milliseconds(100)}};
  EXPECT_EQ(paths.alpha(lia::kRule, 0), 500'000);
  EXPECT_EQ(paths.alpha(lia::kRule, 1), 500'000);
  EXPECT_NEAR(paths.growth(lia::kRule, 0, 24'000, 1200), 300, kExact);
  EXPECT_NEAR(paths.growth(lia::kRule, 1, 1400, 1400), 1400.0 / 24'000 * 350, kExact);
}

TEST(Lia, UnequalRttsAreCappedByNewReno) {
  // x = 1.2e6 and 6e5; w / rtt^2 = 1.2e8 and 6e6. alpha = 72000 * 1.2e8 / (1.8e6)^2 = 8/3.
  const PathSet paths{{.window = 12'000, .rtt = milliseconds(10)}, {.window = 60'000, .rtt = milliseconds(100)}};
  EXPECT_NEAR(static_cast<double>(paths.alpha(lia::kRule, 0)), 2'666'667, 1);
  // 8/3 * 1200 * 12000 / 72000 = 533.3 for a window of path 0.
  EXPECT_NEAR(paths.growth(lia::kRule, 0, 12'000, 1200), 1600.0 / 3, kExact);
  // 8/3 * 1200 * 6000 / 72000 = 266.7 would exceed 1200 * 6000 / 60000 = 120.
  EXPECT_NEAR(paths.growth(lia::kRule, 1, 6000, 1200), 120, kExact);
}

TEST(Lia, ThreePathsWithDatagramsOfTheirOwn) {
  // x = 5e5, 1e6, 2.5e5; w / rtt^2 = 2.5e7, 2e7, 5e6. alpha = 80000 * 2.5e7 / (1.75e6)^2 = 0.6530612.
  const PathSet paths{{.window = 10'000, .rtt = milliseconds(20)},
                      {.window = 50'000, .rtt = milliseconds(50)},
                      {.window = 20'000, .rtt = milliseconds(80)}};
  EXPECT_EQ(paths.alpha(lia::kRule, 2), 653'061);
  EXPECT_NEAR(paths.growth(lia::kRule, 0, 3000, 1252), 0.6530612 * 3000 * 1252 / 80'000, kExact);
  EXPECT_NEAR(paths.growth(lia::kRule, 1, 3000, 1452), 0.6530612 * 3000 * 1452 / 80'000, kExact);
  EXPECT_NEAR(paths.growth(lia::kRule, 2, 3000, 1200), 0.6530612 * 3000 * 1200 / 80'000, kExact);
}

TEST(Lia, ATinyPathBesideAHugeOneStillGrows) {  // lesson 3: the increase was truncated to 0
  const PathSet paths{{.window = 2400, .rtt = milliseconds(600)}, {.window = 50'000'000, .rtt = milliseconds(20)}};
  // x = 4000 and 2.5e9: (2.5e9 / 2.500004e9)^2 * 2400 / 5e7 = 4.79998e-5 of NewReno's.
  EXPECT_NEAR(paths.gain(lia::kRule, 0), 4.79998e-5, 1e-9);
}

TEST(Lia, HalvesOnLoss) {
  const PathSet paths{{.window = 24'001, .rtt = milliseconds(100)}, {.window = 50'000, .rtt = milliseconds(10)}};
  EXPECT_EQ(paths.reduced(lia::kRule, 0), 12'000U);
}

}  // namespace
}  // namespace mpquic
