// ngtcp2 as an engine of the simulator: the same scenarios, with one side or both replaced.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace mpquic::interop
