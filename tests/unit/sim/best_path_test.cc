#include "sim/run/best_path.h"

#include <gtest/gtest.h>

#include <map>

namespace mpquic::sim {
namespace {

/// What a run over each path gives, and which runs were asked for.
struct Runs {
  std::map<std::size_t, Report> outcomes;
  std::vector<Scenario> asked;

  [[nodiscard]] RunScenario runner() {
    return [this](const Scenario& scenario) {
      asked.push_back(scenario);
      return outcomes.at(*scenario.endpoints.first_path);
    };
  }
};

Scenario three_paths() {
  Scenario scenario;
  scenario.baseline = Baseline::best_path;
  scenario.paths.resize(3);
  return scenario;
}
Report outcome(bool completed, double seconds, std::uint64_t bytes) {
  Report report;
  report.completed = completed;
  report.completion_s = seconds;
  report.workloads.push_back({.bytes = bytes});
  return report;
}

TEST(BestPath, IsTheFirstOneDone) {
  Runs runs{.outcomes = {{0, outcome(true, 3, 100)}, {1, outcome(true, 2, 100)}, {2, outcome(true, 4, 100)}},
            .asked = {}};
  const SinglePathRun best = run_best_path(three_paths(), runs.runner());
  EXPECT_EQ(best.path, 1u);
  EXPECT_EQ(best.report.completion_s, 2);
}

TEST(BestPath, NobodyIsAwaitedLongerThanTheBestOneTook) {
  Runs runs{.outcomes = {{0, outcome(true, 3, 100)}, {1, outcome(true, 2, 100)}, {2, outcome(false, 2, 90)}},
            .asked = {}};
  static_cast<void>(run_best_path(three_paths(), runs.runner()));
  ASSERT_EQ(runs.asked.size(), 3u);
  EXPECT_EQ(runs.asked[0].duration, Scenario{}.duration);
  EXPECT_NEAR(to_seconds(runs.asked[1].duration), 3, 1e-5);
  EXPECT_NEAR(to_seconds(runs.asked[2].duration), 2, 1e-5);
}

TEST(BestPath, BringsMostWhereNoneIsDone) {
  Runs runs{.outcomes = {{0, outcome(false, 1, 100)}, {1, outcome(false, 60, 300)}, {2, outcome(false, 60, 200)}},
            .asked = {}};
  EXPECT_EQ(run_best_path(three_paths(), runs.runner()).path, 1u);
}

TEST(BestPath, ThatIsDoneBeatsOneThatIsNot) {
  Runs runs{.outcomes = {{0, outcome(false, 1, 900)}, {1, outcome(true, 50, 100)}, {2, outcome(true, 50, 100)}},
            .asked = {}};
  EXPECT_EQ(run_best_path(three_paths(), runs.runner()).path, 1u);  // the first of two equal ones
}

TEST(BestPath, IsOneThatIsInUse) {
  Scenario scenario = three_paths();
  scenario.paths[0].used = false;
  Runs runs{.outcomes = {{1, outcome(true, 9, 1)}, {2, outcome(true, 9, 2)}}, .asked = {}};
  EXPECT_EQ(run_best_path(scenario, runs.runner()).path, 2u);
}

TEST(BestPath, IsSettledOnceAndOnlyWhereItIsWanted) {
  Runs runs{.outcomes = {{0, outcome(true, 3, 100)}, {1, outcome(true, 2, 100)}, {2, outcome(true, 4, 100)}},
            .asked = {}};
  Scenario scenario = three_paths();
  settle_best_path(scenario, runs.runner());
  settle_best_path(scenario, runs.runner());
  EXPECT_EQ(scenario.endpoints.first_path, 1u);
  EXPECT_EQ(runs.asked.size(), 3u);
  Scenario multipath;
  settle_best_path(multipath, runs.runner());
  EXPECT_FALSE(multipath.endpoints.first_path);
}

}  // namespace
}  // namespace mpquic::sim
