#include "sim/checks/failover_watch.h"

#include <gtest/gtest.h>

namespace mpquic::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kUp = 0;
constexpr std::size_t kDown = 1;
constexpr std::size_t kCall = 2;

class FailoverWatchTest : public testing::Test {
 protected:
  FailoverWatchTest() {
    for (const std::size_t workload : {kUp, kDown}) ledger_.started(workload, Instant{});
  }
  void arrives(std::size_t workload, std::uint64_t bytes, Duration at) {
    ledger_.received(workload, bytes, Instant{} + at);
    watch_.on_progress(Instant{} + at);
  }
  [[nodiscard]] std::vector<Failover> at_the_end() const { return watch_.failovers(Instant{} + 2s); }

  Ledger ledger_{{{.kind = WorkloadKind::bulk, .bytes = 1000},
                  {.kind = WorkloadKind::bulk, .direction = Direction::down, .bytes = 1000},
                  {.kind = WorkloadKind::voip, .count = 100}}};
  FailoverWatch watch_{ledger_};
};

TEST_F(FailoverWatchTest, OtherWorkloadsDoNotEndASilence) {
  watch_.on_death(3, Instant{} + 1s);
  for (const Duration at : {1001ms, 1500ms, 2000ms}) arrives(kDown, 10, at);
  arrives(kUp, 10, 1600ms);
  const auto failovers = at_the_end();
  ASSERT_EQ(failovers.size(), 1u);
  EXPECT_EQ(failovers[0].path, 3u);
  EXPECT_EQ(failovers[0].at, Instant{} + 1s);
  EXPECT_EQ(failovers[0].workload, kUp);
  EXPECT_EQ(failovers[0].silence, 600ms);
}

TEST_F(FailoverWatchTest, WhatWasOnItsWayElsewhereDoesNotEndIt) {
  ledger_.datagrams_over(kDown, Instant{});
  watch_.on_death(0, Instant{} + 1s);
  for (const Duration at : {1010ms, 1020ms, 1500ms, 2000ms}) arrives(kUp, 10, at);
  EXPECT_EQ(at_the_end()[0].silence, 500ms);
}

TEST_F(FailoverWatchTest, ItEndsWithTheWorkload) {
  ledger_.datagrams_over(kDown, Instant{});
  watch_.on_death(0, Instant{} + 1s);
  ledger_.datagrams_over(kUp, Instant{} + 1100ms);
  arrives(kUp, 10, 1100ms);
  EXPECT_EQ(at_the_end()[0].silence, 100ms);
}

TEST_F(FailoverWatchTest, AWorkloadMayEndWithoutAnotherByte) {  // only its FIN was missing
  ledger_.datagrams_over(kDown, Instant{});
  watch_.on_death(0, Instant{} + 1s);
  ledger_.datagrams_over(kUp, Instant{} + 1100ms);
  EXPECT_EQ(at_the_end()[0].silence, 100ms);
}

TEST_F(FailoverWatchTest, ItEndsWithTheFirstProgressOnceThePathIsBack) {
  ledger_.datagrams_over(kDown, Instant{});
  watch_.on_death(0, Instant{} + 1s);
  arrives(kUp, 10, 1050ms);
  watch_.on_return(0);
  arrives(kUp, 10, 1200ms);
  arrives(kUp, 10, 2000ms);
  EXPECT_EQ(at_the_end()[0].silence, 150ms);
}

TEST_F(FailoverWatchTest, SilenceUntilTheEndCounts) {
  ledger_.datagrams_over(kDown, Instant{});
  watch_.on_death(0, Instant{} + 1s);
  EXPECT_FALSE(at_the_end()[0].silence);  // nothing came any more
  arrives(kUp, 10, 1100ms);
  EXPECT_EQ(at_the_end()[0].silence, 900ms);
}

TEST_F(FailoverWatchTest, ADeathThatMeetsNoWorkIsNone) {
  for (const std::size_t workload : {kUp, kDown}) ledger_.datagrams_over(workload, Instant{});
  ledger_.started(kCall, Instant{});
  ledger_.at(kCall).datagrams.sent = 100;  // nothing more will come
  watch_.on_death(0, Instant{} + 1s);
  EXPECT_TRUE(at_the_end().empty());
}

TEST_F(FailoverWatchTest, EachDeathCounts) {
  ledger_.datagrams_over(kDown, Instant{});
  watch_.on_death(0, Instant{} + 1s);
  watch_.on_death(1, Instant{} + 1100ms);
  for (const Duration at : {1200ms, 1300ms, 2000ms}) arrives(kUp, 500, at);
  ASSERT_EQ(at_the_end().size(), 2u);
  EXPECT_EQ(at_the_end()[0].silence, 700ms);
  watch_.on_death(2, Instant{} + 2s);
  EXPECT_EQ(at_the_end().size(), 3u);
}

TEST_F(FailoverWatchTest, APlayersFullBufferIsNoSilence) {
  ledger_.datagrams_over(kDown, Instant{});
  ledger_.at(kUp).last_progress = Instant{} + 1800ms;  // then it wants more
  watch_.on_death(0, Instant{} + 1s);
  arrives(kUp, 10, 1900ms);
  EXPECT_EQ(at_the_end()[0].silence, 100ms);
}

}  // namespace
}  // namespace mpquic::sim
