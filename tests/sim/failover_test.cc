// The failover metric over whole runs: what another workload does is no excuse.
#include <gtest/gtest.h>

#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

constexpr const char* kUpward = "{kind: bulk, bytes: 4MB}";
constexpr const char* kDownward = "{kind: bulk, bytes: 4MB, direction: down}";
constexpr const char* kDeathOnTheWayUp = "{at: 800ms, do: silent_death, path: a, direction: up}";

Report run_with(const std::string& workloads, const std::string& event,
                const std::vector<std::string>& overrides = {}) {
  const auto scenario = parse_scenario(R"(name: both-ways
duration: 20s
crypto: null
paths:
  - {name: a, rate: 20Mbit/s, rtt: 20ms, queue: 50ms}
  - {name: b, rate: 10Mbit/s, rtt: 60ms, queue: 50ms}
workloads: [)" + workloads + "]\nevents: [" +
                                           event + "]\n",
                                       "both-ways.yaml", overrides);
  EXPECT_TRUE(scenario) << scenario.error();
  return Simulation(*scenario, {.seed = 1}).run();
}
Report both_ways(const std::vector<std::string>& overrides = {}) {
  return run_with(std::string(kUpward) + ", " + kDownward, kDeathOnTheWayUp, overrides);
}

TEST(Failover, ADownloadDoesNotHideTheSilenceOfAnUpload) {
  const Report report = both_ways();
  EXPECT_TRUE(report.passed());
  ASSERT_EQ(report.failovers.size(), 1u);
  EXPECT_EQ(report.failovers[0].path, "a");
  ASSERT_TRUE(report.failovers[0].seconds);
  EXPECT_GT(*report.failovers[0].seconds, 0.02);  // no sender knows before a probe timeout
  EXPECT_LT(*report.failovers[0].seconds, 1.0);
}

TEST(Failover, AnAssertionCanFail) {
  EXPECT_FALSE(both_ways({"assert.failover=10ms"}).passed());
  EXPECT_TRUE(both_ways({"assert.failover=1s"}).passed());
}

TEST(Failover, IsNeverWhereNoPathIsLeft) {
  const Report report = run_with(kUpward, "{at: 800ms, do: link_down, path: all}", {"duration=5s"});
  ASSERT_FALSE(report.failovers.empty());
  for (const FailoverReport& failover : report.failovers) EXPECT_FALSE(failover.seconds);
}

TEST(Failover, RequestsAreOwedTheirReplies) {
  const Report report = run_with("{kind: requests, count: 500, response: 20kB}",
                                 "{at: 800ms, do: silent_death, path: a, direction: down}");
  ASSERT_EQ(report.failovers.size(), 1u);
  ASSERT_TRUE(report.failovers[0].seconds);
  EXPECT_GT(*report.failovers[0].seconds, 0.02);
}

}  // namespace
}  // namespace mpquic::sim
