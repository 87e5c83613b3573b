#include "stack/redundancy/reinjection.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/unit/redundancy/view.h"

namespace mpquic {
namespace {

using namespace std::chrono_literals;

TEST(TailReinjection, PicksTheFastestPathThatHasRoom) {
  const auto policy = make_reinjection_policy("tail");
  std::array paths{view(0, 50ms), view(1, 10ms), view(2, 20ms)};
  EXPECT_EQ(policy->select_target(paths)->id, PathId{1});
  paths[1].bytes_in_flight = paths[1].congestion_window;
  EXPECT_EQ(policy->select_target(paths)->id, PathId{2});
  paths[2].potentially_failed = true;
  EXPECT_EQ(policy->select_target(paths)->id, PathId{0});
  paths[0].backup = true;
  EXPECT_FALSE(policy->select_target(paths));
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
  EXPECT_FALSE(policy->select_target(paths));
  EXPECT_FALSE(policy->is_worth(paths[0], Instant{1s}, paths[1], Instant{1s}));
}

TEST(Reinjection, EveryNameMakesAPolicyOfThatName) {
  for (const std::string_view name : reinjection_policy_names()) EXPECT_EQ(make_reinjection_policy(name)->name(), name);
  EXPECT_EQ(make_reinjection_policy("sometimes"), nullptr);
}

}  // namespace
}  // namespace mpquic
