// Whole simulations over the project's own stack: real bytes over impaired links, and an assertion on the outcome.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "sim/run/best_path.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

using testing::HasSubstr;
using Overrides = std::vector<std::string>;

Report run(const Scenario& scenario, std::uint64_t seed) { return Simulation(scenario, {.seed = seed}).run(); }

Report run_file(const std::string& name, std::uint64_t seed, const Overrides& overrides = {}) {
  const auto scenario = load_scenario(std::string(MPQUIC_SOURCE_DIR "/scenarios/") + name + ".yaml", overrides, seed);
  EXPECT_TRUE(scenario) << scenario.error();
  return run(*scenario, seed);
}
Report run_text(const std::string& yaml, std::uint64_t seed, const Overrides& overrides = {}) {
  const auto scenario = parse_scenario(yaml, "inline.yaml", overrides, seed);
  EXPECT_TRUE(scenario) << scenario.error();
  return run(*scenario, seed);
}

/// All violations, for the message of a failed expectation.
std::string complaints(const Report& report) {
  std::string out;
  for (const Violation& v : report.violations)
    out += "\n  " + std::to_string(to_seconds(v.at.time_since_epoch())) + " s: " + v.what;
  return out;
}

/// The names of all files in scenarios/ but those whose topology only ns-3 has (tests/ns3), in order.
std::vector<std::string> repository_scenarios() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(MPQUIC_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    const auto scenario = load_scenario(entry.path().string(), {});
    if (!scenario || !scenario->ns3.only_ns3()) names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}
