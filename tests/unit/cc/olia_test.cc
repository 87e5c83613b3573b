// draft-khalili-mptcp-congestion-control-05, by hand: its sets, its alpha, its increase. x = w / rtt in bytes per
// second.
#include "stack/cc/olia.h"

#include <gtest/gtest.h>

#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;

constexpr double kTolerance = 1e-3;  // bytes

/// l_r of a path whose last loss is long ago.
CoupledPath path_of(std::uint64_t window, Duration rtt, std::uint64_t between_losses) {
  return {.window = window, .rtt = rtt, .acked_since_loss = between_losses};
}

TEST(Olia, WithoutABetterPathGrowthIsTheShareSquared) {
  // Path 1 has both the most bytes between losses and the larger window: nothing is collected.
  // x = 1.2e6 and 6e5 again; l / rtt^2 = 1e10 and 2e10.
  const PathSet paths{path_of(12'000, milliseconds(10), 1'000'000), path_of(60'000, milliseconds(100), 200'000'000)};
  EXPECT_EQ(paths.alpha(olia::kRule, 0), 0);
  EXPECT_EQ(paths.alpha(olia::kRule, 1), 0);
  // (12000 / 0.01^2) / (1.8e6)^2 * 1200 * 12000 = 533.3; (60000 / 0.1^2) / (1.8e6)^2 * 1200 * 60000 = 133.3
  EXPECT_NEAR(paths.growth(olia::kRule, 0, 12'000, 1200), 1600.0 / 3, kTolerance);
  EXPECT_NEAR(paths.growth(olia::kRule, 1, 60'000, 1200), 400.0 / 3, kTolerance);
}

TEST(Olia, TheBetterPathGainsWhatTheLargerWindowLoses) {
  // l / rtt^2 = 1e10 and 1e8: path 0 is best, path 1 has the largest window.
  const PathSet paths{path_of(12'000, milliseconds(10), 1'000'000), path_of(60'000, milliseconds(100), 1'000'000)};
  EXPECT_EQ(paths.alpha(olia::kRule, 0), 500'000);
  EXPECT_EQ(paths.alpha(olia::kRule, 1), -500'000);
  // 533.3 + 1/2 / 12000 * 1200 * 12000, and 133.3 - 1/2 / 60000 * 1200 * 60000
  EXPECT_NEAR(paths.growth(olia::kRule, 0, 12'000, 1200), 1600.0 / 3 + 600, kTolerance);
  EXPECT_NEAR(paths.growth(olia::kRule, 1, 60'000, 1200), 400.0 / 3 - 600, kTolerance);
}

TEST(Olia, BestIsTheMostBytesBetweenLossesOverTheSquaredRtt) {
  // Four times the RTT outweigh less than 16 times the bytes, and no more than that. Path 1 has the smaller window.
  PathSet paths{path_of(60'000, milliseconds(10), 1'000'000), path_of(12'000, milliseconds(40), 15'999'999)};
  EXPECT_EQ(paths.alpha(olia::kRule, 1), 0);
  paths[1].acked_since_loss = 16'000'001;
  EXPECT_EQ(paths.alpha(olia::kRule, 1), 500'000);
  EXPECT_EQ(paths.alpha(olia::kRule, 0), -500'000);
}

TEST(Olia, PathsThatAreEquallyGoodAreAllBest) {
  PathSet paths{path_of(60'000, milliseconds(10), 1'000'000), path_of(12'000, milliseconds(40), 16'000'000)};
  EXPECT_EQ(paths.alpha(olia::kRule, 0), -500'000) << "best, but with the largest window: not collected";
  EXPECT_EQ(paths.alpha(olia::kRule, 1), 500'000);
}

TEST(Olia, SetsShareTheirAlpha) {
  // Five paths: 0 and 1 have the largest window, 2 and 3 are best, 4 is neither.
  const PathSet paths{path_of(60'000, milliseconds(50), 1'000'000), path_of(60'000, milliseconds(50), 900'000),
                      path_of(30'000, milliseconds(50), 2'000'000), path_of(20'000, milliseconds(50), 2'000'000),
                      path_of(50'000, milliseconds(50), 1'000'000)};
  EXPECT_EQ(paths.alpha(olia::kRule, 0), -100'000) << "-1 / (5 * 2)";
  EXPECT_EQ(paths.alpha(olia::kRule, 1), -100'000);
  EXPECT_EQ(paths.alpha(olia::kRule, 2), 100'000) << "1 / (5 * 2)";
  EXPECT_EQ(paths.alpha(olia::kRule, 3), 100'000);
  EXPECT_EQ(paths.alpha(olia::kRule, 4), 0);
}

TEST(Olia, TheLargerOfBothLossIntervalsCounts) {  // l_r = max{l_1r, l_2r}
  PathSet paths{path_of(60'000, milliseconds(50), 1'000'000), path_of(30'000, milliseconds(50), 10)};
  EXPECT_EQ(paths.alpha(olia::kRule, 1), 0);
  paths[1].acked_between_losses = 1'000'001;
  EXPECT_EQ(paths.alpha(olia::kRule, 1), 500'000);
}

TEST(Olia, PathsThatTakeNoPartAreNotCounted) {
  PathSet paths{path_of(60'000, milliseconds(50), 1'000'000), path_of(30'000, milliseconds(50), 2'000'000),
                path_of(90'000, Duration{}, 9'000'000), path_of(90'000, milliseconds(1), 9'000'000)};
  paths[3].active = false;
  EXPECT_EQ(paths.alpha(olia::kRule, 0), -500'000);
  EXPECT_EQ(paths.alpha(olia::kRule, 1), 500'000);
  EXPECT_NEAR(paths.gain(olia::kRule, 1), 1.0 / 9 + 0.5, 1e-9);
}

TEST(Olia, ATinyPathBesideAHugeOneStillGrows) {  // lesson 3: the increase was truncated to 0
  const PathSet paths{path_of(2400, milliseconds(600), 1000), path_of(5'000'000, milliseconds(20), 1'000'000)};
  // x = 4000 and 2.5e8: the square of 1.6e-5.
  EXPECT_NEAR(paths.gain(olia::kRule, 0) * 1e10, 2.56, 1e-3);
}

TEST(Olia, HalvesOnLoss) {
  const PathSet paths{path_of(24'001, milliseconds(100), 1), path_of(50'000, milliseconds(10), 1'000'000)};
  EXPECT_EQ(paths.reduced(olia::kRule, 0), 12'000U);
}

}  // namespace
}  // namespace mpquic
