#include "sim/scenario/scenario_loader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sim/scenario/yaml_reader.h"

namespace mpquic::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSmall = R"(name: small
duration: 30s
endpoints:
  cc: new_reno
  multipath: off
  max_data: 1MiB
paths:
  - name: a
    rate: 50Mbit/s
    rtt: 20ms
    loss: 2%
    queue: 256KiB
  - name: b
    rtt: 40ms
    queue: 100ms
    up: {rate: 5Mbit/s}
    down: {rate: 20Mbit/s, delay: 50ms}
workloads:
  - kind: bulk
    bytes: 50MB
    streams: 4
  - {kind: datagrams, direction: down, rate: 1Mbit/s, size: 500B, for: 2s}
  - {kind: requests, count: 100, concurrency: 8, request: 200B, response: 10kB, start: 1s}
events:
  - {at: 5s, do: link_up, path: b}
  - {at: 2s, do: silent_death, path: b, direction: up}
  - {at: 3s, do: set_rate, path: a, value: 1Mbit/s}
assert:
  completion: 20s
  goodput_of_best: 90%
)";

std::string error_of(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  const auto scenario = parse_scenario(yaml, "x.yaml", overrides);
  return scenario ? "" : scenario.error();
}
/// kSmall with `from` replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ScenarioLoader, ReadsAScenario) {
  const auto scenario = parse_scenario(kSmall, "x.yaml");
  ASSERT_TRUE(scenario) << scenario.error();
  EXPECT_EQ(scenario->name, "small");
  EXPECT_EQ(scenario->duration, seconds(30));
  EXPECT_FALSE(scenario->endpoints.client.connection.multipath);
  EXPECT_EQ(scenario->endpoints.client.connection.max_data, 1U << 20);
  ASSERT_EQ(scenario->paths.size(), 2u);
  EXPECT_EQ(scenario->paths[0].config.up.delay, milliseconds(10));
  EXPECT_EQ(scenario->paths[0].config.up.queue.value(), 262'144u);
  EXPECT_DOUBLE_EQ(scenario->paths[0].config.down.loss, 0.02);
  EXPECT_EQ(scenario->paths[1].config.up.rate.bits_per_second(), 5'000'000u);
  EXPECT_EQ(scenario->paths[1].config.up.delay, milliseconds(20));
  EXPECT_EQ(scenario->paths[1].config.down.delay, milliseconds(50));
  EXPECT_EQ(scenario->paths[1].config.down.queue.value(), 250'000u);  // 100 ms at 20 Mbit/s
  ASSERT_EQ(scenario->workloads.size(), 3u);
  EXPECT_EQ(scenario->workloads[0].streams, 4u);
  EXPECT_EQ(scenario->workloads[1].count, 500u);
  EXPECT_EQ(scenario->workloads[2].response_bytes, 10'000u);
}

TEST(ScenarioLoader, SortsEventsByTime) {
  const auto scenario = parse_scenario(kSmall, "x.yaml");
  ASSERT_TRUE(scenario);
  ASSERT_EQ(scenario->events.size(), 3u);
  EXPECT_EQ(scenario->events[0].action, Action::silent_death);
  EXPECT_EQ(scenario->events[0].path, 1u);
  EXPECT_EQ(scenario->events[0].direction, Direction::up);
  EXPECT_EQ(scenario->events[1].action, Action::set_rate);
  EXPECT_EQ(std::get<Bandwidth>(scenario->events[1].value).bits_per_second(), 1'000'000u);
}

TEST(ScenarioLoader, UnknownKeysSayWhereAndWhatWasExpected) {
  EXPECT_THAT(error_of(changed("duration: 30s", "durations: 30s")),
              AllOf(HasSubstr("x.yaml:2: key 'durations': unknown; expected one of "), HasSubstr("duration")));
  EXPECT_THAT(error_of(changed("    loss: 2%", "    los: 2%")), HasSubstr("x.yaml:11: key 'paths.0.los': unknown"));
  EXPECT_THAT(error_of(changed("streams: 4", "stream: 4")), HasSubstr("key 'workloads.0.stream': unknown"));
  EXPECT_THAT(error_of(changed("do: link_up, path: b", "do: link_up, path: b, value: 3")),
              HasSubstr("key 'events.0.value': unknown"));
}

TEST(ScenarioLoader, KeysOfAnotherKindOfWorkloadAreUnknown) {
  EXPECT_THAT(error_of(changed("    streams: 4", "    concurrency: 4")),
              HasSubstr("key 'workloads.0.concurrency': unknown"));
}

TEST(ScenarioLoader, BadValuesSayWhatWasExpected) {
  EXPECT_EQ(error_of(changed("rate: 50Mbit/s", "rate: 50")),
            "x.yaml:9: key 'paths.0.rate': expected a rate above zero like 50Mbit/s (bit/s, kbit/s, Mbit/s, Gbit/s), "
            "got '50'");
  EXPECT_THAT(error_of(changed("loss: 2%", "loss: 0.02")), HasSubstr("key 'paths.0.loss': expected a percentage"));
  EXPECT_THAT(error_of(changed("rtt: 20ms", "rtt: fast")), HasSubstr("x.yaml:10: key 'paths.0.rtt': expected a time"));
  EXPECT_THAT(error_of(changed("kind: bulk", "kind: bulky")),
              HasSubstr("expected bulk, requests, datagrams, voip, game, video or inner_tcp, got 'bulky'"));
  EXPECT_THAT(error_of(changed("path: b, direction", "path: c, direction")),
              HasSubstr("expected the name of a path: a, b, got 'c'"));
  EXPECT_THAT(error_of(changed("cc: new_reno", "cc: vegas")), HasSubstr("key 'endpoints.cc': expected one of "));
  EXPECT_THAT(error_of(changed("cc: new_reno", "scheduler: best")),
              HasSubstr("key 'endpoints.scheduler': expected one of "));
}

TEST(ScenarioLoader, MissingKeysAreNamed) {
  EXPECT_THAT(error_of(changed("name: small\n", "")), HasSubstr("key 'name': missing"));
  EXPECT_THAT(error_of(changed("    bytes: 50MB\n", "")),
              HasSubstr("key 'workloads.0.bytes': missing; expected a size"));
  EXPECT_THAT(error_of(changed("    rate: 50Mbit/s\n", "")), HasSubstr("key 'paths.0.rate': missing"));
  EXPECT_THAT(error_of(changed("    rtt: 20ms\n", "")), HasSubstr("key 'paths.0.rtt': missing"));
  EXPECT_THAT(error_of(changed(", path: a, value: 1Mbit/s", ", path: a")), HasSubstr("key 'events.2.value': missing"));
  EXPECT_THAT(error_of(changed("    bytes: 50MB", "    bytes:")), HasSubstr("key 'workloads.0.bytes': has no value"));
}

TEST(ScenarioLoader, ErrorsAreOneLine) {
  for (const std::string& text :
       {std::string("name: [\n  - x"), std::string("just words"), std::string(""), changed("kind: bulk", "kind: {")}) {
    const std::string error = error_of(text);
    EXPECT_FALSE(error.empty()) << text;
    EXPECT_THAT(error, Not(HasSubstr("\n")));
    EXPECT_THAT(error, HasSubstr("x.yaml"));
  }
}

TEST(ScenarioLoader, RepeatedKeysAndNamesAreRefused) {
  EXPECT_THAT(error_of(changed("duration: 30s", "name: other")), HasSubstr("key 'name': given twice"));
  EXPECT_THAT(error_of(changed("name: b", "name: a")), HasSubstr("key 'paths.1.name': is the name of another path"));
}

TEST(ScenarioLoader, OverridesReplaceAndAdd) {
  const auto scenario = parse_scenario(kSmall, "x.yaml",
                                       {"paths.0.rate=5Mbit/s", "events.1.at=9s", "endpoints.scheduler=round_robin",
                                        "paths.1.down.loss=1%", "assert.completes=off"});
  ASSERT_TRUE(scenario) << scenario.error();
  EXPECT_EQ(scenario->paths[0].config.up.rate.bits_per_second(), 5'000'000u);
  EXPECT_EQ(scenario->events.back().at, seconds(9));
  EXPECT_EQ(scenario->endpoints.client.connection.scheduler, "round_robin");
  EXPECT_DOUBLE_EQ(scenario->paths[1].config.down.loss, 0.01);
  EXPECT_DOUBLE_EQ(scenario->paths[1].config.up.loss, 0);
  EXPECT_FALSE(scenario->assertions.completes);
}

TEST(ScenarioLoader, BadOverridesAreNamed) {
  EXPECT_EQ(error_of(kSmall, {"paths.0.rate=5"}),
            "--set paths.0.rate: key 'paths.0.rate': expected a rate above zero like 50Mbit/s (bit/s, kbit/s, Mbit/s, "
            "Gbit/s), got '5'");
  EXPECT_THAT(error_of(kSmall, {"paths.0.rat=5Mbit/s"}), HasSubstr("--set paths.0.rat: key 'paths.0.rat': unknown"));
  EXPECT_THAT(error_of(kSmall, {"paths.7.rate=5Mbit/s"}), HasSubstr("no index into a list of 2"));
  EXPECT_THAT(error_of(kSmall, {"duration.x=5"}), HasSubstr("has no keys"));
  EXPECT_THAT(error_of(kSmall, {"duration"}), HasSubstr("expected KEY=VALUE"));
}

TEST(ScenarioLoader, NullIsAKindOfCryptoAndNothingElse) {  // YAML's null is a missing value elsewhere
  const auto scenario = parse_scenario(kSmall, "x.yaml", {"crypto=null"});
  ASSERT_TRUE(scenario) << scenario.error();
  EXPECT_EQ(scenario->crypto, Crypto::null);
  EXPECT_THAT(error_of(kSmall, {"duration=null"}), HasSubstr("key 'duration': has no value"));
}

TEST(ScenarioLoader, EachSideMayDiffer) {
  const auto scenario = parse_scenario(
      kSmall, "x.yaml", {"endpoints.server.cc=cubic", "endpoints.client.pacing=off", "endpoints.server.engine=mpquic"});
  ASSERT_TRUE(scenario) << scenario.error();
  EXPECT_EQ(scenario->endpoints.client.connection.congestion_control, "new_reno");
  EXPECT_EQ(scenario->endpoints.server.connection.congestion_control, "cubic");
  EXPECT_FALSE(scenario->endpoints.client.connection.pacing);
  EXPECT_TRUE(scenario->endpoints.server.connection.pacing);
  EXPECT_EQ(scenario->endpoints.server.connection.max_data, 1U << 20);
  EXPECT_THAT(error_of(kSmall, {"endpoints.server.engine=quinn"}), HasSubstr("expected mpquic or ngtcp2, got 'quinn'"));
  EXPECT_THAT(error_of(kSmall, {"baseline=path x"}), HasSubstr("expected the name of a path: a, b"));
  EXPECT_THAT(error_of(kSmall, {"baseline=fast"}), HasSubstr("expected none, best_path, per_path or path NAME"));
}

TEST(ScenarioLoader, CompoundEventsComeDownToSingleOnes) {
  const auto events = [](const std::string& event) {
    const auto scenario =
        parse_scenario(changed("  - {at: 5s, do: link_up, path: b}\n", "  - " + event + "\n"), "x.yaml");
    EXPECT_TRUE(scenario) << scenario.error();
    std::string out;
    for (const ScriptedEvent& e : scenario->events)
      if (e.at >= seconds(5))
        out += std::to_string(e.at / milliseconds(1)) + " " + std::string(name_of(e.action)) + " " +
               scenario->paths[e.path].config.name + "; ";
    return out;
  };
  EXPECT_EQ(events("{at: 5s, do: outage, path: b, for: 200ms, mode: interface}"), "5000 link_down b; 5200 link_up b; ");
  EXPECT_EQ(events("{at: 5s, do: outage, path: b, for: 200ms, mode: hold, direction: up}"),
            "5000 hold b; 5200 link_up b; ");
  EXPECT_EQ(events("{at: 5s, do: outage, path: all, for: 200ms}"),
            "5000 silent_death a; 5000 silent_death b; 5200 link_up a; 5200 link_up b; ");
  EXPECT_EQ(events("{at: 5s, do: flap, path: a, down: 100ms, up: 300ms, count: 2}"),
            "5000 silent_death a; 5100 link_up a; 5400 silent_death a; 5500 link_up a; ");
  EXPECT_EQ(events("{at: 5s, do: handover, path: a, gap: 80ms, rate: 1Mbit/s, delay: 9ms}"),
            "5000 silent_death a; 5080 set_rate a; 5080 set_delay a; 5080 nat_rebind a; 5080 link_up a; ");
}

TEST(ScenarioLoader, EventsRefuseWhatTheyCannotUse) {
  const auto refused = [](const std::string& event) {
    return error_of(changed("  - {at: 5s, do: link_up, path: b}\n", "  - " + event + "\n"));
  };
  EXPECT_THAT(refused("{at: 5s, do: clock_jump, side: client, value: 11min}"), HasSubstr("a time up to 10min"));
  EXPECT_THAT(refused("{at: 5s, do: clock_jump, side: client, value: 1s, path: a}"),
              HasSubstr("key 'events.0.path': unknown"));
  EXPECT_THAT(refused("{at: 5s, do: socket_error, path: a, value: would_block}"), HasSubstr("key 'events.0.for'"));
  EXPECT_THAT(refused("{at: 5s, do: outage, path: a}"), HasSubstr("key 'events.0.for': missing"));
  EXPECT_THAT(refused("{at: 5s, do: outage, path: a, for: 1s, mode: interface, direction: up}"),
              HasSubstr("key 'events.0.direction': unknown"));
  for (const char* mtu : {"1227B", "9001B", "1500"})
    EXPECT_THAT(refused(std::string("{at: 5s, do: set_mtu, path: a, value: ") + mtu + "}"),
                HasSubstr("a size from 1228B to 9kB"));
  EXPECT_THAT(error_of(kSmall, {"paths.0.policer={rate: 1Mbit/s, burst: 2kB}",
                                "events=[{at: 1s, do: set_mtu, path: a, value: 3kB}]"}),
              HasSubstr("key 'events.0.value': is above a burst of path a"));
  EXPECT_THAT(refused("{at: 5s, do: explode, path: a}"), HasSubstr("one of link_down"));
}

TEST(ScenarioLoader, PayloadCapacityTakesTheHeadersOff) {
  LinkConfig link;
  link.rate = Bandwidth::from_bits_per_second(10'000'000);
  ConnectionConfig connection;
  connection.max_datagram_size = 1452;
  EXPECT_NEAR(payload_capacity_mbps(link, connection), 10.0 * 1425 / 1480, 1e-9);
  link.mtu = 1280;
  EXPECT_NEAR(payload_capacity_mbps(link, connection), 10.0 * 1225 / 1280, 1e-9);
}

TEST(ScenarioLoader, AllScenariosOfTheRepositoryLoad) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MPQUIC_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    const auto scenario = load_scenario(entry.path().string());
    ASSERT_TRUE(scenario) << scenario.error();
    EXPECT_EQ(scenario->name, entry.path().stem().string());
    EXPECT_FALSE(scenario->protects.empty()) << scenario->name;
    ++count;
  }
  EXPECT_GE(count, 4u);
}

