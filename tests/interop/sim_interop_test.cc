// ngtcp2 as an engine of the simulator: the same scenarios, with one side or both replaced.
#include <gtest/gtest.h>

#include <set>

#include "sim/peers/ngtcp2_engine.h"
#include "sim/run/best_path.h"
#include "sim/run/compare.h"
#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::interop {
namespace {

struct Side {
  bool client;
  bool server;
};

class SimulatedScenarioTest : public testing::TestWithParam<Side> {};

TEST_P(SimulatedScenarioTest, RunsOverItsFirstPathWithAllInvariantsOn) {
  const auto scenario = sim::load_scenario(std::string(MPQUIC_SOURCE_DIR) + "/scenarios/fifty-plus-one.yaml",
                                           {"endpoints.multipath=off", "workloads.0.bytes=5MB",
                                            // slow start is a good part of so short a transfer
                                            "assert.goodput_of_best=0.8"});
  ASSERT_TRUE(scenario.has_value()) << scenario.error();
  sim::SimulationOptions options;
  options.seed = 3;
  if (GetParam().client) options.client = peers::make_ngtcp2_engine;
  if (GetParam().server) options.server = peers::make_ngtcp2_engine;
  const sim::Report report = sim::Simulation(*scenario, options).run();
  EXPECT_TRUE(report.completed);
  for (const sim::Violation& violation : report.violations) ADD_FAILURE() << violation.what;
}

INSTANTIATE_TEST_SUITE_P(Engines, SimulatedScenarioTest,
                         testing::Values(Side{true, false}, Side{false, true}, Side{true, true}), [](const auto& test) {
                           return std::string(test.param.client ? "ngtcp2" : "mpquic") + "_to_" +
                                  (test.param.server ? "ngtcp2" : "mpquic");
                         });

TEST(Compare, RunsMultipathAndBothBaselinesOnBothEngines) {
  const auto runs = sim::compare_baselines({.file = std::string(MPQUIC_SOURCE_DIR) + "/scenarios/unequal-six.yaml",
                                            .overrides = {"workloads.0.bytes=2MB", "workloads.0.streams=12"},
                                            .seed = 2,
                                            .ngtcp2 = peers::make_ngtcp2_engine});
  ASSERT_TRUE(runs.has_value()) << runs.error();
  ASSERT_EQ(runs->size(), 5u);
  for (const sim::ComparedRun& run : *runs) {
    EXPECT_TRUE(run.report.completed) << run.engine << " " << run.baseline;
    EXPECT_TRUE(run.report.passed()) << run.engine << " " << run.baseline << ": " << run.report.violations[0].what;
    EXPECT_GE(run.report.completion_s, *run.report.oracles.completion_bound_s);
  }
  EXPECT_LT((*runs)[0].report.completion_s, (*runs)[1].report.completion_s);
}

TEST(Compare, AnEngineKeyRunsNgtcp2OnTheBestPath) {
  auto scenario = sim::load_scenario(
      std::string(MPQUIC_SOURCE_DIR) + "/scenarios/fifty-plus-one.yaml",
      {"endpoints.engine=ngtcp2", "workloads.0.bytes=3MB", "crypto=null", "assert.goodput_of_best=0.5"});
  ASSERT_TRUE(scenario.has_value()) << scenario.error();
  sim::SimulationOptions options;
  EXPECT_TRUE(sim::obstacle(*scenario, options));
  options.ngtcp2 = peers::make_ngtcp2_engine;
  EXPECT_FALSE(sim::obstacle(*scenario, options));
  sim::settle_best_path(*scenario, [&](const sim::Scenario& alone) { return sim::Simulation(alone, options).run(); });
  const sim::Report report = sim::Simulation(*scenario, options).run();
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.engines[0], sim::EngineKind::ngtcp2);
  EXPECT_EQ(report.single_path, report.paths[0].name);
  EXPECT_GT(report.paths[0].share, 0.99);
  EXPECT_FALSE(report.counts_retransmissions);
}

TEST(Engines, EitherHearsOfStreamsThatTheOtherGivesUp) {
  const auto completion = [](const std::string& ngtcp2, const std::string& streams, const std::string& event) {
    const auto scenario =
        sim::load_scenario(std::string(MPQUIC_SOURCE_DIR) + "/scenarios/fifty-plus-one.yaml",
                           {"baseline=path fifty", "endpoints." + ngtcp2 + ".engine=ngtcp2", "workloads.0.bytes=4MB",
                            "workloads.0.streams=" + streams, "workloads.0.direction=up", "assert.goodput_of_best=0",
                            "assert.goodput_of_sum=0", "events=[" + event + "]"});
    EXPECT_TRUE(scenario.has_value()) << scenario.error();
    sim::SimulationOptions options;
    options.ngtcp2 = peers::make_ngtcp2_engine;
    const sim::Report report = sim::Simulation(*scenario, options).run();
    EXPECT_TRUE(report.passed()) << ngtcp2 << event << report.violations[0].what;
    return report.completion_s;
  };
  for (const std::string ngtcp2 : {"client", "server"}) {
    const double whole = completion(ngtcp2, "4", "");
    EXPECT_LT(completion(ngtcp2, "4", "{at: 300ms, do: reset_stream, nth: 2}"), whole - 0.05) << ngtcp2;
    EXPECT_LT(completion(ngtcp2, "4", "{at: 300ms, do: stop_sending, nth: 2, side: server}"), whole - 0.05) << ngtcp2;
    // Of the last stream nothing but the reset arrives.
    completion(ngtcp2, "40", "{at: 60ms, do: reset_stream, nth: 40}");
  }
}

TEST(Engines, Ngtcp2LogsItsTlsSecrets) {
  const auto scenario =
      sim::load_scenario(std::string(MPQUIC_SOURCE_DIR) + "/scenarios/fifty-plus-one.yaml",
                         {"endpoints.engine=ngtcp2", "baseline=path fifty", "workloads.0.bytes=100kB"});
  ASSERT_TRUE(scenario.has_value()) << scenario.error();
  std::multiset<std::string> labels;
  sim::SimulationOptions options;
  options.ngtcp2 = peers::make_ngtcp2_engine;
  options.judge = false;
  options.keylog = [&](std::string_view line) { labels.emplace(line.substr(0, line.find(' '))); };
  EXPECT_TRUE(sim::Simulation(*scenario, options).run().completed);
  for (const char* label : {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                            "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"})
    EXPECT_EQ(labels.count(label), 2u) << label;  // by both sides
}

}  // namespace
}  // namespace mpquic::interop
