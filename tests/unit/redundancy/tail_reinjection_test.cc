#include "stack/redundancy/tail_reinjection.h"

#include <gtest/gtest.h>

#include <array>

namespace mpquic {
namespace {

using namespace std::chrono_literals;

PathView view(std::uint32_t id, Duration rtt) {
  PathView v;
  v.id = PathId{id};
  v.validated = true;
  v.has_rtt_sample = true;
  v.smoothed_rtt = rtt;
  v.congestion_window = ByteCount{20'000};
  v.amplification_credit = ByteCount{UINT64_MAX};
  return v;
}

TEST(TailReinjection, PicksTheFastestPathThatHasRoom) {
  std::array paths{view(0, 50ms), view(1, 10ms), view(2, 20ms)};
  EXPECT_EQ(fastest_with_room(paths)->id, PathId{1});
  paths[1].bytes_in_flight = paths[1].congestion_window;
  EXPECT_EQ(fastest_with_room(paths)->id, PathId{2});
  paths[2].potentially_failed = true;
  EXPECT_EQ(fastest_with_room(paths)->id, PathId{0});
  paths[0].backup = true;
  EXPECT_FALSE(fastest_with_room(paths));
}

TEST(TailReinjection, OnlyWhatTheCopyWouldBeat) {
  const PathView slow = view(0, 200ms);
  const PathView fast = view(1, 20ms);
  const Instant now{1s};
  EXPECT_TRUE(worth_reinjecting(slow, now, fast, now));
  EXPECT_TRUE(worth_reinjecting(slow, now - 179ms, fast, now));
  EXPECT_FALSE(worth_reinjecting(slow, now - 181ms, fast, now));
  EXPECT_FALSE(worth_reinjecting(fast, now, slow, now));
  EXPECT_FALSE(worth_reinjecting(fast, now, fast, now));
}

}  // namespace
}  // namespace mpquic
