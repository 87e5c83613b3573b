// The standing differential test: the simulator's own network and ns-3's run the same scenario and must agree. ns-3's
// own devices check our link model; our links as devices of ns-3 check that hosting changes nothing that matters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/ns3/network.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

using testing::HasSubstr;
using Overrides = std::vector<std::string>;

/// Goodput of the two simulators may differ by so much.
constexpr double kGoodputTolerance = 0.02;
/// Drops of all links together likewise. They mostly are equal: the two round transmission times differently, by 1 ns.
constexpr double kDropTolerance = 0.02;

struct Outcome {
  Report report;
  std::uint64_t drops = 0;
};

std::string file_of(const std::string& name) { return MPQUIC_SOURCE_DIR "/scenarios/" + name + ".yaml"; }

/// Without what the scenario asserts: these tests shrink it, and judge by themselves.
Scenario load(const std::string& name, Overrides overrides) {
  overrides.emplace_back("crypto=null");
  overrides.emplace_back("assert={}");
  const auto scenario = load_scenario(file_of(name), overrides);
  EXPECT_TRUE(scenario) << scenario.error();
  return *scenario;
}

Outcome outcome_of(Report report) {
  Outcome outcome{.report = std::move(report)};
  for (const Violation& violation : outcome.report.violations) ADD_FAILURE() << violation.what;
  for (const PathReport& path : outcome.report.paths) outcome.drops += path.link_drops;
  return outcome;
}

Outcome run_native(const Scenario& scenario, std::uint64_t seed) {
  return outcome_of(Simulation(scenario, {.seed = seed}).run());
}

Report report_of_ns3(const Scenario& scenario, Ns3Options options) {
  Ns3Network network(scenario, options);
  SimulationOptions simulation;
  simulation.seed = options.seed;
  simulation.carrier = &network;
  Report report = Simulation(scenario, simulation).run();
  network.finish();
  return report;
}

Outcome run_ns3(const Scenario& scenario, Ns3Options options) { return outcome_of(report_of_ns3(scenario, options)); }

/// Six static WANs, 20 MB; `loss` as in the scenario, or none.
Scenario six_wans(bool loss, const std::string& links) {
  Overrides overrides = {"workloads.0.bytes=20MB", "ns3.links=" + links};
  if (!loss)
    for (const int path : {3, 4, 5}) overrides.push_back("paths." + std::to_string(path) + ".loss=0%");
  return load("six-wan-bulk", overrides);
}

void expect_agreement(const Outcome& ours, const Outcome& theirs) {
  EXPECT_NEAR(theirs.report.goodput_mbps, ours.report.goodput_mbps, ours.report.goodput_mbps * kGoodputTolerance);
  const double drops = static_cast<double>(ours.drops);
  EXPECT_NEAR(static_cast<double>(theirs.drops), drops, drops * kDropTolerance);
}

TEST(Differential, Ns3sOwnLinksAgreeWithoutRandomLoss) {
  const Outcome ours = run_native(six_wans(false, "ns3"), 1);
  const Outcome theirs = run_ns3(six_wans(false, "ns3"), {.seed = 1});
  ASSERT_GT(ours.drops, 100U) << "the queues must overflow, or this compares nothing";
  expect_agreement(ours, theirs);
}

/// What is lost differs in time by a packet's service, and so do the runs: their mean tells.
TEST(Differential, Ns3sOwnLinksAgreeWithSeededLoss) {
  constexpr std::uint64_t kSeeds = 6;
  Outcome ours;
  Outcome theirs;
  const auto add = [](Outcome& sum, const Outcome& outcome) {
    sum.drops += outcome.drops;
    sum.report.goodput_mbps += outcome.report.goodput_mbps;
  };
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    add(ours, run_native(six_wans(true, "ns3"), seed));
    add(theirs, run_ns3(six_wans(true, "ns3"), {.seed = seed}));
  }
  expect_agreement(ours, theirs);
}

