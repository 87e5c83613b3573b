#include "sim/run/simulation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sim/scenario/scenario_loader.h"
#include "tests/unit/sim/toy_engine.h"

namespace mpquic::sim {
namespace {

using testing::HasSubstr;

constexpr const char* kOnePath = R"(name: one
duration: 20s
max_stall: 2s
crypto: null
endpoints: {multipath: off}
paths:
  - {name: a, rate: 20Mbit/s, rtt: 20ms, queue: 10MB}
workloads:
)";
constexpr const char* kBulk = "  - {kind: bulk, bytes: 2MB, streams: 3}\n";
constexpr const char* kDatagrams = "  - {kind: datagrams, rate: 1Mbit/s, size: 500B, count: 200}\n";

Simulation make(const std::string& workloads, SimulationOptions options,
                const std::vector<std::string>& overrides = {}) {
  auto scenario = parse_scenario(kOnePath + workloads, "one.yaml", overrides);
  EXPECT_TRUE(scenario) << scenario.error();
  return Simulation(*scenario, std::move(options));
}
Report run(const std::string& workloads, std::uint64_t seed = 1, const std::vector<std::string>& overrides = {}) {
  return make(workloads, {.seed = seed, .trace = nullptr, .client = toy(), .server = toy()}, overrides).run();
}
/// The first violation when both ends misbehave so.
std::string violation(Misbehaviour misbehaviour, const std::string& workloads = kBulk) {
  const Report report =
      make(workloads, {.seed = 1, .trace = nullptr, .client = toy(misbehaviour), .server = toy(misbehaviour)}).run();
  return report.violations.empty() ? "" : report.violations.front().what;
}

TEST(Simulation, BulkDataArrivesAndIsVerified) {
  const Report report = run(kBulk);
  EXPECT_TRUE(report.passed()) << (report.violations.empty() ? "" : report.violations[0].what);
  EXPECT_TRUE(report.completed);
  EXPECT_GT(report.completion_s, 0.8);  // 2 MB at 20 Mbit/s
  EXPECT_LT(report.completion_s, 2.0);
  ASSERT_EQ(report.workloads.size(), 1u);
  EXPECT_EQ(report.workloads[0].bytes, 2'000'000u + 3 * FlowHeader::kSize);
}

/// The share that was lost is a limit which the run meets exactly: no rounding may make it miss that.
TEST(Simulation, ALimitThatIsMetExactlyIsMet) {
  for (const int lost : {3, 7, 14, 29, 57}) {
    const std::string call = fmt::format("  - {{kind: voip, for: 2s, playout: 150ms, assert: {{late: {}%}}}}\n", lost);
    const std::string drop =
        fmt::format("events=[{{at: 500ms, do: drop_datagrams, path: a, direction: up, count: {}}}]", lost);
    const Report met = run(call, 1, {drop, "assert={completes: off}"});
    const double late = met.workloads[0].late.value_or(-1);
    EXPECT_NEAR(late, lost / 100.0, 1e-12);
    EXPECT_TRUE(met.violations.empty()) << met.violations[0].what;
    const std::string stricter = fmt::format("workloads.0.assert.late={}%", lost - 1);
    EXPECT_FALSE(run(call, 1, {drop, "assert={completes: off}", stricter}).violations.empty());
  }
}

TEST(Simulation, WorksInBothDirections) {
  const Report report = run("  - {kind: bulk, direction: down, bytes: 1MB}\n");
  EXPECT_TRUE(report.passed());
  EXPECT_TRUE(report.completed);
}

TEST(Simulation, RequestsAreAnsweredWithinTheirConcurrency) {
  const Report report = run("  - {kind: requests, count: 50, concurrency: 4, request: 300B, response: 20kB}\n");
  EXPECT_TRUE(report.passed()) << (report.violations.empty() ? "" : report.violations[0].what);
  EXPECT_TRUE(report.completed);
  EXPECT_EQ(report.workloads[0].latency.count, 50u);
  EXPECT_GE(report.workloads[0].latency.p50_ms, 20.0);
}

TEST(Simulation, DatagramsArePacedCountedAndTimed) {
  const Report report = run(kDatagrams);
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.workloads[0].datagrams_sent, 200u);
  EXPECT_EQ(report.workloads[0].datagrams_received, 200u);
  EXPECT_NEAR(report.completion_s, 0.83, 0.05);  // 199 intervals of 4 ms, then half a round trip; after a handshake
  EXPECT_NEAR(report.workloads[0].latency.p50_ms, 10.2, 1.0);
}

TEST(Simulation, LostDatagramsDoNotKeepItFromEnding) {
  const Report report = run(kDatagrams, 1, {"paths.0.up.rate=100kbit/s", "paths.0.up.queue=5kB"});
  EXPECT_TRUE(report.completed);
  EXPECT_LT(report.workloads[0].datagrams_received, 100u);
}

TEST(Simulation, AWorkloadStartsWhenItShould) {
  const Report report = run("  - {kind: bulk, bytes: 10kB, start: 3s}\n");
  EXPECT_TRUE(report.completed);
  EXPECT_GT(report.completion_s, 3.0);
}

