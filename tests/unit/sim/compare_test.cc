#include "sim/run/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace mpquic::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

ComparedRun row(const char* baseline, bool completed, double seconds) {
  ComparedRun run{.engine = "mpquic", .baseline = baseline, .report = {}};
  run.report.completed = completed;
  run.report.completion_s = seconds;
  return run;
}

TEST(ComparisonTable, ComparesOnlyWhatWasDone) {
  const std::string table =
      comparison_table({row("multipath", true, 2), row("best_path", true, 5), row("per_path", false, 60)});
  EXPECT_THAT(table, HasSubstr("1.00x"));
  EXPECT_THAT(table, HasSubstr("2.50x"));
  EXPECT_THAT(table, HasSubstr("not done"));
  EXPECT_THAT(table, Not(HasSubstr("30.00x")));
  EXPECT_THAT(comparison_table({row("multipath", false, 60), row("best_path", true, 5)}), Not(HasSubstr("x  ")));
}

TEST(ComparisonTable, NamesThePathsOfEachBaseline) {
  ComparedRun best = row("best_path", true, 5);
  best.report.baseline = Baseline::best_path;
  best.report.single_path = "ftth";
  ComparedRun hashed = row("per_path", true, 6);
  hashed.report.baseline = Baseline::per_path;
  hashed.report.paths = {{.name = "ftth"}, {.name = "vdsl", .share = 1}};
  ComparedRun spread = hashed;
  spread.report.paths[0].share = spread.report.paths[1].share = 0.5;
  ComparedRun dead = hashed;
  dead.report.paths[1].share = 0;
  const std::string table = comparison_table({row("multipath", true, 2), best, hashed, spread, dead});
  EXPECT_THAT(table, HasSubstr("per path  "));
  EXPECT_THAT(table, HasSubstr("best: ftth"));
  EXPECT_THAT(table, HasSubstr("per path: only vdsl"));
  EXPECT_THAT(table, HasSubstr("per path: 2 WANs"));
}

TEST(ComparisonTable, NamesTheFirstViolationOfEachRun) {
  ComparedRun broken = row("best_path", true, 5);
  broken.report.violations = {{.at = Instant{} + std::chrono::seconds(1), .what = "a timer storm"}};
  broken.report.violations_total = 3;
  const std::string table = comparison_table({row("multipath", true, 2), broken});
  EXPECT_THAT(table, HasSubstr("at 1.000000 s: a timer storm ... and 2 more"));
  EXPECT_THAT(comparison_table({row("multipath", true, 2)}), HasSubstr("no invariant is violated"));
}

class CompareTest : public testing::Test {
 protected:
  /// A nominally fast line that loses a third of all packets, and a slow good one.
  [[nodiscard]] std::string file(const std::string& more) const {
    const std::string name =
        testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".yaml";
    std::ofstream(name) << "name: lossy\ncrypto: null\npaths:\n"
                           "  - {name: fast, rate: 50Mbit/s, rtt: 20ms, loss: 30%}\n"
                           "  - {name: good, rate: 10Mbit/s, rtt: 20ms}\n"
                           "workloads: [{kind: bulk, bytes: 1MB}]\n"
                        << more;
    return name;
  }
};

TEST_F(CompareTest, TheBestSinglePathIsTheOneThatIsDoneFirst) {
  const auto runs = compare_baselines({.file = file(""), .overrides = {}, .seed = 1, .ngtcp2 = {}});
  ASSERT_TRUE(runs) << runs.error();
  ASSERT_EQ(runs->size(), 3u);
  EXPECT_EQ((*runs)[1].baseline, "best_path");
  EXPECT_EQ((*runs)[1].report.single_path, "good");
  EXPECT_TRUE((*runs)[1].report.completed);
}

TEST_F(CompareTest, RefusesWhatOnlyNs3CanRun) {
  const auto runs = compare_baselines(
      {.file = file("ns3: {topology: wifi, through: [fast]}\n"), .overrides = {}, .seed = 1, .ngtcp2 = {}});
  ASSERT_FALSE(runs);
  EXPECT_THAT(runs.error(), HasSubstr("only ns-3 has this one"));
}

}  // namespace
}  // namespace mpquic::sim
