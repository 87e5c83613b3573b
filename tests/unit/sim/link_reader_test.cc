// The keys of links, outages, groups and bottlenecks, as a scenario's paths use them.
#include "sim/scenario/link_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

std::expected<Scenario, std::string> load(const std::string& path, const std::string& more = "") {
  return parse_scenario(
      "name: x\npaths:\n  - {name: a, " + path + "}\nworkloads:\n  - {kind: bulk, bytes: 1MB}\n" + more,
      (std::filesystem::temp_directory_path() / "x.yaml").string());
}
constexpr const char* kPlain = "rate: 10Mbit/s, rtt: 20ms, source: test, ";

LinkConfig up_of(const std::string& keys) {
  const auto scenario = load(kPlain + keys);
  EXPECT_TRUE(scenario) << scenario.error();
  return scenario ? scenario->paths[0].config.up : LinkConfig{};
}
std::string link_error(const std::string& keys) {
  const auto scenario = load(kPlain + keys);
  return scenario ? "" : scenario.error();
}

TEST(LinkReader, ReadsQueues) {
  EXPECT_EQ(up_of("queue: 100 packets").discipline.packets, 100u);
  EXPECT_EQ(up_of("queue: {kind: droptail, age: 30ms}").discipline.age, milliseconds(30));
  EXPECT_EQ(up_of("queue: {kind: drop_front, limit: 64kB}").queue.value(), 64'000u);
  const LinkConfig codel = up_of("queue: {kind: codel, target: 10ms, interval: 50ms, ecn: on}");
  EXPECT_EQ(codel.discipline.kind, QueueKind::codel);
  EXPECT_EQ(codel.discipline.target, milliseconds(10));
  EXPECT_TRUE(codel.discipline.ecn);
  EXPECT_EQ(codel.queue.value(), 1'500'000u);
  EXPECT_EQ(up_of("queue: {kind: fq_codel, flows: 64, quantum: 300B}").discipline.quantum, 300u);
  EXPECT_EQ(up_of("queue: {kind: pie, limit: 200ms}").queue.value(), 250'000u);
  EXPECT_EQ(up_of("queue: {kind: pie}, up: {queue: 30kB}").discipline.kind, QueueKind::drop_tail);
}

TEST(LinkReader, ReadsImpairments) {
  const LinkConfig link = up_of(
      "burst_loss: {mean_good: 10s, mean_bad: 200ms, loss_bad: 50%}, truncate: 1%, bleach: on, drops_ect: on, mtu: "
      "1400B, mtu_signal: "
      "on, "
      "policer: {rate: 5Mbit/s, burst: 20kB}, jitter: {deviation: 3ms, least: 2ms}, "
      "cross_traffic: {rate: 2Mbit/s, mean_on: 1s, mean_off: 2s}");
  ASSERT_TRUE(link.burst_loss);
  EXPECT_EQ(link.burst_loss->mean_bad, milliseconds(200));
  EXPECT_DOUBLE_EQ(link.burst_loss->loss_bad, 0.5);
  EXPECT_DOUBLE_EQ(link.truncate, 0.01);
  EXPECT_TRUE(link.bleach);
  EXPECT_TRUE(link.drops_ect);
  EXPECT_TRUE(link.mtu_signal);
  EXPECT_EQ(link.policer->burst.value(), 20'000u);
  EXPECT_EQ(link.jitter->least, milliseconds(2));
  EXPECT_EQ(link.cross_traffic->mean_off, seconds(2));
}

TEST(LinkReader, ReadsRates) {
  EXPECT_EQ(std::get<BucketRate>(up_of("burst: 30kB").service).burst.value(), 30'000u);
  const auto wandering = std::get<WanderingRate>(up_of("rate_process: {spread: 0.5, step: 200ms}").service);
  EXPECT_EQ(wandering.step, milliseconds(200));
}

TEST(LinkReader, ReadsTracesBesideTheScenario) {
  const auto directory = std::filesystem::temp_directory_path();
  std::ofstream(directory / "mpquic_rates.csv") << "0,8\n1,16\n";
  std::ofstream(directory / "mpquic_delays.csv") << "0,30\n1,50\n";
  std::ofstream(directory / "mpquic.mahi") << "1\n2\nx\n";
  const auto scenario = load("rate_trace: mpquic_rates.csv, delay_trace: mpquic_delays.csv");
  ASSERT_TRUE(scenario) << scenario.error();
  EXPECT_EQ(scenario->paths[0].config.up.rate.bits_per_second(), 12'000'000u);
  EXPECT_EQ(scenario->paths[0].config.down.delay, milliseconds(40));
  EXPECT_THAT(load("mahimahi: mpquic.mahi, rtt: 10ms").error(),
              HasSubstr("key 'paths.0.mahimahi': mpquic.mahi: line 3: expected a whole millisecond, got 'x'"));
  EXPECT_THAT(load("mahimahi: none.mahi, rtt: 10ms").error(), HasSubstr("none.mahi: cannot be read"));
  for (const char* name : {"mpquic_rates.csv", "mpquic_delays.csv", "mpquic.mahi"})
    std::filesystem::remove(directory / name);
}

TEST(LinkReader, ReadsOutagesAndNat) {
  const auto scenario = load(std::string(kPlain) +
                             "nat: {filter: endpoint_dependent, idle_timeout: 30s}, outages: "
                             "[{mode: hold, every: 15s, first: 3s, least: 59ms, most: 135ms}, "
                             "{mean_gap: 10s, length: 1s, direction: up}]");
  ASSERT_TRUE(scenario) << scenario.error();
  const PathConfig& path = scenario->paths[0].config;
  EXPECT_EQ(path.nat.filter, NatFilter::endpoint_dependent);
  EXPECT_EQ(path.nat.idle_timeout, seconds(30));
  ASSERT_EQ(path.outages.size(), 2u);
  EXPECT_EQ(path.outages[0].config.mode, OutageMode::hold);
  EXPECT_EQ(path.outages[0].config.when.most, milliseconds(135));
  EXPECT_FALSE(path.outages[0].direction);
  EXPECT_EQ(path.outages[1].direction, Direction::up);
  EXPECT_EQ(path.outages[1].config.when.least, seconds(1));
}

TEST(LinkReader, ReadsBottlenecksAndGroups) {
  const auto scenario = load("shared: mast, rtt: 20ms",
                             "bottlenecks:\n  - {name: mast, rate: 30Mbit/s, queue: {kind: fq_codel}}\n"
                             "groups:\n  - {paths: [a], mean_gap: 60s, least: 1s, most: 5s, source: assumption}\n");
  ASSERT_TRUE(scenario) << scenario.error();
  EXPECT_EQ(scenario->paths[0].config.up.shared_bottleneck, 0u);
  EXPECT_EQ(scenario->paths[0].config.up.rate.bits_per_second(), 30'000'000u);
  ASSERT_EQ(scenario->common.groups.size(), 1u);
  EXPECT_EQ(scenario->common.groups[0].paths, std::vector<std::size_t>{0});
}

TEST(LinkReader, ErrorsNameTheKeyAndWhatWasExpected) {
  EXPECT_THAT(link_error("queue: {limit: 3kB}"), HasSubstr("key 'paths.0.queue.kind': missing; expected droptail"));
  EXPECT_THAT(link_error("queue: {kind: red}"), HasSubstr("expected droptail, drop_front, codel, fq_codel or pie"));
  EXPECT_THAT(link_error("queue: {kind: droptail, ecn: on}"), HasSubstr("key 'paths.0.queue.ecn': unknown"));
  EXPECT_THAT(link_error("queue: 0 packets"), HasSubstr("a size like 256KiB, a time like 100ms, or '100 packets'"));
  EXPECT_THAT(link_error("policer: {rate: 1Mbit/s, burst: 100B}"), HasSubstr("expected at least the mtu"));
  EXPECT_THAT(link_error("burst: 100B"), HasSubstr("expected at least the mtu"));
  EXPECT_THAT(link_error("burst_loss: {mean_good: 1s}"), HasSubstr("key 'paths.0.burst_loss.mean_bad': missing"));
  EXPECT_THAT(link_error("burst_loss: {mean_good: 1s, mean_bad: 1ns}"), HasSubstr("expected at least 100 us"));
  EXPECT_THAT(link_error("mahimahi: x"), HasSubstr("give one of rate, rate_trace, mahimahi and shared"));
  EXPECT_THAT(link_error("delay_trace: x"), HasSubstr("give rtt or delay, not both"));
  EXPECT_THAT(link_error("jitter: {step: 10ms}"), HasSubstr("key 'paths.0.jitter.deviation': missing"));
  EXPECT_THAT(link_error("cross_traffic: {rate: 1Mbit/s, mean_on: 1s}"), HasSubstr("give mean_on and mean_off"));
  EXPECT_THAT(link_error("outages: [{every: 1s}]"), HasSubstr("key 'paths.0.outages.0.least': missing"));
  EXPECT_THAT(link_error("outages: [{every: 1s, mean_gap: 1s, length: 1s}]"), HasSubstr("give every or mean_gap"));
  EXPECT_THAT(link_error("outages: [{mode: burst, length: 1s}]"),
              HasSubstr("expected drop (packets are lost) or hold"));
  EXPECT_THAT(link_error("nat: {filter: open}"), HasSubstr("expected endpoint_independent or endpoint_dependent"));
  EXPECT_THAT(load("shared: mast, rtt: 20ms").error(),
              HasSubstr("expected the name of one of bottlenecks, got 'mast'"));
  EXPECT_THAT(load("rate: 10Mbit/s, rtt: 20ms", "groups:\n  - {paths: [b], length: 1s}\n").error(),
              HasSubstr("key 'groups.0.paths': there is no path 'b'"));
}

}  // namespace
}  // namespace mpquic::sim
