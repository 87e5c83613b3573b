// draft-walid-mptcp-congestion-control-04, by hand. x = w / rtt in bytes per second.
#include "stack/cc/balia.h"

#include <gtest/gtest.h>

#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;

constexpr double kCloseBytes = 1e-3;

TEST(Balia, EqualPathsGrowByAQuarterEach) {
  const PathSet paths{{.window = 24'000, .rtt = milliseconds(100)}, {.window = 24'000, .rtt = milliseconds(100)}};
  EXPECT_EQ(paths.alpha(balia::kRule, 0), 1'000'000);
  // alpha = 1: (240000 / 0.1 / 480000^2) * 1 * 1 * 1200 * 24000 = 300.
  EXPECT_NEAR(paths.growth(balia::kRule, 0, 24'000, 1200), 300, kCloseBytes);
}

TEST(Balia, TheSlowerPathGetsMoreThanItsShareSquared) {
  // x = 1.2e6 and 6e5: alpha = 1 and 2.
  const PathSet paths{{.window = 12'000, .rtt = milliseconds(10)}, {.window = 60'000, .rtt = milliseconds(100)}};
  EXPECT_EQ(paths.alpha(balia::kRule, 0), 1'000'000);
  EXPECT_EQ(paths.alpha(balia::kRule, 1), 2'000'000);
  // 1.2e6 / 0.01 / (1.8e6)^2 * 1200 * 12000 = 533.3.
  EXPECT_NEAR(paths.growth(balia::kRule, 0, 12'000, 1200), 1600.0 / 3, kCloseBytes);
  // 6e5 / 0.1 / (1.8e6)^2 * 3/2 * 6/5 = 3.333e-6, times 1200 * 60000: 240.
  EXPECT_NEAR(paths.growth(balia::kRule, 1, 60'000, 1200), 240, kCloseBytes);
  EXPECT_NEAR(paths.growth(balia::kRule, 1, 1452, 1452), 1452.0 * 1452 / 3e5, kCloseBytes);
}

TEST(Balia, ReducesByHalfToThreeQuarters) {
  // min{alpha, 1.5}: 1 for the faster, 1.2 for the slower path.
  const PathSet close{{.window = 24'000, .rtt = milliseconds(100)}, {.window = 20'000, .rtt = milliseconds(100)}};
  EXPECT_EQ(close.alpha(balia::kRule, 1), 1'200'000);
  EXPECT_EQ(close.reduced(balia::kRule, 0), 12'000U);
  EXPECT_EQ(close.reduced(balia::kRule, 1), 8000U);
  // alpha = 2 is cut to 1.5.
  const PathSet apart{{.window = 12'000, .rtt = milliseconds(10)}, {.window = 60'000, .rtt = milliseconds(100)}};
  EXPECT_EQ(apart.reduced(balia::kRule, 1), 15'000U);
}

TEST(Balia, ATinyPathBesideAHugeOneStillGrows) {
  const PathSet paths{{.window = 2400, .rtt = milliseconds(600)}, {.window = 50'000'000, .rtt = milliseconds(20)}};
  EXPECT_NEAR(paths.gain(balia::kRule, 0), 0.1, 1e-5);  // (s + s_max) * (4 s + s_max) / 10 with s of almost 0
  EXPECT_EQ(paths.alpha(balia::kRule, 0), 625'000'000'000);
}

}  // namespace
}  // namespace mpquic
