// The swarm itself: seeds that draw legal scenarios, hashes that do not depend on who runs them, and bugs that it
// finds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/scenario_loader.h"
#include "sim/simulation.h"
#include "sim/swarm/profiles.h"
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

TEST(Swarm, SeedsDrawWhateverScenariosMayHave) {
  std::string all;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) all += to_yaml(draw(seed, {}));
  for (const char* text : {"source: 5g-walking",
                           "source: cable",
                           "source: ftth",
                           "source: geo",
                           "source: lte-driving",
                           "source: starlink",
                           "source: vdsl",
                           "up: {rate",
                           "shared: b0",
                           "kind: droptail",
                           "kind: drop_front",
                           "kind: codel",
                           "kind: fq_codel",
                           "kind: pie",
                           "ecn: on",
                           "age: ",
                           "mtu: ",
                           "mtu_signal: on",
                           "bleach: on",
                           "policer: ",
                           "cross_traffic: ",
                           "mean_on: ",
                           "burst: ",
                           "rate_process: ",
                           "burst_loss: ",
                           "truncate: ",
                           "jitter: ",
                           "outages: [",
                           "mode: hold",
                           "mean_gap: ",
                           "every: ",
                           "nat: {",
                           "filter: endpoint_dependent",
                           "idle_timeout: ",
                           "groups:",
                           "bottlenecks:",
                           "active_migration: off",
                           "address_advertisement: on",
                           "handshake_timeout: ",
                           "do: reset_stream",
                           "do: peer_restart",
                           "do: close",
                           "do: key_update",
                           "do: clock_jump",
                           "do: open_path",
                           "do: abandon_path"})
    EXPECT_NE(all.find(text), std::string::npos) << text;
}

TEST(Swarm, AFileRunsAsItsSeedDid) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Case drawn = draw(seed, {});
    const auto scenario = parse_scenario(to_yaml(drawn), "elsewhere/any.yaml", {}, seed);
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_EQ(Simulation(*scenario, {.seed = seed}).run().trace_hash, run_here(drawn).hash) << "seed " << seed;
  }
}

TEST(Swarm, AProfileIsWhatTheLoaderMakesOfItsFile) {
  const auto two_of = [](const std::string& profile, const Fields& path) {
    const std::string yaml =
        fmt::format("{{name: x, paths: [{{name: file, profile: {}}}, {}], workloads: [{{kind: bulk, bytes: 1kB}}]}}",
                    profile, flow_map(path));
    return parse_scenario(yaml, MPQUIC_SOURCE_DIR "/scenarios/x.yaml");
  };
  ASSERT_EQ(profiles().size(), 7U);
  for (const BuiltInProfile& profile : profiles()) {
    Fields path{{"name", "built_in"}};
    for (const auto& [key, value] : profile.path.entries()) path.set(key, value);
    const auto scenario = two_of(profile.name, path);
    ASSERT_TRUE(scenario) << scenario.error();
    for (const Direction direction : {Direction::up, Direction::down}) {
      const LinkConfig& file = scenario->link(0, direction);
      const LinkConfig& built_in = scenario->link(1, direction);
      EXPECT_EQ(file.rate, built_in.rate) << profile.name;
      EXPECT_EQ(file.delay, built_in.delay) << profile.name;
      EXPECT_EQ(file.queue, built_in.queue) << profile.name;
      EXPECT_EQ(file.loss, built_in.loss) << profile.name;
      EXPECT_EQ(file.service.index(), built_in.service.index()) << profile.name;
      EXPECT_EQ(file.jitter.has_value(), built_in.jitter.has_value()) << profile.name;
      EXPECT_EQ(file.burst_loss.has_value(), built_in.burst_loss.has_value()) << profile.name;
    }
    EXPECT_EQ(scenario->paths[0].config.outages.size(), scenario->paths[1].config.outages.size()) << profile.name;
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

/// At most `wanted` of the first thousand seeds' failures, in batches.
std::vector<Outcome> find_failures(const DrawOptions& options, std::size_t wanted) {
  constexpr std::size_t kBatch = 50;
  std::vector<Outcome> found;
  for (std::uint64_t first = 1; first <= 1000 && found.size() < wanted; first += kBatch)
    for (const Outcome& outcome : run_seeds(first, kBatch, options, 2))
      if (outcome.failed() && found.size() < wanted) found.push_back(outcome);
  return found;
}

class InjectedBugs : public testing::TestWithParam<InjectedBug> {};

TEST_P(InjectedBugs, AreFoundWithinAThousandSeedsAndShrunk) {
  const DrawOptions options{.bug = GetParam()};
  const auto found = find_failures(options, 3);
  ASSERT_FALSE(found.empty());
  for (const Outcome& outcome : found) {
    SCOPED_TRACE("seed " + std::to_string(outcome.seed));
    expect_small(options, outcome);
  }
}

TEST(Shrink, IsTheSameEveryTimeAndStopsWhenItIsTold) {
  const DrawOptions options{.bug = InjectedBug::timer_on_send};
  const auto found = find_failures(options, 1);
  ASSERT_FALSE(found.empty());
  const Outcome& outcome = found.front();
  const Case failing = draw(outcome.seed, options);
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