std::string test_name(const testing::TestParamInfo<std::string>& param) {
  std::string name = param.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

class RepositoryScenario : public testing::TestWithParam<std::string> {};

TEST_P(RepositoryScenario, HoldsForSeveralSeeds) {
  const auto scenario = load_scenario(std::string(MPQUIC_SOURCE_DIR "/scenarios/") + GetParam() + ".yaml", {});
  ASSERT_TRUE(scenario) << scenario.error();
  for (const std::uint64_t seed : {1u, 2u}) {
    const Report report = run_file(GetParam(), seed, {"crypto=null"});
    EXPECT_TRUE(report.passed()) << "seed " << seed << complaints(report);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RepositoryScenario, testing::ValuesIn(repository_scenarios()), test_name);

/// A change of a scenario that has to break it.
struct Mutation {
  std::string scenario;
  Overrides overrides;
};
std::ostream& operator<<(std::ostream& out, const Mutation& mutation) {
  out << mutation.scenario;
  for (const std::string& assignment : mutation.overrides) out << " --set '" << assignment << "'";
  return out;
}

std::vector<Mutation> repository_mutations() {
  std::vector<Mutation> mutations;
  for (const std::string& name : repository_scenarios()) {
    const auto scenario = load_scenario(std::string(MPQUIC_SOURCE_DIR "/scenarios/") + name + ".yaml");
    for (std::size_t i = 0; scenario && i < scenario->broken_by.size(); ++i)
      mutations.push_back({.scenario = name, .overrides = scenario->broken_by[i]});
  }
  return mutations;
}

TEST(Repository, EveryScenarioSaysWhatBreaksIt) {
  for (const std::string& name : repository_scenarios()) {
    const auto scenario = load_scenario(std::string(MPQUIC_SOURCE_DIR "/scenarios/") + name + ".yaml");
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_FALSE(scenario->broken_by.empty()) << name;
  }
}

/// "codel_line_endpoints_ecn_off": what the overrides say, as far as names of tests can.
std::string mutation_name(const testing::TestParamInfo<Mutation>& param) {
  std::string name = param.param.scenario;
  for (const std::string& assignment : param.param.overrides) name += "_" + assignment;
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class BrokenScenario : public testing::TestWithParam<Mutation> {};

TEST_P(BrokenScenario, FailsByAnAssertion) {
  Overrides overrides = GetParam().overrides;
  overrides.emplace_back("crypto=null");
  const auto scenario = load_scenario(MPQUIC_SOURCE_DIR "/scenarios/" + GetParam().scenario + ".yaml", overrides);
  ASSERT_TRUE(scenario) << scenario.error();
  const Report report = run(*scenario, 1);
  // That a path which is not used is not validated goes without saying.
  const auto tells = [](const Violation& v) {
    return v.what.starts_with("assertion:") && v.what.find("paths were validated") == std::string::npos;
  };
  EXPECT_TRUE(std::ranges::any_of(report.violations, tells))
      << "what the scenario protects is gone, and it holds all the same" << complaints(report);
}

INSTANTIATE_TEST_SUITE_P(All, BrokenScenario, testing::ValuesIn(repository_mutations()), mutation_name);

class ScenarioWithRealCrypto : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioWithRealCrypto, Holds) {
  const Report report = run_file(GetParam(), 1);
  EXPECT_TRUE(report.passed()) << complaints(report);
}

INSTANTIATE_TEST_SUITE_P(Some, ScenarioWithRealCrypto,
                         testing::Values("six-wan-bulk", "unequal-six", "fifty-plus-one", "silent-death", "key-updates",
                                         "peer-restart", "ten-paths", "duplicates-and-bitflips"),
                         test_name);

TEST(Determinism, EqualSeedsGiveEqualTracesWithRealCrypto) {
  const Overrides small = {"workloads.0.bytes=2MB", "assert.goodput_of_best=0"};
  const Report first = run_file("six-wan-bulk", 11, small);
  const Report second = run_file("six-wan-bulk", 11, small);
  EXPECT_EQ(first.trace_hash, second.trace_hash);
  EXPECT_EQ(first.events, second.events);
  EXPECT_NE(first.trace_hash, run_file("six-wan-bulk", 12, small).trace_hash);
}

TEST(Determinism, WatchingDoesNotChangeTheRun) {
  class Blind final : public trace::SinkFactory {
   public:
    std::unique_ptr<trace::Sink> make_sink(Role, const ConnectionId&) override { return nullptr; }
  } blind;
  const auto scenario =
      load_scenario(MPQUIC_SOURCE_DIR "/scenarios/silent-death.yaml", {"workloads.0.bytes=1MB", "crypto=null"});
  ASSERT_TRUE(scenario);
  Simulation watched(*scenario, {.seed = 3, .trace = &blind});
  EXPECT_EQ(watched.run().trace_hash, run(*scenario, 3).trace_hash);
}

constexpr const char* kThreePaths = R"(name: three
duration: 60s
crypto: null
paths:
  - {name: a, rate: 20Mbit/s, rtt: 20ms, queue: 50ms}
  - {name: b, rate: 10Mbit/s, rtt: 40ms, queue: 50ms}
  - {name: c, rate: 5Mbit/s, rtt: 60ms, queue: 80ms}
)";
constexpr const char* kUpload = "workloads: [{kind: bulk, bytes: 6MB, streams: 3}]\n";

TEST(Faults, EveryTimeOfASilentDeathIsSurvived) {
  for (const char* at : {"1ms", "15ms", "25ms", "40ms", "60ms", "100ms", "500ms", "1200ms"}) {
    for (const char* direction : {"up", "down"}) {
      const Report report = run_file("silent-death", 1,
                                     {"crypto=null", "workloads.0.bytes=6MB", std::string("events.0.at=") + at,
                                      std::string("events.0.direction=") + direction});
      EXPECT_TRUE(report.passed()) << at << " " << direction << complaints(report);
    }
  }
}

TEST(Faults, AllImpairmentsAtOnce) {
  const Overrides impaired = {"paths.0.loss=2%",    "paths.0.reorder=5%", "paths.1.duplicate=5%", "paths.1.loss=1%",
                              "paths.2.corrupt=2%", "paths.2.loss=3%",    "crypto=real"};
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const Report report = run_text(std::string(kThreePaths) + kUpload, seed, impaired);
    EXPECT_TRUE(report.passed()) << "seed " << seed << complaints(report);
  }
}