TEST(ScenarioLoader, BoundsAreOfOnePathOrOfAll) {
  const auto scenario = parse_scenario(
      kSmall, "x.yaml", {"assert.at_least={b: {datagram_size: 1400B}}", "assert.at_most={all: {lost: 7}}"});
  ASSERT_TRUE(scenario) << scenario.error();
  const auto& bounds = scenario->assertions.bounds;
  ASSERT_EQ(bounds.size(), 3u);
  EXPECT_EQ(bounds[0].path, 1u);
  EXPECT_EQ(bounds[0].measure, PathMeasure::datagram_size);
  EXPECT_EQ(bounds[0].least, 1400u);
  EXPECT_EQ(bounds[2].path, 1u);
  EXPECT_EQ(bounds[2].most, 7u);
  EXPECT_THAT(error_of(kSmall, {"assert.at_most={c: {lost: 7}}"}), HasSubstr("unknown; expected one of a, all, b"));
  EXPECT_THAT(error_of(kSmall, {"assert.at_most={a: {lost: 7kB}}"}), HasSubstr("'assert.at_most.a.lost'"));
}

TEST(ScenarioLoader, WhatBreaksAScenarioIsAListOfOverrides) {
  const auto scenario = parse_scenario(kSmall, "x.yaml", {"broken_by=['a=1', 'paths.0.rate=1Mbit/s paths.1.use=off']"});
  ASSERT_TRUE(scenario) << scenario.error();
  ASSERT_EQ(scenario->broken_by.size(), 2u);
  EXPECT_EQ(scenario->broken_by[0], std::vector<std::string>({"a=1"}));
  EXPECT_EQ(scenario->broken_by[1], std::vector<std::string>({"paths.0.rate=1Mbit/s", "paths.1.use=off"}));
  const auto spaces = parse_scenario(kSmall, "x.yaml", {"broken_by=['events=[{at: 1s, do: heal}] crypto=null']"});
  ASSERT_TRUE(spaces) << spaces.error();
  EXPECT_EQ(spaces->broken_by[0], std::vector<std::string>({"events=[{at: 1s, do: heal}]", "crypto=null"}));
  EXPECT_THAT(error_of(kSmall, {"broken_by=['']"}), HasSubstr("'broken_by'"));
}

