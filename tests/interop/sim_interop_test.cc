// ngtcp2 as an engine of the simulator: the same scenarios, with one side or both replaced.
#include <gtest/gtest.h>

#include "sim/compare.h"
#include "sim/peers/ngtcp2_engine.h"
#include "sim/scenario_loader.h"
#include "sim/simulation.h"

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
  const auto scenario = sim::load_scenario(
      std::string(MPQUIC_SOURCE_DIR) + "/scenarios/fifty-plus-one.yaml",
      {"endpoints.engine=ngtcp2", "workloads.0.bytes=3MB", "crypto=null", "assert.goodput_of_best=0.5"});
  ASSERT_TRUE(scenario.has_value()) << scenario.error();
  sim::SimulationOptions options;
  options.ngtcp2 = peers::make_ngtcp2_engine;
  const sim::Report report = sim::Simulation(*scenario, options).run();
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.engines[0], sim::EngineKind::ngtcp2);
  EXPECT_GT(report.paths[0].share, 0.99);
}

}  // namespace
}  // namespace mpquic::interop
