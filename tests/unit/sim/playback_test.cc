#include "sim/workload/playback.h"

#include <gtest/gtest.h>

namespace mpquic::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Instant played_at(int ms) { return Instant{} + milliseconds(ms); }

TEST(Playback, StartsWithItsPrebufferAndStallsWhenDry) {
  Playback playback;
  playback.on_segment(played_at(100), seconds(1), seconds(2), false);
  EXPECT_FALSE(playback.playing());
  playback.on_segment(played_at(200), seconds(1), seconds(2), false);
  EXPECT_TRUE(playback.playing());
  EXPECT_EQ(playback.started_at(), played_at(200));  // plays until 2200
  playback.on_segment(played_at(2100), seconds(1), seconds(2), false);
  EXPECT_EQ(playback.stalls(), 0u);  // until 3200
  playback.on_segment(played_at(3700), seconds(1), seconds(2), false);
  EXPECT_EQ(playback.stalls(), 1u);
  EXPECT_EQ(playback.rebuffering(), milliseconds(500));
}

TEST(Playback, AsksForMoreWhenItsBufferHasRoom) {
  Playback playback;
  playback.on_segment(played_at(0), seconds(2), seconds(2), false);
  EXPECT_EQ(playback.room_at(played_at(0), seconds(2), seconds(4)), played_at(0));  // holds 2 of 4 s
  playback.on_segment(played_at(100), seconds(2), seconds(2), false);               // dry at 4000
  EXPECT_EQ(playback.room_at(played_at(100), seconds(2), seconds(4)), played_at(2000));
}

TEST(Playback, TheLastSegmentStartsWhatIsThere) {
  Playback playback;
  playback.on_segment(played_at(100), seconds(1), seconds(5), true);
  EXPECT_TRUE(playback.playing());
}

TEST(MeanOpinionScore, FollowsTheEModel) {
  EXPECT_NEAR(mean_opinion_score(milliseconds(0), 0), 4.41, 0.01);  // R = 93.2
  EXPECT_NEAR(mean_opinion_score(milliseconds(150), 0), 4.34, 0.02);
  EXPECT_LT(mean_opinion_score(milliseconds(400), 0), 3.7);
  EXPECT_LT(mean_opinion_score(milliseconds(150), 0.2), 2.5);
  EXPECT_NEAR(mean_opinion_score(seconds(10), 1), 1, 1e-9);
}

}  // namespace
}  // namespace mpquic::sim