TEST(Faults, PathsThatComeAndGo) {
  const Report report = run_text(std::string(kThreePaths) + kUpload + R"(
events:
  - {at: 300ms, do: link_down, path: b}
  - {at: 500ms, do: silent_death, path: c}
  - {at: 900ms, do: link_up, path: b}
  - {at: 1s, do: link_down, path: a}
  - {at: 1300ms, do: link_up, path: a}
  - {at: 1500ms, do: link_up, path: c}
)",
                                 1);
  EXPECT_TRUE(report.passed()) << complaints(report);
}

TEST(Faults, RatesDelaysAndLossesChange) {
  const Report report = run_text(std::string(kThreePaths) + kUpload + R"(
events:
  - {at: 200ms, do: set_rate, path: a, value: 2Mbit/s}
  - {at: 300ms, do: set_delay, path: b, value: 5ms}
  - {at: 400ms, do: set_loss, path: c, value: 10%}
  - {at: 900ms, do: set_rate, path: a, value: 30Mbit/s}
  - {at: 1s, do: set_delay, path: b, value: 100ms, direction: up}
)",
                                 1);
  EXPECT_TRUE(report.passed()) << complaints(report);
}

TEST(Faults, NatRebindingOfEachPath) {
  for (const char* path : {"a", "b", "c"}) {
    const Report report =
        run_text(std::string(kThreePaths) + kUpload + "events: [{at: 500ms, do: nat_rebind, path: " + path + "}]\n", 1);
    EXPECT_TRUE(report.passed()) << path << complaints(report);
  }
}

TEST(Faults, AnAbandonedPathLosesNothing) {
  const Report report =
      run_text(std::string(kThreePaths) + kUpload + "events: [{at: 600ms, do: abandon_path, path: b}]\n", 1);
  EXPECT_TRUE(report.passed()) << complaints(report);
}

TEST(Faults, MigrationOfEachPath) {
  for (const char* path : {"a", "b"}) {
    const Report report = run_text(
        std::string(kThreePaths) + kUpload + "events: [{at: 600ms, do: migrate_path, path: " + path + "}]\n", 1);
    EXPECT_TRUE(report.passed()) << path << complaints(report);
  }
}

TEST(Workloads, ABackupPathStaysIdleWhileAnotherWorks) {
  const Report report = run_text(std::string(kThreePaths) + kUpload, 1, {"paths.1.backup=on", "paths.2.backup=on"});
  EXPECT_TRUE(report.passed()) << complaints(report);
  EXPECT_GT(report.paths[0].share, 0.9);
}

TEST(Workloads, AllKindsTogetherInBothDirections) {
  const Report report = run_text(std::string(kThreePaths) + R"(workloads:
  - {kind: bulk, direction: up, bytes: 2MB}
  - {kind: bulk, direction: down, bytes: 2MB, streams: 5, start: 200ms}
  - {kind: requests, count: 300, concurrency: 20, request: 300B, response: 5kB}
  - {kind: datagrams, rate: 500kbit/s, size: 300B, for: 2s}
  - {kind: datagrams, rate: 500kbit/s, size: 300B, for: 2s, direction: down}
assert: {datagrams_delivered: 95%}
)",
                                 1);
  EXPECT_TRUE(report.passed()) << complaints(report);
  EXPECT_EQ(report.workloads[2].latency.count, 300u);
}

TEST(Workloads, RetryCostsARoundTripAndNothingElse) {
  const Overrides tiny = {"workloads.0.bytes=1kB", "endpoints.multipath=off"};
  const Report without = run_text(std::string(kThreePaths) + kUpload, 1, tiny);
  Overrides with_retry = tiny;
  with_retry.emplace_back("endpoints.retry=on");
  const Report with = run_text(std::string(kThreePaths) + kUpload, 1, with_retry);
  EXPECT_TRUE(with.passed()) << complaints(with);
  EXPECT_NEAR(with.completion_s - without.completion_s, 0.020, 0.005);
}