TEST(ScenarioLoader, AnExpectedCloseNamesItsSource) {
  constexpr const char* kText = R"(name: x
paths: [{name: a, rate: 10Mbit/s, rtt: 10ms}]
workloads: [{kind: bulk, bytes: 1MB}]
assert: {closed: {side: server, source: idle_timeout}}
)";
  const auto scenario = parse_scenario(kText, "x.yaml");
  ASSERT_TRUE(scenario) << scenario.error();
  ASSERT_TRUE(scenario->assertions.closed);
  EXPECT_EQ(scenario->assertions.closed->source, CloseSource::idle_timeout);
  const auto wrong = parse_scenario(kText, "x.yaml", {"assert.closed.source=boredom"});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().find("stateless_reset"), std::string::npos) << wrong.error();
}

/// `levels` anchors, each a list of nine of the one before: 9^levels values in few bytes.
std::string nested_aliases(int levels) {
  std::string text = "bomb: [&a0 [x, x, x]";
  for (int i = 1; i <= levels; ++i) {
    text += ", &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) text += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]";
  }
  return text + "]\n";
}

TEST(ScenarioLoader, RefusesAliasesThatUnfoldWithoutEnd) {
  EXPECT_THAT(error_of(std::string(kSmall) + "x: &x [*x]\n"), AllOf(HasSubstr("x.yaml:"), HasSubstr("levels deep")));
  EXPECT_THAT(error_of(std::string(kSmall) + "x: &x {y: *x}\n"), AllOf(HasSubstr("x.yaml:"), HasSubstr("levels deep")));
  EXPECT_THAT(error_of(std::string(kSmall) + nested_aliases(20)), AllOf(HasSubstr("x.yaml:"), HasSubstr("aliases")));
  EXPECT_THAT(error_of(kSmall, {"events=&x [*x]"}), AllOf(HasSubstr("--set events"), HasSubstr("levels deep")));
  EXPECT_THAT(error_of(kSmall, {"events=" + nested_aliases(20).substr(6)}),
              AllOf(HasSubstr("--set events"), HasSubstr("aliases")));
}

