#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/scenario_loader.h"
#include "sim/trace/script_text.h"

namespace mpquic::sim {
namespace {

using testing::ElementsAre;

/// What the events of a scenario file are described as, in order of time.
std::vector<std::string> texts(const std::string& events) {
  const auto scenario = parse_scenario(
      "name: two\npaths:\n"
      "  - {name: a, rate: 20Mbit/s, rtt: 20ms}\n"
      "  - {name: b, rate: 10Mbit/s, rtt: 30ms}\n"
      "workloads: [{kind: bulk, bytes: 3MB}]\n"
      "events:\n" +
          events,
      "two.yaml");
  EXPECT_TRUE(scenario) << scenario.error();
  std::vector<std::string> all;
  if (scenario)
    for (const ScriptedEvent& event : scenario->events)
      all.push_back(describe(event, scenario->paths[event.path].config.name));
  return all;
}

TEST(ScriptText, ValuesReadAsFilesSayThem) {
  EXPECT_THAT(texts("  - {at: 1s, do: set_rate, path: b, value: 1.5Mbit/s, direction: up}\n"
                    "  - {at: 2s, do: set_delay, path: a, value: 2500us}\n"
                    "  - {at: 3s, do: set_loss, path: a, value: 0.3%, direction: down}\n"
                    "  - {at: 4s, do: path_status, path: a, value: backup}\n"
                    "  - {at: 5s, do: drop_datagrams, path: b, nth: 3, count: 2, acks: on}\n"
                    "  - {at: 6s, do: reorder_burst, path: b, for: 20ms}\n"
                    "  - {at: 7s, do: set_mtu, path: b, value: 1400B}\n"),
              ElementsAre("set_rate on path b: value 1500kbit/s, direction up", "set_delay on path a: value 2500us",
                          "set_loss on path a: value 0.3%, direction down", "path_status on path a: value backup",
                          "drop_datagrams on path b: nth 3, count 2, acks on", "reorder_burst on path b: for 20ms",
                          "set_mtu on path b: value 1400B"));
}

TEST(ScriptText, WhatHappensToHostsAndToEverythingNamesNoPath) {
  EXPECT_THAT(texts("  - {at: 1s, do: clock_jump, side: server, value: -2s}\n"
                    "  - {at: 2s, do: key_update}\n"
                    "  - {at: 3s, do: socket_error, path: a, value: too_big, side: server}\n"
                    "  - {at: 4s, do: socket_error, path: a, value: would_block, for: 1s}\n"
                    "  - {at: 4s, do: socket_error, path: a, value: ENOBUFS}\n"
                    "  - {at: 5s, do: heal}\n"),
              ElementsAre("clock_jump at the server: value -2s", "key_update at the client",
                          "socket_error on path a: value too_big, side server",
                          "socket_error on path a: value would_block, for 1s",
                          "socket_error on path a: value no_buffers", "heal of all paths"));
}

TEST(ScriptText, PartsOfAnOutageAFlapAndAHandoverSaySo) {
  EXPECT_THAT(
      texts("  - {at: 1s, do: outage, path: a, for: 500ms, mode: interface}\n"
            "  - {at: 1s, do: outage, path: b, for: 500ms, mode: hold}\n"
            "  - {at: 2s, do: flap, path: a, down: 10ms, up: 20ms, count: 1}\n"
            "  - {at: 3s, do: handover, path: b, gap: 50ms, rate: 2Gbit/s}\n"),
      ElementsAre("link_down on path a: for 500ms, part of an outage, mode interface",
                  "hold on path b: for 500ms, part of an outage, mode hold", "link_up on path a: part of an outage",
                  "link_up on path b: part of an outage",
                  "silent_death on path a: for 10ms, part of a flap, mode silent", "link_up on path a: part of a flap",
                  "silent_death on path b: for 50ms, part of a handover, mode silent",
                  "set_rate on path b: value 2Gbit/s, part of a handover", "nat_rebind on path b: part of a handover",
                  "link_up on path b: part of a handover"));
}

}  // namespace
}  // namespace mpquic::sim