TEST(Aggregation, ABadPathBesideAGoodOneCostsNearlyNothing) {  // lessons.md 10
  const Report both = run_file("fifty-plus-one", 1, {"crypto=null"});
  const Report alone =
      run_file("fifty-plus-one", 1, {"crypto=null", "endpoints.multipath=off", "assert.goodput_of_best=0"});
  EXPECT_GT(both.goodput_mbps, 0.97 * alone.goodput_mbps);
}

TEST(Workloads, InnerFlowsDeliverEverythingInOrder) {
  const std::string workload = "workloads: [{kind: inner_tcp, bytes: 1MB, flows: 3, direction: down}]\n";
  const Report clean = run_text(std::string(kThreePaths) + workload, 1, {"endpoints.multipath=off"});
  EXPECT_TRUE(clean.passed()) << complaints(clean);
  EXPECT_GE(clean.workloads[0].bytes, 1'000'000u);
  const Report lossy = run_text(std::string(kThreePaths) + workload, 1, {"endpoints.multipath=off", "paths.0.loss=3%"});
  EXPECT_TRUE(lossy.passed()) << complaints(lossy);
  EXPECT_GT(lossy.workloads[0].inner.retransmitted, 0u);
  EXPECT_GT(lossy.completion_s, clean.completion_s);
}

TEST(Workloads, ACallIsJudgedByItsPlayoutBudget) {
  const std::string call = "workloads: [{kind: voip, for: 2s, playout: 60ms}]\n";
  const Report good = run_text(std::string(kThreePaths) + call, 1);
  EXPECT_TRUE(good.passed()) << complaints(good);
  ASSERT_EQ(good.workloads.size(), 2u);  // both ways
  EXPECT_NEAR(*good.workloads[0].late, 0, 1e-9);
  EXPECT_GT(*good.workloads[1].mos, 4.2);
  const Report far =
      run_text(std::string(kThreePaths) + call, 1,
               {"paths.0.rtt=200ms", "paths.1.rtt=200ms", "paths.2.rtt=200ms", "workloads.0.assert.late=5%"});
  EXPECT_NEAR(*far.workloads[0].late, 1, 1e-9);
  EXPECT_LT(*far.workloads[0].mos, 1.5);
  EXPECT_FALSE(far.passed());
}

TEST(Workloads, APlayerStallsWhereTheLineIsTooThin) {
  const std::string video = "workloads: [{kind: video, rate: 4Mbit/s, segment: 500ms, for: 6s, buffer: 2s}]\n";
  const Report good = run_text(std::string(kThreePaths) + video, 1);
  EXPECT_TRUE(good.passed()) << complaints(good);
  EXPECT_EQ(good.workloads[0].stalls, 0u);
  EXPECT_GT(good.completion_s, 4);  // the buffer holds two seconds of six
  const Report thin =
      run_text(std::string(kThreePaths) + video, 1,
               {"paths.0.rate=3Mbit/s", "endpoints.multipath=off", "workloads.0.assert.rebuffering=100ms"});
  EXPECT_GT(thin.workloads[0].stalls, 0u);
  EXPECT_GT(*thin.workloads[0].rebuffering_s, 1);
  EXPECT_FALSE(thin.passed());
}

TEST(Baselines, OneConnectionPerPathHashesFlows) {
  const std::string uploads = "workloads: [{kind: bulk, bytes: 3MB, streams: 12}]\n";
  const Report report = run_text(std::string(kThreePaths) + uploads, 1, {"baseline=per_path"});
  EXPECT_TRUE(report.passed()) << complaints(report);
  std::size_t used = 0;
  for (const PathReport& path : report.paths) used += path.share > 0.05;
  EXPECT_GE(used, 2u);
  const Report one_flow =
      run_text(std::string(kThreePaths) + uploads, 1, {"baseline=per_path", "workloads.0.streams=1"});
  EXPECT_TRUE(one_flow.passed()) << complaints(one_flow);
  EXPECT_EQ(std::ranges::count_if(one_flow.paths, [](const PathReport& path) { return path.share > 0; }), 1);
}

