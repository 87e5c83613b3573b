#include "sim/run/failure_kit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class FailureKitTest : public testing::Test {
 protected:
  ~FailureKitTest() override { fs::remove_all(directory_); }

  /// A run that misses its goodput, as it is told afterwards.
  std::string fail(const std::string& crypto, const TraceOptions& traced = {}) {
    const auto scenario =
        parse_scenario("name: slow\ncrypto: " + crypto +
                           "\npaths: [{name: a, rate: 1Mbit/s, rtt: 20ms}]\nworkloads: [{kind: bulk, bytes: 20kB}]\n"
                           "assert: {goodput: 5Mbit/s}\n",
                       "slow.yaml");
    EXPECT_TRUE(scenario) << scenario.error();
    const auto run = [&](const TraceOptions& trace) -> std::expected<Report, std::string> {
      ++runs_;
      auto tracing = Tracing::open(trace, *scenario, 7);
      if (!tracing) return std::unexpected(tracing.error());
      SimulationOptions options;
      options.seed = 7;
      (*tracing)->attach(options);
      Report report = Simulation(*scenario, options).run();
      if (auto closed = (*tracing)->close(); !closed) return std::unexpected(closed.error());
      return report;
    };
    auto report = run(traced);
    EXPECT_FALSE(report->passed());
    report->engine_flags = " --engine ns3";
    return keep_evidence(
        {.scenario = *scenario, .report = *report, .traced = traced, .again = run, .under = directory_});
  }
  [[nodiscard]] bool kept(const std::string& file) const {
    const fs::path path = directory_ / "slow-7" / file;
    return fs::exists(path) && fs::file_size(path) > 0;
  }

  int runs_ = 0;
  fs::path directory_ = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(FailureKitTest, HoldsQlogsKeysReportAndScenario) {
  const std::string text = fail("real");
  EXPECT_EQ(runs_, 2);
  for (const char* file :
       {"slow-client.sqlog", "slow-server.sqlog", "slow-network.sqlog", "keys.log", "report.json", "scenario.yaml"})
    EXPECT_TRUE(kept(file)) << file;
  EXPECT_THAT(text, HasSubstr("FAILED. qlogs, report and scenario in " + (directory_ / "slow-7").string()));
  EXPECT_THAT(text, HasSubstr("  ./dev replay slow.yaml --seed 7 --engine ns3\n"));
  EXPECT_TRUE(load_scenario((directory_ / "slow-7" / "scenario.yaml").string()));
}

TEST_F(FailureKitTest, DoesNotRepeatARunThatLeftItsTraces) {
  fs::create_directories(directory_);
  const std::string text = fail("null", {.qlog = (directory_ / "mine").string()});
  EXPECT_EQ(runs_, 1);
  EXPECT_TRUE(kept("report.json"));
  EXPECT_FALSE(kept("slow-client.sqlog"));
  EXPECT_FALSE(kept("keys.log"));
  EXPECT_THAT(text, HasSubstr("FAILED. report and scenario in "));
  EXPECT_THAT(text, Not(HasSubstr("cannot")));
}

TEST_F(FailureKitTest, ClaimsOnlyWhatIsThere) {
  std::ofstream(directory_) << "a file where the directory should be";
  const std::string text = fail("null");
  EXPECT_EQ(runs_, 1) << "there is nowhere to leave the traces of another";
  EXPECT_THAT(text, HasSubstr("Not a directory"));
  EXPECT_THAT(text, HasSubstr("FAILED. Nothing of it could be kept. Repeat with:\n  ./dev replay slow.yaml --seed 7"));
  EXPECT_THAT(text, Not(HasSubstr("qlogs")));
}

TEST_F(FailureKitTest, ClaimsNoQlogsThatCouldNotBeWritten) {
  fs::create_directories(directory_ / "slow-7" / "slow-server.sqlog");  // a directory of that name
  const std::string text = fail("null");
  EXPECT_THAT(text, HasSubstr("slow-server.sqlog"));
  EXPECT_THAT(text, HasSubstr("FAILED. report and scenario in "));
  EXPECT_THAT(text, Not(HasSubstr("qlogs,")));
}

}  // namespace
}  // namespace mpquic::sim
