// The swarm itself: seeds that draw legal scenarios, hashes that do not depend on who runs them, and bugs that it
// finds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"
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

/// What the links of a path, or the path, may have. Profiles bring some of it along: paths that have one do not count.
struct Feature {
  const char* name;
  std::function<bool(const PathConfig&)> has;
};

Feature of_links(const char* name, std::function<bool(const LinkConfig&)> has) {
  return {name, [has = std::move(has)](const PathConfig& path) { return has(path.up) || has(path.down); }};
}

Bandwidth kilobits(std::uint64_t rate) { return Bandwidth::from_bits_per_second(1000 * rate); }

std::vector<Feature> features() {
  std::vector<Feature> all = {
      {"another way up than down",
       [](const PathConfig& path) { return path.up.rate != path.down.rate && !path.up.shared_bottleneck; }},
      {"a thin line back",
       [](const PathConfig& path) {
         return !path.down.shared_bottleneck && path.down.rate < kilobits(250) && path.up.rate > kilobits(1000);
       }},
      {"a NAT that filters", [](const PathConfig& path) { return path.nat.filter == NatFilter::endpoint_dependent; }},
      {"a NAT that forgets", [](const PathConfig& path) { return path.nat.idle_timeout > Duration::zero(); }},
      of_links("a share of a bottleneck", [](const LinkConfig& link) { return link.shared_bottleneck.has_value(); }),
      of_links("a bucket", [](const LinkConfig& link) { return std::holds_alternative<BucketRate>(link.service); }),
      of_links("a process", [](const LinkConfig& link) { return std::holds_alternative<WanderingRate>(link.service); }),
      of_links("jitter", [](const LinkConfig& link) { return link.jitter.has_value(); }),
      of_links("a policer", [](const LinkConfig& link) { return link.policer.has_value(); }),
      of_links("cross traffic", [](const LinkConfig& link) { return link.cross_traffic.has_value(); }),
      of_links("on/off",
               [](const LinkConfig& link) { return link.cross_traffic && link.cross_traffic->mean_on.count() > 0; }),
      of_links("bursts of losses", [](const LinkConfig& link) { return link.burst_loss.has_value(); }),
      of_links("cut packets", [](const LinkConfig& link) { return link.truncate > 0; }),
      of_links("a network that drops ECT", [](const LinkConfig& link) { return link.drops_ect; }),
      of_links("bleached ECN", [](const LinkConfig& link) { return link.bleach; }),
      of_links("a small MTU", [](const LinkConfig& link) { return link.mtu < 1500; }),
      of_links("an MTU that is told", [](const LinkConfig& link) { return link.mtu_signal; }),
      of_links("an age limit", [](const LinkConfig& link) { return link.discipline.age > Duration::zero(); }),
      of_links("marks", [](const LinkConfig& link) { return link.discipline.ecn; }),
  };
  for (const QueueKind kind : {QueueKind::drop_front, QueueKind::codel, QueueKind::fq_codel, QueueKind::pie})
    all.push_back(
        of_links(name_of(kind).data(), [kind](const LinkConfig& link) { return link.discipline.kind == kind; }));
  const auto outage = [&](const char* name, bool (*is)(const OutageConfig&)) {
    all.push_back({name, [is](const PathConfig& path) {
                     return std::ranges::any_of(path.outages, [is](const PathOutage& own) { return is(own.config); });
                   }});
  };
  outage("a drop outage", [](const OutageConfig& config) { return config.mode == OutageMode::drop; });
  outage("a hold outage", [](const OutageConfig& config) { return config.mode == OutageMode::hold; });
  outage("a period", [](const OutageConfig& config) { return config.when.every > Duration::zero(); });
  outage("random gaps", [](const OutageConfig& config) { return config.when.mean_gap > Duration::zero(); });
  return all;
}

TEST(Swarm, SeedsDrawWhateverLinksAndPathsMayHave) {
  std::vector<Feature> missing = features();
  for (std::uint64_t seed = 1; seed <= 2000 && !missing.empty(); ++seed) {
    const auto scenario = to_scenario(draw(seed, {}));
    ASSERT_TRUE(scenario) << scenario.error();
    for (const PathSpec& path : scenario->paths)
      if (path.source.empty()) std::erase_if(missing, [&](const Feature& feature) { return feature.has(path.config); });
  }
  for (const Feature& feature : missing) ADD_FAILURE() << "no seed draws " << feature.name;
}

TEST(Swarm, SeedsDrawWhateverElseScenariosMayHave) {
  std::string all;
  std::set<std::string> idle_timeouts;
  std::set<std::string> handshake_timeouts;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const Case drawn = draw(seed, {});
    all += to_yaml(drawn);
    idle_timeouts.insert(std::string(drawn.endpoints.get("idle_timeout")));
    handshake_timeouts.insert(std::string(drawn.endpoints.get("handshake_timeout")));
  }
  EXPECT_GT(idle_timeouts.size(), 1U);
  EXPECT_GT(handshake_timeouts.size(), 1U);
  for (const char* text : {"source: 5g-walking",
                           "source: cable",
                           "source: ftth",
                           "source: geo",
                           "source: lte-driving",
                           "source: starlink",
                           "source: vdsl",
                           "groups:",
                           "bottlenecks:",
                           "active_migration: off",
                           "address_advertisement: on",
                           "do: reset_stream",
                           "do: stop_sending",
                           "do: peer_restart",
                           "do: close",
                           "do: key_update",
                           "do: clock_jump",
                           "do: open_path",
                           "do: abandon_path",
                           "do: nat_rebind",
                           "do: reorder_burst",
                           "certificate_chain: ",
                           "do: set_mtu",
                           "ms, mode: hold",
                           "value: no_buffers",
                           "acks: on"})
    EXPECT_NE(all.find(text), std::string::npos) << text;
}

/// The bound is one: whatever a seed draws, no run is done before it.
TEST(Swarm, NoSeedBeatsItsLowerBound) {
  std::size_t compared = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const auto scenario = to_scenario(draw(seed, {}));
    ASSERT_TRUE(scenario) << scenario.error();
    const Report report = Simulation(*scenario, {.seed = seed}).run();
    double latest = 0;
    bool all = true;
    for (const WorkloadReport& workload : report.workloads) {
      if (workload.kind != WorkloadKind::bulk) continue;
      all &= workload.completion_s.has_value();
      latest = std::max(latest, workload.completion_s.value_or(0));
    }
    if (!all || latest == 0 || !report.oracles.completion_bound_s) continue;
    ++compared;
    EXPECT_GE(latest, *report.oracles.completion_bound_s) << "seed " << seed;
    EXPECT_GE(report.oracles.single_path_bound_s.value_or(latest), *report.oracles.completion_bound_s);
  }
  EXPECT_GT(compared, 150U);
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