TEST(ScenarioLoader, TakesAliasesThatUnfoldToLittle) {
  EXPECT_EQ(error_of(changed("rate: 50Mbit/s\n    rtt: 20ms", "rate: 50Mbit/s\n    rtt: &rtt 20ms") +
                     "  completion_of_bound: 9\n"),
            "");
}

TEST(ScenarioLoader, RefusesDeepNestingAndLargeTexts) {
  EXPECT_THAT(error_of(std::string(kSmall) + "x: " + std::string(200, '[') + std::string(200, ']') + "\n"),
              HasSubstr("levels deep"));
  EXPECT_THAT(error_of(std::string(kSmall) + "x: " + std::string(100'000, '[') + "\n"), HasSubstr("x.yaml:"));
  EXPECT_THAT(error_of(std::string(kSmall) + "description: " + std::string(kMaxYamlBytes, 'x') + "\n"),
              HasSubstr("larger than"));
  EXPECT_LT(error_of(kSmall, {"paths.0.rate=" + std::string(100'000, 'x')}).size(), 500u);
}

TEST(ScenarioLoader, SaysWhatIsNoScenarioFile) {
  EXPECT_THAT(load_scenario("/dev/zero").error(), HasSubstr("/dev/zero: is larger than"));
  EXPECT_THAT(load_scenario(MPQUIC_SOURCE_DIR "/scenarios").error(), HasSubstr("is a directory"));
  EXPECT_EQ(error_of(std::string(kSmall) + "---\nname: other\n"),
            "x.yaml:32: expected one YAML document, here begins a second");
}

TEST(ScenarioLoader, BlamesTheOverrideForItsSyntax) {
  EXPECT_THAT(error_of(kSmall, {"paths.0.rate=[1"}),
              AllOf(HasSubstr("--set paths.0.rate=[1: not YAML"), Not(HasSubstr("x.yaml"))));
  EXPECT_THAT(error_of(kSmall, {"paths.0.rate=nanMbit/s"}),
              HasSubstr("--set paths.0.rate: key 'paths.0.rate': expected a rate"));
}

TEST(ScenarioLoader, EveryEngineHasItsControllersAndNoOthers) {
  for (const char* name : {"bbr", "bbr2", "cubic", "new_reno"})
    EXPECT_EQ(error_of(kSmall, {"endpoints.engine=ngtcp2", std::string("endpoints.cc=") + name}), "") << name;
  EXPECT_THAT(error_of(kSmall, {"endpoints.engine=ngtcp2", "endpoints.cc=lia"}),
              HasSubstr("expected one of bbr, bbr2, cubic, new_reno (engine ngtcp2), got 'lia'"));
  EXPECT_THAT(
      error_of(kSmall, {"endpoints.client.engine=ngtcp2", "endpoints.client.cc=bbr", "endpoints.server.cc=bbr"}),
      AllOf(HasSubstr("endpoints.server.cc"), HasSubstr("(engine mpquic)")));
}

TEST(ScenarioLoader, WhatAnEngineLacksIsRefusedWhereItIsAskedFor) {
  const auto with = [](const std::string& endpoints) {
    return changed("endpoints:\n  cc: new_reno\n  multipath: off\n  max_data: 1MiB\n",
                   "endpoints: " + endpoints + "\n");
  };
  for (const char* key : {"scheduler: round_robin", "duplication: all", "duplicate_copies: 2", "reinjection: off",
                          "pacing: off", "ecn: off", "buggify: 1%", "key_update_after_packets: 9", "send_buffer: 1MB",
                          "max_paths: 2", "address_advertisement: on"}) {
    const std::string name = std::string(key).substr(0, std::string(key).find(':'));
    EXPECT_THAT(error_of(with(fmt::format("{{client: {{engine: ngtcp2, {}}}}}", key))),
                AllOf(HasSubstr("key 'endpoints.client." + name + "': engine ngtcp2 does not have it"),
                      HasSubstr("handshake_timeout")));
    EXPECT_THAT(error_of(with(fmt::format("{{engine: ngtcp2, {}}}", key))), HasSubstr("'endpoints." + name + "'"));
    EXPECT_EQ(error_of(with(fmt::format("{{{}, client: {{engine: ngtcp2}}}}", key))), "") << "it is the server's";
    EXPECT_EQ(error_of(with(fmt::format("{{client: {{{}}}}}", key)), {"endpoints.client.engine=ngtcp2"}), "")
        << "the engine was chosen for a file that was written for another one";
    EXPECT_THAT(error_of(with(fmt::format("{{client: {{{}}}}}", key)),
                         {"endpoints.client.engine=ngtcp2",
                          "endpoints.client." + name + "=" + std::string(key).substr(name.size() + 2)}),
                HasSubstr("engine ngtcp2 does not have it"));
  }
  EXPECT_THAT(error_of(with("{certificate_chain: 4kB, server: {engine: ngtcp2}}")), HasSubstr("sends one certificate"));
  EXPECT_EQ(error_of(with("{certificate_chain: 4kB}"), {"endpoints.server.engine=ngtcp2"}), "");
  EXPECT_EQ(error_of(with("{certificate_chain: 50kB, client: {engine: ngtcp2}}")), "");
  EXPECT_THAT(error_of(with("{certificate_chain: 50001B}")), HasSubstr("expected 0 to 50000"));
  EXPECT_EQ(error_of(with("{cc: olia}"), {"endpoints.client.engine=ngtcp2", "endpoints.server.engine=ngtcp2"}), "");
  EXPECT_EQ(
      error_of(with("{engine: ngtcp2, cc: bbr}"), {"endpoints.client.engine=mpquic", "endpoints.server.engine=mpquic"}),
      "");
}

TEST(ScenarioLoader, SocketErrorsHaveTheNamesOfTheSystem) {
  const auto failure = [](const std::string& name) {
    const auto scenario = parse_scenario(
        kSmall, "x.yaml", {"events=[{at: 1s, do: socket_error, path: a, for: 1s, value: " + name + "}]"});
    EXPECT_TRUE(scenario) << scenario.error();
    return scenario->events.at(0).error;
  };
  EXPECT_EQ(failure("EMSGSIZE"), SocketError::too_big);
  EXPECT_EQ(failure("EPERM"), SocketError::unreachable);
  EXPECT_EQ(failure("EIO"), SocketError::unreachable);
  EXPECT_EQ(failure("ECONNREFUSED"), SocketError::refused);
  EXPECT_EQ(failure("EAGAIN"), SocketError::would_block);
  EXPECT_EQ(failure("ENOBUFS"), SocketError::no_buffers);
  EXPECT_THAT(error_of(kSmall, {"events=[{at: 1s, do: socket_error, path: a, value: EFROB}]"}),
              HasSubstr("got 'EFROB'"));
}

}  // namespace
}  // namespace mpquic::sim
