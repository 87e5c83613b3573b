// The scripted event heal ends whatever keeps data from arriving.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

struct Fault {
  const char* name;
  const char* path;
  const char* rest;
};

class Heals : public testing::TestWithParam<Fault> {
 protected:
  [[nodiscard]] static Report run(bool heal) {
    const std::string yaml = fmt::format(
        "name: one\ncrypto: null\nduration: 60s\nendpoints: {{idle_timeout: 120s, handshake_timeout: 120s}}\n"
        "paths: [{{name: a, rate: 5Mbit/s, rtt: 40ms, {}}}]\nworkloads: [{{kind: bulk, bytes: 2MB}}]\n{}\n"
        "max_stall: 200s\nevents: [{{at: 4s, do: {}}}]\n",
        GetParam().path, GetParam().rest, heal ? "heal" : "link_up, path: a");
    const auto scenario = parse_scenario(yaml, "one.yaml");
    EXPECT_TRUE(scenario.has_value()) << scenario.error();
    return Simulation(*scenario, {.seed = 1}).run();
  }
};

TEST_P(Heals, AndEverythingArrives) {
  EXPECT_FALSE(run(false).completed) << "it is no fault";
  const Report healed = run(true);
  EXPECT_TRUE(healed.completed);
  for (const Violation& violation : healed.violations) ADD_FAILURE() << violation.what;
}

INSTANTIATE_TEST_SUITE_P(All, Heals,
                         testing::Values(Fault{"outage", "outages: [{first: 1s, length: 10min}]", ""},
                                         Fault{"hold", "outages: [{mode: hold, first: 1s, length: 10min}]", ""},
                                         Fault{"returning", "outages: [{first: 1s, every: 100ms, length: 99ms}]", ""},
                                         Fault{"group", "", "groups: [{paths: [a], first: 1s, length: 10min}]"},
                                         Fault{"policer", "policer: {rate: 10kbit/s, burst: 50kB}", ""},
                                         Fault{"bursts", "burst_loss: {mean_good: 300ms, mean_bad: 10min}", ""}),
                         [](const auto& param) { return param.param.name; });

TEST(Heal, WhatIsHeldGoesOnAndPacketsMayBeAsLargeAsBefore) {
  for (const bool healed : {true, false}) {
    const auto scenario = parse_scenario(
        fmt::format("name: one\ncrypto: null\nduration: 20s\nmax_stall: 60s\n"
                    "paths: [{{name: a, rate: 5Mbit/s, rtt: 40ms}}]\nworkloads: [{{kind: bulk, bytes: 2MB}}]\n"
                    "events: [{{at: 1s, do: hold, path: a}}, {{at: 1s, do: set_mtu, path: a, value: 1280B}}{}]\n"
                    "assert: {{at_least: {{a: {{datagram_size: 1400B}}}}}}\n",
                    healed ? ", {at: 4s, do: heal}" : ", {at: 4s, do: link_up, path: a}"),
        "one.yaml");
    ASSERT_TRUE(scenario) << scenario.error();
    const Report report = Simulation(*scenario, {.seed = 1}).run();
    EXPECT_TRUE(report.completed) << "either ends the hold";
    EXPECT_EQ(report.passed(), healed);
  }
}

TEST(Heal, TheNatForgetsNobodyAnyMore) {
  for (const bool healed : {true, false}) {
    const auto scenario = parse_scenario(
        fmt::format("name: one\ncrypto: null\nduration: 30s\n"
                    "paths: [{{name: a, rate: 5Mbit/s, rtt: 40ms, nat: {{idle_timeout: 500ms}}}}]\n"
                    "workloads: [{{kind: datagrams, direction: down, start: 4s, rate: 100kbit/s, count: 20}}]\n"
                    "events: [{}]\nassert: {{datagrams_delivered: 1}}\n",
                    healed ? "{at: 2s, do: heal}" : ""),
        "one.yaml");
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_EQ(Simulation(*scenario, {.seed = 1}).run().passed(), healed);
  }
}

}  // namespace
}  // namespace mpquic::sim
