#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "sim/run/tracing.h"
#include "sim/scenario/scenario_loader.h"
#include "sim/trace/divergence.h"
#include "sim/trace/qvis.h"

namespace mpquic::sim {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kTwoPaths = R"(name: two
duration: 20s
crypto: null
paths:
  - {name: a, rate: 20Mbit/s, rtt: 20ms, queue: 50ms}
  - {name: b, rate: 10Mbit/s, rtt: 30ms, queue: 20kB}
workloads:
  - {kind: bulk, bytes: 3MB}
events:
  - {at: 400ms, do: set_rate, path: a, value: 5Mbit/s}
  - {at: 700ms, do: set_rate, path: b, value: 9Mbit/s}
)";

class TraceTest : public testing::Test {
 protected:
  TraceTest() { std::filesystem::create_directories(directory_); }
  ~TraceTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string file(const std::string& name) const { return (directory_ / name).string(); }
  [[nodiscard]] static Scenario scenario(const std::vector<std::string>& overrides = {}) {
    auto parsed = parse_scenario(kTwoPaths, "two.yaml", overrides);
    EXPECT_TRUE(parsed) << parsed.error();
    return parsed ? *parsed : Scenario{};
  }
  static Report run(const Scenario& scenario, const TraceOptions& trace, std::uint64_t seed = 1) {
    auto tracing = Tracing::open(trace, scenario, seed);
    EXPECT_TRUE(tracing) << tracing.error();
    SimulationOptions options;
    options.seed = seed;
    (*tracing)->attach(options);
    Report report = Simulation(scenario, options).run();
    const auto closed = (*tracing)->close();
    EXPECT_TRUE(closed) << closed.error();
    return report;
  }
  [[nodiscard]] std::string recorded(const std::string& name, const std::vector<std::string>& overrides = {}) {
    run(scenario(overrides), {.record = file(name)});
    return file(name);
  }
  static Divergence divergence(const std::string& first, const std::string& second) {
    auto a = EventFile::open(first);
    auto b = EventFile::open(second);
    EXPECT_TRUE(a && b);
    auto found = find_divergence(*a, *b);
    EXPECT_TRUE(found) << found.error();
    return *found;
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  [[nodiscard]] std::vector<json> records(const std::string& name) const {
    std::istringstream in(content(name));
    std::vector<json> all;
    for (std::string line; std::getline(in, line);) {
      EXPECT_EQ(line.front(), '\x1e');
      all.push_back(json::parse(line.substr(1)));
    }
    return all;
  }

  std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(TraceTest, TracingChangesNothingInTheRun) {
  const Report plain = Simulation(scenario(), {}).run();
  const Report traced = run(scenario(), {.qlog = file("q"), .qvis = true, .record = file("r")});
  EXPECT_EQ(plain.trace_hash, traced.trace_hash);
}

TEST_F(TraceTest, EqualRunsHaveEqualRecordings) {
  const std::string a = recorded("a");
  const std::string b = recorded("b");
  EXPECT_EQ(content("a"), content("b"));
  const Divergence found = divergence(a, b);
  EXPECT_TRUE(found.equal);
  EXPECT_GT(found.events, 2 * kEventsPerBlock) << "the run must have several blocks";
}

TEST_F(TraceTest, TheFirstDifferentEventIsFoundInALateBlock) {
  const std::string a = recorded("a");
  // Nothing is different before 690 ms.
  const std::string b = recorded("b", {"events.1.at=690ms"});
  const Divergence found = divergence(a, b);
  EXPECT_FALSE(found.equal);
  EXPECT_GT(found.events, kEventsPerBlock);
  EXPECT_THAT(found.text, HasSubstr(fmt::format("first difference: event {}\n", found.events)));
  EXPECT_THAT(found.text, HasSubstr("  B     0.690000000 s  scripted   b up"));
  EXPECT_THAT(found.text, HasSubstr("1-RTT dcid "));
}

TEST_F(TraceTest, ScriptedEventsOfHostsNameTheHost) {
  const auto with_update = [&](const std::string& name, const std::string& when) {
    Scenario changed = scenario({"events.1.at=" + when});
    changed.events[1].action = Action::key_update;
    changed.events[1].side = Role::server;
    run(changed, {.qlog = directory_.string(), .record = file(name)});
    return file(name);
  };
  const std::string early = with_update("a", "690ms");
  const std::string late = with_update("b", "700ms");
  EXPECT_THAT(divergence(early, late).text, HasSubstr("  A     0.690000000 s  scripted   server key_update"));
  EXPECT_THAT(content("two-network.sqlog"), HasSubstr("key_update at the server"));
}

/// Counts by hand what the finder says.
TEST_F(TraceTest, TheReportedEventIsTheFirstDifference) {
  const std::string names[] = {recorded("a"), recorded("b", {"paths.1.rtt=31ms"})};
  std::vector<RecordedEvent> events[2];
  for (std::size_t i : {0U, 1U}) {
    auto opened = EventFile::open(names[i]);
    ASSERT_TRUE(opened);
    while (*opened->next_block()) {
      const auto block = opened->read_block();
      ASSERT_TRUE(block);
      events[i].insert(events[i].end(), block->begin(), block->end());
    }
  }
  const auto first = std::ranges::mismatch(events[0], events[1]).in1 - events[0].begin();
  EXPECT_EQ(divergence(names[0], names[1]).events, static_cast<std::uint64_t>(first));
}

TEST_F(TraceTest, ARunThatEndsEarlierDiffersWhereItEnds) {
  const std::string whole = recorded("a");
  const std::string text = content("a");
  // The last block, which is not full, is left out.
  auto opened = EventFile::open(whole);
  std::size_t last = 0;
  std::uint64_t events = 0;
  std::uint64_t in_last = 0;
  while (const auto block = *opened->next_block()) {
    last = BlockHeader::kSize + block->bytes;
    events += block->events;
    in_last = block->events;
  }
  std::ofstream(file("b"), std::ios::binary) << text.substr(0, text.size() - last);
  const Divergence found = divergence(whole, file("b"));
  EXPECT_FALSE(found.equal);
  EXPECT_EQ(found.events, events - in_last);
  EXPECT_THAT(found.text, HasSubstr("B  ends here"));
  EXPECT_THAT(found.text, HasSubstr("just before"));
}

TEST_F(TraceTest, DamagedRecordingsAreRefused) {
  static_cast<void>(recorded("a"));
  const std::string text = content("a");
  for (std::size_t at : {std::size_t{0}, std::size_t{9}, text.find('}') + 1, text.find('}') + 5, text.find('}') + 26}) {
    std::string bad = text;
    for (std::size_t i = at; i < at + 4; ++i) bad[i] = static_cast<char>(0xff);
    std::ofstream(file("bad"), std::ios::binary | std::ios::trunc) << bad;
    auto opened = EventFile::open(file("bad"));
    if (!opened) continue;
    const auto block = opened->next_block();
    EXPECT_TRUE(!block || !opened->read_block()) << at;
  }
}

TEST_F(TraceTest, TheNetworkHasItsOwnQlog) {
  const Report report = run(scenario(), {.qlog = directory_.string()});
  const std::vector<json> all = records("two-network.sqlog");
  EXPECT_EQ(all[0]["trace"]["vantage_point"]["type"], "network");
  std::map<std::string, std::size_t> count;
  bool marked = false;
  double time = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::string name = all[i]["name"];
    ++count[name];
    EXPECT_GE(all[i]["time"].get<double>(), time);
    time = all[i]["time"];
    if (name == "simulation:marker") {
      EXPECT_EQ(all[i + 1]["name"], "mpquic_net:link_updated");
      if (all[i]["time"] != 400) continue;
      marked = all[i]["data"]["type"] == "set_rate";
      EXPECT_EQ(all[i]["data"]["message"], "set_rate on path a: value 5Mbit/s");
      EXPECT_EQ(all[i + 1]["data"]["rate"], 5'000'000);
    }
  }
  EXPECT_TRUE(marked);
  EXPECT_EQ(count["simulation:scenario"], 1U);
  EXPECT_EQ(count["mpquic_net:link_updated"], 8U) << "four links at the start, two changes of two";
  EXPECT_GT(count["mpquic_net:queue_sampled"], 10U);
  EXPECT_EQ(count["mpquic_net:packet_dropped"], report.paths[0].link_drops + report.paths[1].link_drops);
  EXPECT_GT(count["mpquic_net:packet_dropped"], 0U);
}

TEST_F(TraceTest, TheNetworkFileFollowsProcessesAndHolds) {
  const auto moving = parse_scenario(
      "name: moving\n"
      "duration: 20s\n"
      "paths:\n"
      "  - {name: a, rate: 20Mbit/s, rtt: 20ms, rate_process: {spread: 0.4, step: 100ms},\n"
      "     outages: [{mode: hold, first: 300ms, every: 1s, length: 100ms, direction: down}]}\n"
      "workloads:\n"
      "  - {kind: bulk, direction: down, bytes: 2MB}\n"
      "crypto: null\n",
      "moving.yaml");
  ASSERT_TRUE(moving) << moving.error();
  run(*moving, {.qlog = directory_.string()});
  std::set<std::uint64_t> rates;
  std::size_t holds = 0;
  for (const json& record : records("moving-network.sqlog")) {
    if (record.value("name", "") != "mpquic_net:link_updated" || record["data"]["direction"] != "down") continue;
    rates.insert(record["data"]["rate"].get<std::uint64_t>());
    holds += record["data"]["held"].get<bool>() ? 1 : 0;
  }
  EXPECT_GT(rates.size(), 4U) << "a step each 100 ms, of about a second";
  EXPECT_GE(holds, 1U);
}

TEST_F(TraceTest, FilesOfARunShareOneTimeline) {
  run(scenario(), {.qlog = directory_.string()});
  EXPECT_EQ(records("two-client.sqlog")[1]["time"], 0);
  EXPECT_GE(records("two-server.sqlog")[1]["time"], 10) << "half a round trip later";
}

TEST_F(TraceTest, QvisGetsOneFileForEachPath) {
  run(scenario(), {.qlog = directory_.string(), .qvis = true});
  std::size_t sent = 0;
  std::size_t acked = 0;
  for (const char* name : {"two-client-path0.qlog", "two-client-path1.qlog"}) {
    const json log = json::parse(content(name));
    EXPECT_EQ(log["qlog_version"], "0.3");
    const json& events = log["traces"][0]["events"];
    std::map<std::string, std::int64_t> last;
    std::int64_t highest_ack = -1;
    for (const json& event : events) {
      const std::string event_name = event["name"];
      EXPECT_FALSE(event_name.starts_with("quic:") || event_name.starts_with("mpquic:")) << event_name;
      const json frames = event["data"].value("frames", json::array());
      for (const json& frame : frames) {
        EXPECT_NE(frame["frame_type"], "path_ack");
        EXPECT_TRUE(frame["frame_type"] != "stream" || frame["length"].is_number());
        if (frame["frame_type"] != "ack" || event_name != "transport:packet_received") continue;
        for (const json& range : frame["acked_ranges"]) {
          ASSERT_EQ(range.size(), 2U);
          if (event["data"]["header"]["packet_type"] == "1RTT")
            highest_ack = std::max(highest_ack, range[1].get<std::int64_t>());
        }
      }
      if (event_name != "transport:packet_sent" || !event["data"]["header"].contains("packet_number")) continue;
      const std::string type = event["data"]["header"]["packet_type"];
      const std::int64_t number = event["data"]["header"]["packet_number"];
      EXPECT_GT(number, last.contains(type) ? last[type] : -1) << "one packet number space in one file";
      last[type] = number;
      ++sent;
    }
    EXPECT_LE(highest_ack, last["1RTT"]) << "acknowledgements are about this file's packets";
    acked += highest_ack > 100 ? 1U : 0U;
  }
  std::size_t original = 0;
  for (const json& record : records("two-client.sqlog"))
    if (record.value("name", "") == "quic:packet_sent") ++original;
  EXPECT_EQ(sent, original);
  EXPECT_EQ(acked, 2U);
}

TEST_F(TraceTest, QvisRefusesOtherFiles) {
  EXPECT_FALSE(convert_for_qvis(file("missing"), directory_.string()));
  std::ofstream(file("text")) << "hello\n";
  const auto converted = convert_for_qvis(file("text"), directory_.string());
  ASSERT_FALSE(converted);
  EXPECT_THAT(converted.error(), HasSubstr("record 0"));
  std::ofstream(file("half")) << "\x1e{\"trace\":{}}\n\x1e{\"time\":0}\n";
  EXPECT_THAT(convert_for_qvis(file("half"), directory_.string()).error(), HasSubstr("record 1"));
}

TEST_F(TraceTest, NullCryptoHasNothingToDecrypt) {
  EXPECT_FALSE(Tracing::open({.pcap = file("p")}, scenario(), 1));
  EXPECT_FALSE(Tracing::open({.keylog = file("k")}, scenario(), 1));
}

struct Block {
  std::uint32_t type;
  std::string body;
};

[[nodiscard]] std::vector<Block> blocks_of(const std::string& text) {
  std::vector<Block> blocks;
  for (std::size_t at = 0; at + 12 <= text.size();) {
    std::uint32_t fields[2];
    std::memcpy(fields, text.data() + at, sizeof(fields));
    EXPECT_EQ(fields[1] % 4, 0U);
    blocks.push_back({fields[0], text.substr(at + 8, fields[1] - 12)});
    at += fields[1];
    std::uint32_t again = 0;
    std::memcpy(&again, text.data() + at - 4, sizeof(again));
    EXPECT_EQ(again, fields[1]);
  }
  return blocks;
}

TEST_F(TraceTest, CapturesHoldInterfacesKeysAndDatagrams) {
  for (const Role vantage : {Role::client, Role::server}) {
    const Report report = run(scenario({"crypto=real", "workloads.0.bytes=100kB"}),
                              {.pcap = file("p"), .vantage = vantage, .keylog = file("keys")});
    const std::vector<Block> blocks = blocks_of(content("p"));
    ASSERT_GT(blocks.size(), 10U);
    EXPECT_EQ(blocks[0].type, 0x0a0d0d0aU);
    EXPECT_EQ(blocks[1].type, 1U);
    EXPECT_EQ(blocks[2].type, 1U);
    EXPECT_THAT(blocks[2].body, HasSubstr("b"));
    std::size_t datagrams = 0;
    std::string keys;
    for (const Block& block : blocks) {
      if (block.type == 10) keys += block.body.substr(8, block.body.find('\0', 8) - 8);
      if (block.type == 6) ++datagrams;
    }
    EXPECT_EQ(keys, content("keys"));
    EXPECT_THAT(keys, HasSubstr("SERVER_TRAFFIC_SECRET_0 "));
    EXPECT_GT(datagrams, report.packets * 9 / 10) << "all that one side sent or got; few are lost";
    EXPECT_LT(datagrams, report.packets + 20) << "and the farewell";
  }
}

TEST_F(TraceTest, CapturesKnowIpv6) {
  auto out = OutputFile::create(file("p"));
  ASSERT_TRUE(out);
  PcapngWriter writer(std::move(*out));
  writer.add_interface("x");
  writer.add({.at = Instant{} + std::chrono::seconds(5),
              .interface = 0,
              .travel = PcapngWriter::Travel::inbound,
              .source = *SocketAddress::parse("[2001:db8::1]:1000"),
              .destination = *SocketAddress::parse("[2001:db8::2]:443"),
              .ecn = Ecn::ce,
              .payload = as_bytes("abc")});
  ASSERT_TRUE(writer.close());
  const Block packet = blocks_of(content("p")).at(2);
  EXPECT_EQ(packet.type, 6U);
  const std::string ip = packet.body.substr(20, 51);
  EXPECT_EQ(ip.substr(0, 2), std::string("\x60\x30", 2)) << "version 6, CE";
  EXPECT_EQ(ip.substr(4, 3), std::string("\x00\x0b\x11", 3));
  EXPECT_EQ(ip.substr(48), "abc");
}

}  // namespace
}  // namespace mpquic::sim