/// Through ns-3's sockets, UDP, IP and devices, and bit for bit the same.
TEST(Differential, OurLinksAreTheSameInsideNs3) {
  const Outcome ours = run_native(six_wans(true, "model"), 1);
  const Outcome theirs = run_ns3(six_wans(true, "model"), {.seed = 1});
  EXPECT_EQ(theirs.report.trace_hash, ours.report.trace_hash);
  EXPECT_EQ(theirs.drops, ours.drops);
}

TEST(Ns3, EveryImpairmentOfTheLinkModelWorksInside) {
  const Scenario scenario = load("six-wan-bulk", {"workloads.0.bytes=2MB", "paths.0.corrupt=1%", "paths.0.duplicate=1%",
                                                  "paths.1.truncate=1%", "paths.1.reorder=1%", "paths.2.mtu=1400B"});
  EXPECT_TRUE(run_ns3(scenario, {.seed = 3}).report.completed);
}

TEST(Ns3, EqualSeedsGiveEqualTracesEvenInOneProcess) {
  const Scenario scenario = load("ns3-shared-bottleneck", {"workloads.0.bytes=200kB", "ns3.rate=10Mbit/s"});
  const auto hash = [&](std::uint64_t seed) { return run_ns3(scenario, {.seed = seed}).report.trace_hash; };
  const std::uint64_t first = hash(5);
  EXPECT_EQ(hash(5), first);
  EXPECT_NE(hash(6), first);
}

/// Both together fill the line: 10 Mbit/s carry 9.65 of TCP's payload (1448 of 1502 bytes) and, in packets of 1200
/// bytes, less of ours.
TEST(Ns3, TcpTakesItsShareOfASharedBottleneck) {
  const auto report = [](const std::string& flows) {
    const Overrides overrides = {"workloads.0.bytes=2MB", "ns3.rate=10Mbit/s", "ns3.queue=60kB",
                                 "ns3.tcp.flows=" + flows};
    return run_ns3(load("ns3-shared-bottleneck", overrides), {.seed = 1}).report;
  };
  const Report alone = report("0");
  EXPECT_LT(alone.goodput_mbps, 10) << "all three lines stand behind one of 10 Mbit/s";
  EXPECT_GT(alone.goodput_mbps, 5);
  EXPECT_FALSE(alone.tcp_goodput_mbps);
  const Report shared = report("4");
  ASSERT_TRUE(shared.tcp_goodput_mbps);
  EXPECT_LT(shared.goodput_mbps, alone.goodput_mbps / 1.5);
  EXPECT_GT(*shared.tcp_goodput_mbps, 3);
  EXPECT_LT(*shared.tcp_goodput_mbps + shared.goodput_mbps, 9.65);
  EXPECT_GT(*shared.tcp_goodput_mbps + shared.goodput_mbps, 8);
}

TEST(Ns3, WhatTcpKeepsCanBeAsserted) {
  const auto complaint = [](const std::string& wanted) {
    const Overrides overrides = {"crypto=null", "workloads.0.bytes=1MB", "assert={tcp_goodput: " + wanted + "}"};
    const auto scenario = load_scenario(file_of("ns3-shared-bottleneck"), overrides);
    EXPECT_TRUE(scenario) << scenario.error();
    const Report report = report_of_ns3(*scenario, {.seed = 1});
    return report.passed() ? std::string() : report.violations.front().what;
  };
  EXPECT_EQ(complaint("20Mbit/s"), "");
  EXPECT_THAT(complaint("60Mbit/s"), HasSubstr("TCP's goodput"));
}

TEST(Ns3, APathMayBeginWithWifi) {
  const Outcome outcome = run_ns3(load("ns3-wifi", {"workloads.0.bytes=1MB", "ns3.tcp.flows=1"}), {.seed = 1});
  EXPECT_TRUE(outcome.report.completed);
  EXPECT_GT(outcome.report.paths[0].share, 0.1) << "the path over Wi-Fi must carry something";
}

