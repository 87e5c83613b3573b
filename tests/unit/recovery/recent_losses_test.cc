#include "stack/recovery/recent_losses.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/cpu.h"
#include "tests/unit/recovery/recovery_fixtures.h"

namespace mpquic {
namespace {

using namespace recovery_test;

RecentLosses losses(std::size_t count) {
  RecentLosses recent;
  for (std::uint64_t i = 0; i < count; ++i)
    recent.add(PacketNumber{10 + 10 * i}, LossTrigger::packet_threshold, kStart);
  return recent;
}

TEST(RecentLossesTest, FindsWhatARangeCoversOnce) {
  RecentLosses recent = losses(10);
  std::vector<std::uint64_t> found;
  const auto note = [&](const RecentLosses::Entry& entry) { found.push_back(entry.number.value()); };
  recent.on_acked(0, 9, note);
  recent.on_acked(21, 29, note);
  recent.on_acked(101, 500, note);
  EXPECT_TRUE(found.empty());
  recent.on_acked(30, 50, note);
  recent.on_acked(35, 60, note);
  EXPECT_EQ(found, (std::vector<std::uint64_t>{30, 40, 50, 60}));
  EXPECT_FALSE(recent.empty());
  EXPECT_FALSE(recent.take_all_spurious());
  recent.on_acked(0, 100, note);
  EXPECT_EQ(found.size(), 10U);
  EXPECT_TRUE(recent.take_all_spurious());
}

TEST(RecentLossesTest, ARangeCostsAboutTheSameHoweverManyLossesThereAre) {  // an ACK may have hundreds
  const auto cost = [](std::size_t count) {
    RecentLosses recent = losses(count);
    Duration least = Duration::max();
    for (int round = 0; round < 5; ++round) {
      const Duration before = test::thread_cpu_time();
      for (int i = 0; i < 2000; ++i) recent.on_acked(11, 19, [](const RecentLosses::Entry&) { FAIL(); });
      least = std::min(least, test::thread_cpu_time() - before);
    }
    return least.count();
  };
  EXPECT_LT(cost(RecentLosses::kMaxRemembered), 20 * cost(2));
}

}  // namespace
}  // namespace mpquic
