// Scenarios that once failed, at the seeds that showed it: all files of this directory. Each file says what it
// protects, and begins with the commands that run it again.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run/simulation.h"
#include "sim/scenario/scenario_loader.h"
#include "sim/scenario/units.h"

namespace mpquic::sim {
namespace {

constexpr std::string_view kDirectory = MPQUIC_SOURCE_DIR "/tests/regress";

struct Case {
  std::string scenario;
  std::uint64_t seed = 0;
};

[[nodiscard]] std::vector<std::string> scenarios() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

[[nodiscard]] std::string file_of(const std::string& scenario) {
  return std::string(kDirectory) + "/" + scenario + ".yaml";
}

/// Of the commands at the top of the file.
[[nodiscard]] std::vector<Case> cases_of(const std::string& scenario) {
  const std::string command = "# mpquic-sim run tests/regress/" + scenario + ".yaml --seed ";
  std::vector<Case> cases;
  std::ifstream in(file_of(scenario));
  for (std::string line; std::getline(in, line) && line.starts_with('#');) {
    if (!line.starts_with(command)) continue;
    const auto seed = parse_count(std::string_view(line).substr(command.size()));
    EXPECT_TRUE(seed) << file_of(scenario) << ": nothing may follow the seed: " << line;
    if (seed) cases.push_back({.scenario = scenario, .seed = *seed});
  }
  return cases;
}

[[nodiscard]] std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const std::string& scenario : scenarios())
    for (const Case& each : cases_of(scenario)) all.push_back(each);
  return all;
}

TEST(Regressions, AllSayHowToRunThemAgain) {
  for (const std::string& scenario : scenarios())
    EXPECT_FALSE(cases_of(scenario).empty())
        << file_of(scenario) << " does not begin with '# mpquic-sim run tests/regress/" << scenario
        << ".yaml --seed N'";
}

class Regression : public testing::TestWithParam<Case> {};

TEST_P(Regression, StaysFixed) {
  const std::string file = file_of(GetParam().scenario);
  const auto scenario = load_scenario(file, {}, GetParam().seed);
  ASSERT_TRUE(scenario.has_value()) << scenario.error();
  const Report report = Simulation(*scenario, {.seed = GetParam().seed}).run();
  for (const Violation& violation : report.violations)
    ADD_FAILURE() << violation.what << "\nagain: ./dev replay " << file << " --seed " << GetParam().seed;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Regression, testing::ValuesIn(all_cases()), [](const auto& param) {
  std::string name = param.param.scenario + "_" + std::to_string(param.param.seed);
  std::ranges::replace_if(
      name, [](char letter) { return std::isalnum(static_cast<unsigned char>(letter)) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace mpquic::sim
