#include "stack/redundancy/reinjection.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/unit/redundancy/view.h"

namespace mpquic {
namespace {

using namespace std::chrono_literals;

TEST(TailReinjection, PicksTheFastestPathThatHasRoom) {
  const auto policy = make_reinjection_policy("tail");
  const Instant now{1s};
  std::array paths{view(0, 50ms), view(1, 10ms), view(2, 20ms)};
  EXPECT_EQ(policy->select_target(paths, now)->id, PathId{1});
  paths[1].bytes_in_flight = paths[1].congestion_window;
  EXPECT_EQ(policy->select_target(paths, now)->id, PathId{2});
  paths[2].potentially_failed = true;
  EXPECT_EQ(policy->select_target(paths, now)->id, PathId{0});
  paths[0].backup = true;
  EXPECT_FALSE(policy->select_target(paths, now));
}

TEST(TailReinjection, OnlyWhatTheCopyWouldBeat) {
  const auto policy = make_reinjection_policy("tail");
  const PathView slow = view(0, 200ms);
  const PathView fast = view(1, 20ms);
  const Instant now{1s};
  EXPECT_TRUE(policy->is_worth(slow, now, fast, now));
  EXPECT_TRUE(policy->is_worth(slow, now - 179ms, fast, now));
  EXPECT_FALSE(policy->is_worth(slow, now - 181ms, fast, now));
  EXPECT_FALSE(policy->is_worth(fast, now, slow, now));
  EXPECT_FALSE(policy->is_worth(fast, now, fast, now));
}

TEST(Reinjection, OffRepeatsNothing) {
  const auto policy = make_reinjection_policy("off");
  const std::array paths{view(0, 200ms), view(1, 20ms)};
  const Instant now{1s};
  EXPECT_FALSE(policy->select_target(paths, now));
  EXPECT_FALSE(policy->is_worth(paths[0], Instant{1s}, paths[1], Instant{1s}));
  EXPECT_FALSE(policy->is_overdue(paths[0], Instant{}, paths[1], now));
}

TEST(TailReinjection, OverdueIsWhatTheOtherPathWouldHaveBroughtLongAgo) {
  const auto policy = make_reinjection_policy("tail");
  PathView sinking = view(0, 30ms);
  sinking.patience = 90ms;
  PathView target = view(1, 40ms);
  target.rtt_variance = 5ms;
  const Instant sent{1s};
  EXPECT_FALSE(policy->is_overdue(sinking, sent, target, sent + 89ms));
  EXPECT_TRUE(policy->is_overdue(sinking, sent, target, sent + 90ms));
  target.rtt_variance = 20ms;  // it would have taken 120 ms
  EXPECT_FALSE(policy->is_overdue(sinking, sent, target, sent + 119ms));
  EXPECT_TRUE(policy->is_overdue(sinking, sent, target, sent + 120ms));
  EXPECT_FALSE(policy->is_overdue(target, sent, target, sent + 10s));
}

TEST(TailReinjection, APathWithOverduePacketsRepeatsNothing) {  // its round trip time is that of better days
  const auto policy = make_reinjection_policy("tail");
  const Instant now{1s};
  std::array paths{view(0, 10ms), view(1, 50ms)};
  paths[0].overdue_at = now;
  EXPECT_EQ(policy->select_target(paths, now)->id, PathId{1});
  EXPECT_EQ(policy->select_target(paths, now - 1ms)->id, PathId{0});
}

TEST(Reinjection, EveryNameMakesAPolicyOfThatName) {
  for (const std::string_view name : reinjection_policy_names()) EXPECT_EQ(make_reinjection_policy(name)->name(), name);
  EXPECT_EQ(make_reinjection_policy("sometimes"), nullptr);
}

}  // namespace
}  // namespace mpquic
