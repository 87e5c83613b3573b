// Values that the loader refuses because a run could not make sense of them, each with one error that names its key.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kPlain =
    "name: x\n"
    "duration: 10s\n"
    "paths:\n"
    "  - {name: a, rate: 10Mbit/s, rtt: 30ms}\n"
    "workloads:\n"
    "  - {kind: datagrams, rate: 1Mbit/s, size: 500B, count: 10}\n"
    "events:\n"
    "  - {at: 1s, do: link_down, path: a}\n";

std::string refusal_of(const std::vector<std::string>& overrides) {
  const auto scenario = parse_scenario(kPlain, "x.yaml", overrides);
  return scenario ? "none" : scenario.error();
}

struct Refused {
  const char* set;
  const char* why;
};

class RefusedValue : public testing::TestWithParam<Refused> {};

TEST_P(RefusedValue, NamesItsKey) {
  const std::string set = GetParam().set;
  EXPECT_THAT(refusal_of({set}),
              AllOf(HasSubstr("key '" + set.substr(0, set.find('=')) + "'"), HasSubstr(GetParam().why)));
}

INSTANTIATE_TEST_SUITE_P(
    Scenario, RefusedValue,
    testing::Values(
        Refused{"endpoints.active_connection_id_limit=1", "expected 2 to"},  // RFC 9000 §18.2
        Refused{"endpoints.server.active_connection_id_limit=0", "expected 2 to"},
        Refused{"endpoints.max_ack_delay=20s", "at most 16383 ms"},  // RFC 9000 §18.2
        Refused{"endpoints.initial_rtt=0s", "at least"}, Refused{"endpoints.handshake_timeout=0s", "at least"},
        Refused{"endpoints.max_data=0B", "expected 1 to"},
        Refused{"endpoints.max_streams_uni=2000000000000000000", "expected 0 to"}, Refused{"duration=0s", "at least"},
        Refused{"max_stall=0s", "at least"}, Refused{"name=../../escape", "expected a word"},
        Refused{"paths.0.name=a/b", "expected a word"}, Refused{"paths.0.name=all", "means all paths"},
        Refused{"workloads=[]", "expected 1 to"}, Refused{"events.0.at=11s", "after the end"},
        Refused{"paths.0.rate_process={spread: 0.1, least: 20Mbit/s, most: 30Mbit/s}", "leave out the rate"},
        Refused{"paths.0.jitter={deviation: 1ms, least: 20ms}", "above the delay"},
        Refused{"paths.0.rtt=30ms..20ms", "a range is low..high"}),
    [](const auto& param) { return fmt::format("No{}", param.index); });

TEST(ScenarioValues, ThePlainScenarioIsTaken) { EXPECT_EQ(refusal_of({}), "none"); }

TEST(ScenarioValues, AssertionsMustHaveSomethingToHold) {
  EXPECT_THAT(refusal_of({"assert={failover: 1s}", "events.0.do=link_up"}), HasSubstr("no event takes a path away"));
  EXPECT_EQ(refusal_of({"assert={failover: 1s}"}), "none");
  EXPECT_THAT(refusal_of({"assert={tcp_goodput: 1Mbit/s}"}), HasSubstr("there are no TCP flows"));
  EXPECT_EQ(refusal_of({"assert={tcp_goodput: 1Mbit/s}", "ns3={topology: wifi, tcp: {flows: 1}}"}), "none");
  EXPECT_EQ(refusal_of({"assert={datagrams_delivered: 90%}"}), "none");
  EXPECT_THAT(refusal_of({"assert={datagrams_delivered: 90%}", "workloads.0={kind: bulk, bytes: 1MB}"}),
              HasSubstr("no workload sends datagrams"));
}

TEST(ScenarioValues, ConnectionsPerPathCannotNameTheStreamThatIsReset) {
  const std::string reset = "events.0={at: 1s, do: reset_stream}";
  EXPECT_EQ(refusal_of({reset}), "none");
  EXPECT_THAT(refusal_of({reset, "baseline=per_path"}), HasSubstr("key 'baseline': per_path"));
}

TEST(ScenarioValues, DatagramsMustFitThroughSomePath) {
  EXPECT_THAT(refusal_of({"workloads.0.size=3kB"}),
              HasSubstr("3000 bytes fit through no path: the largest mtu is 1500"));
  EXPECT_EQ(refusal_of({"workloads.0.size=3kB", "paths.0.mtu=4000B"}), "none");
}

TEST(ScenarioValues, AMisspeltKeyIsNamedWhereItStands) {
  const auto missing =
      parse_scenario("name: x\npaths:\n  - {name: a, rate: 1Mbit/s, rtt: 9ms}\nwrkloads: []\n", "x.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(), "x.yaml:4: key 'workloads': missing; expected a list of workloads (is 'wrkloads' meant?)");
}

TEST(ScenarioValues, WhatIsResolvedFindsItsTracesFromAnywhere) {
  const auto directory = std::filesystem::temp_directory_path() / "mpquic_scenario_values";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "rate.csv") << "0,10\n1,20\n";
  const std::string yaml =
      "name: x\npaths:\n  - {name: a, rate_trace: rate.csv, rtt: 9ms}\nworkloads:\n  - {kind: bulk, bytes: 1MB}\n";
  const auto scenario = parse_scenario(yaml, (directory / "x.yaml").string());
  ASSERT_TRUE(scenario) << scenario.error();
  const auto again = parse_scenario(scenario->resolved, "/elsewhere/y.yaml");
  EXPECT_TRUE(again) << again.error();
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace mpquic::sim