TEST(Simulation, EqualSeedsGiveEqualTraces) {
  const std::string workloads = std::string(kBulk) + kDatagrams;
  EXPECT_EQ(run(workloads, 7).trace_hash, run(workloads, 7).trace_hash);
  EXPECT_NE(run(workloads, 7).trace_hash, run(workloads, 8).trace_hash);
}

TEST(Simulation, AWrongByteIsFound) {
  EXPECT_THAT(violation(Misbehaviour::wrong_byte), HasSubstr("delivers a wrong byte at offset"));
}

TEST(Simulation, ADatagramDeliveredTwiceIsFound) {
  EXPECT_THAT(violation(Misbehaviour::datagram_twice, kDatagrams), HasSubstr("was delivered twice"));
}

TEST(Simulation, ATimerStormIsFoundAndStopped) {
  EXPECT_THAT(violation(Misbehaviour::timer_storm), HasSubstr("timer storm"));
}

TEST(Simulation, EndlessSendingIsFoundAndStopped) {
  EXPECT_THAT(violation(Misbehaviour::endless_sends), HasSubstr("sends for ever at one instant"));
}

TEST(Simulation, AnOverrunWindowIsFound) {
  EXPECT_THAT(violation(Misbehaviour::overruns_window), HasSubstr("into a window of"));
}

TEST(Simulation, AmplificationIsFound) {
  EXPECT_THAT(violation(Misbehaviour::amplifies), HasSubstr("over 3x before validation"));
}

TEST(Simulation, AStandstillIsFound) {
  EXPECT_THAT(violation(Misbehaviour::hangs), HasSubstr("no progress for 2.0 s although a path is up"));
}

TEST(Simulation, ACloseThatNeverArrivesIsFound) {
  EXPECT_THAT(violation(Misbehaviour::never_closes), HasSubstr("CONNECTION_CLOSE did not reach the server"));
}

TEST(Simulation, NobodyIsBlamedWhileThereIsNoPath) {
  auto scenario = parse_scenario(std::string(kOnePath) + kBulk + "events: [{at: 300ms, do: silent_death, path: a}]\n" +
                                     "assert: {completes: off}\n",
                                 "one.yaml");
  ASSERT_TRUE(scenario);
  const Report report = Simulation(*scenario, {.seed = 1, .trace = nullptr, .client = toy(), .server = toy()}).run();
  EXPECT_FALSE(report.completed);
  EXPECT_TRUE(report.passed()) << report.violations[0].what;
}

TEST(Simulation, AssertionsAreChecked) {
  const auto broken = [](const std::string& assertion) {
    const Report report = run(kBulk, 1, {"assert." + assertion});
    return report.violations.empty() ? "" : report.violations[0].what;
  };
  EXPECT_THAT(broken("completion=500ms"), HasSubstr("the budget is 0.500 s"));
  EXPECT_THAT(broken("goodput_of_sum=1.1"), HasSubstr("is under 1.10 of the links'"));
  EXPECT_THAT(broken("goodput_of_best=1.1"), HasSubstr("is under 1.10 of the best link's"));
  EXPECT_THAT(broken("stall=1us"), HasSubstr("stood still"));
  EXPECT_THAT(broken("at_least={a: {link_drops: 1}}"), HasSubstr("path a: link_drops is 0, at least 1 expected"));
  EXPECT_THAT(broken("at_most={all: {datagram_size: 1000B}}"), HasSubstr("path a: datagram_size is 1300, allowed are"));
  EXPECT_EQ(broken("at_most={a: {lost: 0, link_marks: 0}}"), "");
  EXPECT_THAT(run(kBulk, 1, {"duration=500ms"}).violations[0].what, HasSubstr("not complete after"));
}

TEST(Report, JsonHasTheAgreedNames) {
  const auto json = nlohmann::json::parse(to_json(run(kBulk)));
  for (const char* key : {"seed", "trace_hash", "completed", "completion_s", "goodput_mbps", "sum_of_links_mbps",
                          "best_link_mbps", "packets", "wall_s", "violations", "paths"})
    EXPECT_TRUE(json.contains(key)) << key;
  for (const char* key : {"name", "goodput_mbps", "share", "rtt_ms"})
    EXPECT_TRUE(json["paths"][0].contains(key)) << key;
  for (const PathMeasure measure : kPathMeasures)
    EXPECT_TRUE(json["paths"][0].contains(std::string(name_of(measure)))) << name_of(measure);
  EXPECT_NEAR(json["paths"][0]["share"].get<double>(), 1.0, 1e-9);
}

TEST(Report, TheReplayCommandRepeatsEverything) {
  Report report = run(kBulk, 41);
  report.overrides = {"paths.0.rate=5Mbit/s"};
  EXPECT_EQ(replay_command(report), "./dev replay one.yaml --seed 41 --crypto null --set 'paths.0.rate=5Mbit/s'");
}

}  // namespace
}  // namespace mpquic::sim