TEST(Baselines, TheBestPathAloneIsUsed) {
  auto scenario = parse_scenario(std::string(kThreePaths) + kUpload, "inline.yaml",
                                 {"baseline=best_path", "endpoints.first_path=c", "paths.0.loss=20%"});
  ASSERT_TRUE(scenario) << scenario.error();
  settle_best_path(*scenario, [](const Scenario& alone) { return run(alone, 1); });
  const Report report = run(*scenario, 1);
  EXPECT_TRUE(report.passed()) << complaints(report);
  EXPECT_EQ(report.single_path, "b");  // a is twice as fast, and loses every fifth packet
  EXPECT_NEAR(report.paths[1].share, 1, 1e-9);
}

TEST(Faults, ARestartedServerSendsAStatelessReset) {
  const std::string restart = "events: [{at: 500ms, do: peer_restart}]\n";
  const Report report =
      run_text(std::string(kThreePaths) + kUpload + restart, 1, {"assert.closed.source=stateless_reset"});
  EXPECT_TRUE(report.passed()) << complaints(report);
  const Report wrong = run_text(std::string(kThreePaths) + kUpload + restart, 1, {"assert.closed.reason=idle timeout"});
  EXPECT_FALSE(wrong.passed());
  const Report late = run_text(std::string(kThreePaths) + kUpload + restart, 1, {"assert.closed.by=400ms"});
  EXPECT_THAT(complaints(late), HasSubstr("expected by 0.400 s"));
}

TEST(Faults, NothingIsLostWhateverTheScriptDoes) {
  for (const char* event :
       {"{at: 300ms, do: address_change, path: a}", "{at: 300ms, do: outage, path: all, for: 400ms, mode: interface}",
        "{at: 300ms, do: socket_error, path: a, value: too_big, for: 100ms}",
        "{at: 300ms, do: socket_error, path: b, value: unreachable, for: 300ms, side: server}",
        "{at: 300ms, do: socket_error, path: a, value: would_block, for: 300ms}",
        "{at: 300ms, do: clock_jump, side: client, value: 5s}", "{at: 300ms, do: clock_jump, side: server, value: -1s}",
        "{at: 300ms, do: key_update}", "{at: 300ms, do: handover, path: b, gap: 90ms, rate: 2Mbit/s}"}) {
    const Report report = run_text(std::string(kThreePaths) + kUpload + "events: [" + event + "]\n", 1);
    EXPECT_TRUE(report.passed()) << event << complaints(report);
  }
}

TEST(Engines, ATracedRunPassesThroughTheNonceWatch) {
  // The watch sits between the core and every other sink: a sink behind it must see the packets.
  class Counter final : public trace::SinkFactory {
   public:
    std::unique_ptr<trace::Sink> make_sink(Role, const ConnectionId&) override {
      class Counting final : public trace::Sink {
       public:
        explicit Counting(std::uint64_t& sent) : sent_(sent) {}
        void on_event(const trace::Event& event, Instant) override {
          sent_ += trace::event_if<trace::PacketSent>(event) != nullptr;
        }

       private:
        std::uint64_t& sent_;
      };
      return std::make_unique<Counting>(sent);
    }
    std::uint64_t sent = 0;
  } counter;
  const auto scenario = parse_scenario(std::string(kThreePaths) + kUpload, "inline.yaml", {"workloads.0.bytes=100kB"});
  ASSERT_TRUE(scenario);
  const Report report = Simulation(*scenario, {.seed = 1, .trace = &counter}).run();
  EXPECT_TRUE(report.passed()) << complaints(report);
  EXPECT_GE(counter.sent, report.packets);
}

}  // namespace
}  // namespace mpquic::sim
