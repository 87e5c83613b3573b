// Cases in which something that a link does is easily left out of the lower bound, so that a run could beat it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

constexpr const char* kHead = "name: bound\nduration: 60s\nmax_stall: 60s\ncrypto: null\n";

/// A packet of 1200 bytes of UDP takes 491.2 ms at 20 kbit/s: 120 ms of it in each pause, the rest while `slow` holds.
std::string in_the_middle_of_each_packet(const std::string& slow, const std::string& fast) {
  std::string events = "events:\n  - {at: 190ms, do: set_rate, path: a, direction: up, value: 20kbit/s}\n";
  for (int i = 0; i < 20; ++i) {
    const int at_us = 225'000 + i * 491'200;
    events += "  - {at: " + std::to_string(at_us) + "us, path: a, " + slow + "}\n";
    events += "  - {at: " + std::to_string(at_us + 371'200) + "us, path: a, " + fast + "}\n";
  }
  return events;
}

constexpr const char* kSmallUpload =
    "endpoints: {discover_mtu: off, initial_datagram_size: 1200B}\n"
    "workloads: [{kind: bulk, bytes: 8kB, direction: up, start: 200ms}]\n";

struct Case {
  const char* name;
  std::string text;
};
std::ostream& operator<<(std::ostream& out, const Case& example) { return out << example.text; }

std::vector<Case> cases() {
  const std::string trace = testing::TempDir() + "lower_bound_rate.csv";
  std::ofstream(trace) << "0,20\n1,0.001\n7,50\n20,50\n";
  return {
      {"TheEndOfAnOutageOfTheOtherDirection",
       "paths: [{name: a, rate: 20Mbit/s, rtt: 20ms}, {name: b, rate: 1Mbit/s, rtt: 20ms}]\n"
       "workloads: [{kind: bulk, bytes: 5MB, direction: down}]\n"
       "events:\n  - {at: 100ms, do: silent_death, path: a, direction: down}\n"
       "  - {at: 200ms, do: outage, path: a, direction: up, for: 100ms}\n"},
      {"APacketThatAnOutageFlushesFromTheNextStepOfATrace",
       "paths: [{name: a, rtt: 20ms, rate: 20Mbit/s, up: {rate_trace: " + trace +
           "}}]\n"
           "workloads: [{kind: bulk, bytes: 5MB, direction: up}]\n"
           "events: [{at: 1100ms, do: outage, path: a, for: 1ms}]\n"},
      {"LargerPacketsOnOneLinkOfABottleneck",
       "bottlenecks: [{name: n, rate: 20Mbit/s}]\nendpoints: {max_datagram_size: 8900B}\n"
       "paths: [{name: a, shared: n, rtt: 20ms, mtu: 1280B}, {name: b, shared: n, rtt: 20ms, mtu: 9kB}]\n"
       "workloads: [{kind: bulk, bytes: 20MB, direction: down}]\n"},
      {"PacketsThatMayBeLargerFromSomeTimeOn",
       "endpoints: {max_datagram_size: 8900B}\n"
       "paths: [{name: a, rate: 20Mbit/s, rtt: 20ms, mtu: 1280B}]\n"
       "workloads: [{kind: bulk, bytes: 20MB, direction: down}]\n"
       "events: [{at: 1ms, do: set_mtu, path: a, value: 9kB}]\n"},
      {"PacketsThatFinishAtTheOldRate",
       std::string(kSmallUpload) +
           "paths: [{name: a, up: {rate: 20Mbit/s, queue: 1MB, delay: 5ms}, down: {rate: 1Gbit/s, delay: 5ms}}]\n" +
           in_the_middle_of_each_packet("do: set_rate, direction: up, value: 2kbit/s",
                                        "do: set_rate, direction: up, value: 20kbit/s")},
      {"PacketsThatABottleneckServesDuringAnOutage",
       std::string(kSmallUpload) +
           "bottlenecks: [{name: n, rate: 20Mbit/s, queue: 1MB}]\n"
           "paths: [{name: a, up: {shared: n, delay: 5ms}, down: {rate: 1Gbit/s, delay: 5ms}}]\n" +
           in_the_middle_of_each_packet("do: silent_death, direction: up", "do: link_up")},
  };
}

class LowerBound : public testing::TestWithParam<Case> {};

TEST_P(LowerBound, NoRunBeatsIt) {
  const auto scenario = parse_scenario(kHead + GetParam().text, "bound.yaml");
  ASSERT_TRUE(scenario) << scenario.error();
  const Report report = Simulation(*scenario, {.seed = 1}).run();
  EXPECT_TRUE(report.passed()) << report.violations.front().what;
  ASSERT_TRUE(report.oracles.completion_bound_s);
  EXPECT_GE(report.completion_s, *report.oracles.completion_bound_s);
  EXPECT_GE(report.oracles.single_path_bound_s.value_or(report.completion_s), *report.oracles.completion_bound_s);
}

INSTANTIATE_TEST_SUITE_P(Cases, LowerBound, testing::ValuesIn(cases()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace mpquic::sim