TEST(Ns3, APathMayBeginWithLte) {
  const Scenario scenario = load("ns3-lte", {"workloads.0.bytes=1MB"});
  const Outcome outcome = run_ns3(scenario, {.seed = 1});
  EXPECT_TRUE(outcome.report.completed);
  EXPECT_GT(outcome.report.paths[0].share, 0.1) << "the path over LTE must carry something";
  EXPECT_EQ(run_ns3(scenario, {.seed = 1}).report.trace_hash, outcome.report.trace_hash);
}

/// 6 resource blocks are 1.08 MHz, 50 are 9: the cell is the bottleneck, and more spectrum is more goodput.
TEST(Ns3, MoreResourceBlocksCarryMore) {
  const auto goodput = [](const std::string& blocks) {
    return run_ns3(load("ns3-lte", {"workloads.0.bytes=500kB", "paths.1.use=off", "ns3.tcp.flows=0",
                                    "ns3.resource_blocks=" + blocks}),
                   {.seed = 1})
        .report.goodput_mbps;
  };
  const double narrow = goodput("6");
  EXPECT_LT(narrow, 5);
  EXPECT_GT(goodput("50"), 2 * narrow);
}

TEST(Ns3, WhatAFullQueueOfTheCellRefusesIsCounted) {
  const Outcome outcome =
      run_ns3(load("ns3-lte", {"workloads.0.bytes=500kB", "paths.1.use=off", "ns3.tcp.flows=0", "ns3.queue=10kB"}),
              {.seed = 1});
  EXPECT_GT(outcome.report.paths[0].lost, 0U) << "the queue must overflow, or this counts nothing";
  EXPECT_GE(outcome.report.paths[0].link_drops, outcome.report.paths[0].lost) << "the receiver's packets drop too";
  EXPECT_EQ(outcome.report.oracles.sum_of_links_mbps, 0) << "nobody knows what the cell carries";
}

TEST(Ns3, WritesCapturesAndFlowStatistics) {
  const auto directory = std::filesystem::path(testing::TempDir()) / "mpquic-ns3-traces";
  std::filesystem::create_directories(directory);
  const std::string xml = (directory / "flows.xml").string();
  const Scenario scenario = load("six-wan-bulk", {"workloads.0.bytes=100kB"});
  static_cast<void>(run_ns3(scenario, {.seed = 1, .pcap = directory.string(), .flow_monitor = xml}));
  constexpr std::uintmax_t kPcapHeader = 24;
  EXPECT_GT(std::filesystem::file_size(directory / "ftth-near.pcap"), kPcapHeader);
  std::ostringstream text;
  text << std::ifstream(xml).rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("destinationPort=\"4433\""));
  std::filesystem::remove_all(directory);
}

/// What tests/sim does for the scenarios that need no ns-3.
class ScenarioOfNs3 : public testing::TestWithParam<const char*> {};

TEST_P(ScenarioOfNs3, FailsWithWhatBreaksIt) {
  const auto scenario = load_scenario(file_of(GetParam()));
  ASSERT_TRUE(scenario) << scenario.error();
  EXPECT_FALSE(scenario->broken_by.empty());
  for (Overrides overrides : scenario->broken_by) {
    overrides.emplace_back("crypto=null");
    overrides.emplace_back("workloads.0.bytes=4MB");  // radios take ns-3 seconds for each simulated one
    const auto broken = load_scenario(file_of(GetParam()), overrides);
    ASSERT_TRUE(broken) << broken.error();
    const Report report = report_of_ns3(*broken, {.seed = 1});
    EXPECT_TRUE(
        std::ranges::any_of(report.violations, [](const Violation& v) { return v.what.starts_with("assertion:"); }))
        << "--set " << overrides.front();
  }
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioOfNs3, testing::Values("ns3-shared-bottleneck", "ns3-wifi", "ns3-lte"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace mpquic::sim
