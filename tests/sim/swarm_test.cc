// The swarm itself: seeds that draw legal scenarios, hashes that do not depend on who runs them, and bugs that it
// finds.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/swarm/run.h"
#include "sim/swarm/shrink.h"

namespace mpquic::sim::swarm {
namespace {

std::vector<Outcome> run_seeds(std::uint64_t first, std::size_t count, const DrawOptions& options, std::size_t jobs) {
  return run_all({.count = count,
                  .jobs = jobs,
                  .make = [&](std::size_t i) { return draw(first + i, options); },
                  .done = [](const Outcome&) {}});
}

TEST(Swarm, EverySeedDrawsAScenarioThatLoads) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Case drawn = draw(seed, {});
    EXPECT_EQ(drawn, draw(seed, {}));
    const auto scenario = to_scenario(drawn);
    ASSERT_TRUE(scenario) << "seed " << seed << ": " << scenario.error() << "\n" << to_yaml(drawn);
  }
}

TEST(Swarm, SeedsHoldAndHashTheSameInEveryProcess) {
  constexpr std::size_t kSeeds = 60;
  const auto alone = run_seeds(1, kSeeds, {}, 1);
  EXPECT_EQ(alone, run_seeds(1, kSeeds, {}, 2));
  for (const Outcome& outcome : alone)
    EXPECT_FALSE(outcome.failed()) << "mpquic-sim swarm --seeds 1 --first-seed " << outcome.seed << ": "
                                   << outcome.violations.front();
  EXPECT_EQ(alone.front(), run_here(draw(1, {})));
}

TEST(Swarm, HoldsWithRealCrypto) {
  for (const Outcome& outcome : run_seeds(1, 20, {.crypto = Crypto::real}, 2))
    EXPECT_FALSE(outcome.failed()) << "mpquic-sim swarm --seeds 1 --crypto real --first-seed " << outcome.seed << ": "
                                   << outcome.violations.front();
}

void expect_small(const DrawOptions& options, const Outcome& outcome) {
  const Shrunk shrunk = shrink(draw(outcome.seed, options), outcome, [](std::size_t, const Case&) { return true; });
  EXPECT_FALSE(shrunk.stopped);
  EXPECT_EQ(kind_of(shrunk.outcome), kind_of(outcome));
  EXPECT_LE(shrunk.smallest.paths.size(), 2U) << to_yaml(shrunk.smallest);
  EXPECT_LE(shrunk.smallest.events.size(), 3U) << to_yaml(shrunk.smallest);
  EXPECT_EQ(run_apart(shrunk.smallest), shrunk.outcome);
  Case harmless = shrunk.smallest;
  harmless.endpoints.erase("inject");
  EXPECT_FALSE(run_apart(harmless).failed()) << "it fails for another reason:\n" << to_yaml(harmless);
}

std::string name_for_test(InjectedBug bug, std::uint64_t seed) {
  std::string name = std::string(name_of(bug)) + "_" + std::to_string(seed);
  std::ranges::replace(name, '-', '_');
  return name;
}

class InjectedBugs : public testing::TestWithParam<InjectedBug> {};

TEST_P(InjectedBugs, AreFoundWithinAThousandSeedsAndShrunk) {
  const DrawOptions options{.bug = GetParam()};
  constexpr std::size_t kBatch = 50;
  std::optional<Outcome> found;
  for (std::uint64_t first = 1; first <= 1000 && !found; first += kBatch) {
    const auto outcomes = run_seeds(first, kBatch, options, 2);
    const auto failed = std::ranges::find_if(outcomes, &Outcome::failed);
    if (failed != outcomes.end()) found = *failed;
  }
  ASSERT_TRUE(found);
  expect_small(options, *found);
}

struct FailingSeed {
  InjectedBug bug;
  std::uint64_t seed;
};

class Shrinking : public testing::TestWithParam<FailingSeed> {};

/// Some of the failing seeds; which ones fail changes with what seeds draw.
TEST_P(Shrinking, EndsAtTwoPathsAndThreeEvents) {
  const DrawOptions options{.bug = GetParam().bug};
  const Outcome outcome = run_apart(draw(GetParam().seed, options));
  ASSERT_TRUE(outcome.failed()) << "this seed has become harmless: choose another that fails";
  expect_small(options, outcome);
}

INSTANTIATE_TEST_SUITE_P(Some, Shrinking,
                         testing::Values(FailingSeed{InjectedBug::free_unacked, 255},
                                         FailingSeed{InjectedBug::free_unacked, 327},
                                         FailingSeed{InjectedBug::timer_on_send, 931},
                                         FailingSeed{InjectedBug::timer_on_send, 535},
                                         FailingSeed{InjectedBug::timer_on_send, 857}),
                         [](const auto& param) { return name_for_test(param.param.bug, param.param.seed); });

TEST(Shrink, IsTheSameEveryTimeAndStopsWhenItIsTold) {
  const Case failing = draw(36, {.bug = InjectedBug::timer_on_send});
  const Outcome outcome = run_apart(failing);
  ASSERT_TRUE(outcome.failed());
  const Shrunk first = shrink(failing, outcome, [](std::size_t, const Case&) { return true; });
  const Shrunk second = shrink(failing, outcome, [](std::size_t, const Case&) { return true; });
  EXPECT_FALSE(first.stopped);
  EXPECT_EQ(first.smallest, second.smallest);
  EXPECT_EQ(first.runs, second.runs);
  const Shrunk early = shrink(failing, outcome, [](std::size_t runs, const Case&) { return runs < 3; });
  EXPECT_TRUE(early.stopped);
  EXPECT_EQ(early.runs, 3U);
  EXPECT_EQ(kind_of(early.outcome), kind_of(outcome));
}

INSTANTIATE_TEST_SUITE_P(All, InjectedBugs,
                         testing::Values(InjectedBug::free_unacked, InjectedBug::nonce_without_path,
                                         InjectedBug::timer_on_send),
                         [](const auto& param) {
                           std::string name(name_of(param.param));
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace mpquic::sim::swarm
