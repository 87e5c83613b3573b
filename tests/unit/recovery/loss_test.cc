#include "stack/recovery/loss.h"

#include <gtest/gtest.h>

#include "tests/unit/recovery/recovery_fixtures.h"

namespace mpquic {
namespace {

using namespace recovery_test;

constexpr LossThresholds kThresholds{.packets = kPacketThreshold, .time = milliseconds(90)};

TEST(Loss, ThreePacketsLaterIsLost) {  // RFC 9002 §6.1.1
  const auto verdict = judge_loss(PacketNumber{4}, kStart, PacketNumber{7}, kThresholds, kStart);
  ASSERT_TRUE(std::holds_alternative<Lost>(verdict));
  EXPECT_EQ(std::get<Lost>(verdict).trigger, LossTrigger::packet_threshold);
}

TEST(Loss, TwoPacketsLaterWaitsForTime) {  // RFC 9002 §6.1.2
  const auto verdict =
      judge_loss(PacketNumber{5}, kStart, PacketNumber{7}, kThresholds, kStart + milliseconds(90) - Duration(1));
  ASSERT_TRUE(std::holds_alternative<NotLostYet>(verdict));
  EXPECT_EQ(std::get<NotLostYet>(verdict).time, kStart + milliseconds(90));
}

TEST(Loss, TheTimeThresholdIsInclusive) {  // RFC 9002 §A.10: time_sent <= lost_send_time
  const auto verdict = judge_loss(PacketNumber{6}, kStart, PacketNumber{7}, kThresholds, kStart + milliseconds(90));
  ASSERT_TRUE(std::holds_alternative<Lost>(verdict));
  EXPECT_EQ(std::get<Lost>(verdict).trigger, LossTrigger::time_threshold);
}

TEST(Loss, ARaisedThresholdToleratesMoreReordering) {  // RFC 9002 §6.1.1
  const LossThresholds adapted{.packets = 10, .time = milliseconds(90)};
  const auto ninth = judge_loss(PacketNumber{0}, kStart, PacketNumber{9}, adapted, kStart);
  EXPECT_TRUE(std::holds_alternative<NotLostYet>(ninth));
  const auto tenth = judge_loss(PacketNumber{0}, kStart, PacketNumber{10}, adapted, kStart);
  EXPECT_TRUE(std::holds_alternative<Lost>(tenth));
}

}  // namespace
}  // namespace mpquic
