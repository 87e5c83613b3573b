#include "sim/scenario/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/run/probe.h"
#include "sim/run/profile_command.h"
#include "sim/scenario/scenario_files.h"
#include "sim/scenario/scenario_loader.h"

namespace mpquic::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

const std::string kHere = std::string(MPQUIC_SOURCE_DIR) + "/scenarios/test.yaml";  // profiles are beside it

std::expected<Scenario, std::string> with_path(const std::string& path) {
  return parse_scenario("name: x\npaths:\n  - {name: x, " + path + "}\nworkloads:\n  - {kind: bulk, bytes: 1MB}\n",
                        kHere);
}

PathConfig path_of(const std::string& path) {
  const auto scenario = with_path(path);
  EXPECT_TRUE(scenario) << scenario.error();
  return scenario ? scenario->paths[0].config : PathConfig{};
}

class EveryProfile : public testing::TestWithParam<const char*> {};

TEST_P(EveryProfile, LoadsAndNamesASourceForEachValue) {
  const auto profile = load_profile(profile_file(GetParam(), kHere));
  ASSERT_TRUE(profile) << profile.error();
  EXPECT_EQ(profile->name, GetParam());
  EXPECT_GE(profile->values.size(), 4u);
  for (const ProfileValue& value : profile->values) EXPECT_FALSE(value.source.empty()) << value.key;
  static_cast<void>(path_of("profile: " + profile->name));
}

