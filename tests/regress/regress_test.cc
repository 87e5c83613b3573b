// Scenarios that once failed, at the seeds that showed it. Each file says what it protects.
#include <gtest/gtest.h>

#include <string>

#include "sim/scenario_loader.h"
#include "sim/simulation.h"

namespace mpquic::sim {
namespace {

struct Case {
  std::string scenario;
  std::uint64_t seed = 0;
};

class Regression : public testing::TestWithParam<Case> {};

TEST_P(Regression, StaysFixed) {
  const std::string file = std::string(MPQUIC_SOURCE_DIR) + "/tests/regress/" + GetParam().scenario + ".yaml";
  const auto scenario = load_scenario(file, {});
  ASSERT_TRUE(scenario.has_value()) << scenario.error();
  SimulationOptions options;
  options.seed = GetParam().seed;
  const Report report = Simulation(*scenario, options).run();
  EXPECT_TRUE(report.completed);
  for (const Violation& violation : report.violations)
    ADD_FAILURE() << violation.what << "\nagain: ./dev replay " << file << " --seed " << options.seed;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Regression,
                         testing::Values(Case{"full-window-handshake", 12}, Case{"full-window-handshake", 23},
                                         Case{"full-window-handshake", 51}, Case{"acks-find-another-carrier", 17},
                                         Case{"acks-find-another-carrier", 49}, Case{"acks-find-another-carrier", 53},
                                         Case{"keep-alive-in-full-window", 52},
                                         Case{"probes-share-amplification-credit", 681},
                                         Case{"data-sent-while-all-paths-failed", 616},
                                         Case{"moves-to-proved-address", 231}, Case{"close-lost-in-flap", 410},
                                         Case{"close-corrupted", 8}));

}  // namespace
}  // namespace mpquic::sim
