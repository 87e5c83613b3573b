#include "sim/run/seed_figures.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mpquic::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Goodput 1 to `count`, and a completion time but for the first.
[[nodiscard]] std::vector<SeedOutcome> outcomes(std::uint64_t count) {
  std::vector<SeedOutcome> all;
  for (std::uint64_t i = 1; i <= count; ++i)
    all.push_back({.seed = i,
                   .passed = true,
                   .hash = i,
                   .figures = {{"goodput Mbit/s", static_cast<double>(i)},
                               {"done s", i == 1 ? std::nullopt : std::optional(2.5)}},
                   .violation = {},
                   .replay = fmt::format("./dev replay x --seed {}", i)});
  return all;
}

TEST(SeedFigures, TableHasPercentilesOfEachFigure) {
  const std::string table = seeds_table(outcomes(101));
  EXPECT_THAT(table, HasSubstr("goodput Mbit/s                1.000      6.000     51.000     96.000    101.000\n"));
  EXPECT_THAT(table, HasSubstr("2.500  of 100 seeds that have it"));
  EXPECT_THAT(table, HasSubstr("passed         101 of 101 seeds\n"));
  EXPECT_THAT(table, Not(HasSubstr("FAILED")));
}

TEST(SeedFigures, FailuresAreNamedWithTheirReasonAndCommand) {
  auto all = outcomes(100);
  for (std::size_t i = 20; i < 80; ++i) all[i].passed = false;
  all[20].violation = "0.5 s: too slow";
  const std::string table = seeds_table(all);
  EXPECT_THAT(table, HasSubstr("passed         40 of 100 seeds; failed: 21, 22, 23"));
  EXPECT_THAT(table, HasSubstr("70 and 10 more\n"));
  EXPECT_THAT(table, HasSubstr("FAILED seed 21: 0.5 s: too slow\n    again: ./dev replay x --seed 21\n"));
}

TEST(SeedFigures, CsvHoldsEveryRunAndQuotesWhatNeedsIt) {
  auto all = outcomes(2);
  all[0].passed = false;
  all[0].violation = "no \"way\", none";
  EXPECT_EQ(seeds_csv(all),
            "seed,passed,trace_hash,goodput Mbit/s,done s,violation\r\n"
            "1,no,0000000000000001,1,,\"no \"\"way\"\", none\"\r\n"
            "2,yes,0000000000000002,2,2.5,\r\n");
}

TEST(SeedFigures, ARunThatCouldNotBeMadeHasNoFigures) {
  auto all = outcomes(2);
  all.insert(all.begin(), SeedOutcome{.seed = 0, .violation = "the process dies"});
  EXPECT_THAT(seeds_csv(all), HasSubstr("\r\n0,no,0000000000000000,,,the process dies\r\n"));
  EXPECT_THAT(seeds_table(all), HasSubstr("failed: 0\n"));
}

TEST(SeedFigures, OutcomesCrossProcesses) {
  auto all = outcomes(1);
  all[0].violation = "two\nlines";
  const std::string text = encode(all[0]);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const SeedOutcome back = decode_seed_outcome(text);
  EXPECT_EQ(back.seed, 1U);
  EXPECT_TRUE(back.passed);
  EXPECT_EQ(back.violation, "two\nlines");
  EXPECT_EQ(back.replay, all[0].replay);
  ASSERT_EQ(back.figures.size(), 2U);
  EXPECT_EQ(back.figures[0].value, 1.0);
  EXPECT_EQ(back.figures[1].value, std::nullopt);
}

}  // namespace
}  // namespace mpquic::sim