INSTANTIATE_TEST_SUITE_P(Wan, EveryProfile,
                         testing::Values("ftth", "vdsl", "cable", "lte-driving", "5g-walking", "starlink", "geo"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(Profile, WhatThePathSaysWins) {
  const PathConfig plain = path_of("profile: cable");
  EXPECT_EQ(plain.up.rate.bits_per_second(), 10'000'000u);
  EXPECT_EQ(plain.up.queue.value(), 312'500u);  // 250 ms
  const PathConfig changed = path_of("profile: cable, rate: 20Mbit/s, delay: 5ms, up: {queue: {kind: pie}}");
  EXPECT_EQ(changed.up.rate.bits_per_second(), 20'000'000u);
  EXPECT_EQ(changed.down.rate.bits_per_second(), 20'000'000u);
  EXPECT_EQ(changed.down.delay, milliseconds(5));
  EXPECT_EQ(changed.up.discipline.kind, QueueKind::pie);
  EXPECT_EQ(changed.down.discipline.kind, QueueKind::drop_tail);
}

TEST(Profile, BoundsOfItsProcessesDoNotHoldBackWhatThePathSays) {
  const PathConfig path = path_of("profile: starlink, rate: 5Mbit/s, rtt: 10ms");
  const auto* wandering = std::get_if<WanderingRate>(&path.down.service);
  ASSERT_NE(wandering, nullptr);
  EXPECT_EQ(wandering->spread, 0.19);
  EXPECT_LT(wandering->least.bits_per_second(), 5'000'000u);
  EXPECT_EQ(path.down.jitter->least, Duration::zero());
  EXPECT_EQ(path_of("profile: starlink").down.jitter->least, milliseconds(10));
}

TEST(Profile, ATraceDisplacesARateProcess) {
  const auto directory = std::filesystem::temp_directory_path() / "mpquic_profile_test";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "rate.csv") << "0,10\n1,20\n";
  const PathConfig path = path_of("profile: starlink, rate_trace: " + (directory / "rate.csv").string());
  EXPECT_TRUE(std::holds_alternative<std::shared_ptr<const RateTrace>>(path.up.service));
  EXPECT_EQ(path.down.rate.bits_per_second(), 15'000'000u);
  EXPECT_EQ(path.outages.size(), 1u);  // the rest of the profile stays
  std::filesystem::remove_all(directory);
}

TEST(Profile, ErrorsSayWhatWasExpected) {
  EXPECT_THAT(with_path("profile: dialup").error(),
              testing::AllOf(HasSubstr("key 'paths.0.profile'"), HasSubstr("dialup.yaml: cannot be read")));
  EXPECT_THAT(with_path("profile: ../wan/ftth").error(), HasSubstr("expected the name of a profile"));
  EXPECT_THAT(with_path("profile: ftth, los: 1%").error(), HasSubstr("key 'paths.0.los': unknown"));
}

TEST(Profile, AValueWithoutASourceIsRefused) {
  const auto file = std::filesystem::temp_directory_path() / "mpquic_bad_profile.yaml";
  std::ofstream(file) << "name: bad\npath:\n  rtt: {value: 10ms}\n";
  EXPECT_EQ(load_profile(file.string()).error(),
            file.string() + ":3: key 'path.rtt': expected {value: ..., source: ...}, the source as text");
  std::filesystem::remove(file);
}

TEST(Probe, FindsWhatStarlinkDoes) {
  const PathProbe probe = probe_path(path_of("profile: starlink"), 1, seconds(120));
  EXPECT_NEAR(quantile(probe.rtt_ms, 0.5), 50, 4);
  EXPECT_NEAR(quantile(probe.rtt_ms, 0.25), 40, 5);
  EXPECT_NEAR(quantile(probe.rtt_ms, 0.75), 60, 5);
  EXPECT_GE(quantile(probe.rtt_ms, 0), 20);
  EXPECT_NEAR(quantile(probe.down.mbps, 0.5), 48, 8);
  EXPECT_NEAR(probe.down.loss, 0.01, 0.006);
  EXPECT_NEAR(static_cast<double>(probe.down.gaps_ms.size()), 8, 2);  // every 15 s
}

TEST(Probe, FindsWhatADriveWithLteDoes) {
  const PathProbe probe = probe_path(path_of("profile: lte-driving"), 1, seconds(300));
  EXPECT_NEAR(quantile(probe.down.mbps, 0.5), 10, 4);
  const auto long_gaps = std::ranges::count_if(probe.down.gaps_ms, [](double ms) { return ms > 200; });
  EXPECT_NEAR(static_cast<double>(long_gaps) / 5, 10, 4);  // a minute
  EXPECT_LT(quantile(probe.down.gaps_ms, 1), 1150);
  EXPECT_GT(quantile(probe.down.gaps_ms, 1), 500);
}

TEST(Probe, EqualSeedsGiveEqualSamples) {
  const PathConfig path = path_of("profile: 5g-walking");
  const PathProbe first = probe_path(path, 3, seconds(5));
  EXPECT_EQ(first.down.mbps, probe_path(path, 3, seconds(5)).down.mbps);
  EXPECT_EQ(first.rtt_ms, probe_path(path, 3, seconds(5)).rtt_ms);
  EXPECT_NE(first.rtt_ms, probe_path(path, 4, seconds(5)).rtt_ms);
}

TEST(ProfileCommand, WritesATableAPictureAndJson) {
  const auto directory = std::filesystem::temp_directory_path() / "mpquic_profile_command";
  std::filesystem::create_directories(directory);
  ProfileRequest request;
  request.name = profile_file("vdsl", kHere);
  request.duration = "2s";
  request.plot = (directory / "vdsl.svg").string();
  request.json = (directory / "vdsl.json").string();
  const auto table = describe_profile(request);
  ASSERT_TRUE(table) << table.error();
  EXPECT_THAT(*table, HasSubstr("down Mbit/s"));
  EXPECT_THAT(*table, HasSubstr("assumption"));
  EXPECT_GT(std::filesystem::file_size(request.plot), 1000u);
  EXPECT_GT(std::filesystem::file_size(request.json), 1000u);
  request.plot = "x.png";
  EXPECT_EQ(describe_profile(request).error(), "--plot x.png: expected a file that ends in .svg");
  request.plot.clear();
  request.duration = "2";
  EXPECT_THAT(describe_profile(request).error(), HasSubstr("--duration 2: expected a time like 60s"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace mpquic::sim
