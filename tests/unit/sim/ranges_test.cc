#include "sim/scenario/ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sim/scenario/scenario_loader.h"
#include "sim/scenario/units.h"

namespace mpquic::sim {
namespace {

TEST(Ranges, DrawWithinTheirEndsAndDependOnSeedAndKey) {
  std::vector<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto drawn = draw_from_range("10ms..80ms", "paths.0.rtt", seed);
    ASSERT_TRUE(drawn);
    const auto value = parse_duration(*drawn);
    ASSERT_TRUE(value) << *drawn;
    EXPECT_GE(*value, std::chrono::milliseconds(10));
    EXPECT_LE(*value, std::chrono::milliseconds(80));
    seen.push_back(*drawn);
  }
  std::ranges::sort(seen);
  EXPECT_GT(std::ranges::unique(seen).begin() - seen.begin(), 190);
  EXPECT_EQ(draw_from_range("10ms..80ms", "a", 7), draw_from_range("10ms..80ms", "a", 7));
  EXPECT_NE(draw_from_range("10ms..80ms", "a", 7), draw_from_range("10ms..80ms", "b", 7));
}

TEST(Ranges, HaveNumbersAtBothEnds) {
  for (const char* text : {"nanms..5ms", "1ms..nanms", "1ms..infms", "nan..nan", "0..inf"})
    EXPECT_FALSE(draw_from_range(text, "k", 1)) << text;
}

TEST(Ranges, FarApartEndsAreDrawnByMagnitude) {
  std::size_t below = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed)
    below += parse_duration(*draw_from_range("1ms..1s", "k", seed)).value() < std::chrono::microseconds(31'623);
  EXPECT_NEAR(static_cast<double>(below), 200, 50);  // half of them below the geometric mean
  below = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed)
    below += parse_duration(*draw_from_range("0s..1s", "k", seed)).value() < std::chrono::milliseconds(500);
  EXPECT_NEAR(static_cast<double>(below), 200, 50);
}

TEST(Ranges, TinyValuesAreWrittenAsFilesAre) {
  for (std::uint64_t seed = 1; seed <= 90; ++seed) {
    const std::string drawn = draw_from_range("0%..0.0002%", "p", seed).value_or("");
    EXPECT_TRUE(parse_probability(drawn)) << drawn;
  }
}

TEST(Ranges, WholeNumbersStayWholeAndReachBothEnds) {
  std::size_t ones = 0;
  std::size_t threes = 0;
  for (std::uint64_t seed = 1; seed <= 90; ++seed) {
    const std::string drawn = draw_from_range("1..3", "n", seed).value_or("");
    ones += drawn == "1";
    threes += drawn == "3";
    EXPECT_TRUE(parse_count(drawn)) << drawn;
  }
  EXPECT_GT(ones, 15u);
  EXPECT_GT(threes, 15u);
}

TEST(Ranges, OtherTextIsNone) {
  for (const char* text : {"10ms", "1..2 paths", "2s..1s", "1ms..1MB", "..", "a..b", "1s.."})
    EXPECT_FALSE(draw_from_range(text, "k", 1)) << text;
}

constexpr const char* kRanged = R"(name: ranged
paths:
  - {name: a, rate: 5Mbit/s..30Mbit/s, rtt: 20ms, loss: 0%..2%}
workloads: [{kind: bulk, bytes: 1kB..1MB}]
)";

TEST(Ranges, AnotherRangeMovesNone) {
  const auto before = parse_scenario(kRanged, "x.yaml", {}, 9);
  const auto after = parse_scenario(kRanged, "x.yaml", {"paths.0.rtt=2ms..80ms"}, 9);
  ASSERT_TRUE(before && after);
  ASSERT_EQ(before->drawn.size(), 3u);
  ASSERT_EQ(after->drawn.size(), 4u);
  EXPECT_EQ(before->workloads[0].bytes, after->workloads[0].bytes);
  EXPECT_EQ(before->paths[0].config.up.rate, after->paths[0].config.up.rate);
  EXPECT_NE(before->workloads[0].bytes, parse_scenario(kRanged, "x.yaml", {}, 10)->workloads[0].bytes);
}

TEST(Ranges, TheResolvedDocumentGivesTheSameScenario) {
  const auto drawn = parse_scenario(kRanged, "x.yaml", {}, 3);
  ASSERT_TRUE(drawn);
  const auto again = parse_scenario(drawn->resolved, "x.yaml", {}, 4);
  ASSERT_TRUE(again) << again.error();
  EXPECT_TRUE(again->drawn.empty());
  EXPECT_EQ(again->workloads[0].bytes, drawn->workloads[0].bytes);
  EXPECT_DOUBLE_EQ(again->paths[0].config.up.loss, drawn->paths[0].config.up.loss);
}

}  // namespace
}  // namespace mpquic::sim
