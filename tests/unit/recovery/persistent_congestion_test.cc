// RFC 9002 §7.6.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/recovery/space_fixture.h"

namespace mpquic {
namespace {

using namespace recovery_test;

class PersistentCongestionTest : public SpaceTest {
 protected:
  PersistentCongestionTest() {
    // One sample of 100 ms: the duration is 3 * (100 + 4 * 50 + 25) = 975 ms (§7.6.1).
    send();
    now += milliseconds(100);
    EXPECT_TRUE(ack(AckOf{{0, 0}}));
    now += milliseconds(1);
  }
  /// Acknowledges a packet that leaves now, which makes all before it late. The round trip leaves the estimate alone.
  void ack_only_a_new_packet() {
    now += milliseconds(10);
    send_many(2);
    const std::uint64_t last = send();
    now += milliseconds(100);
    ASSERT_TRUE(ack(AckOf{{last, last}}));
  }
  /// 3 * (pto of the estimator), as it will be after one more sample of 100 ms.
  [[nodiscard]] Duration duration() const {
    RttEstimator copy = rtt;
    copy.update({.latest = milliseconds(100), .max_ack_delay = milliseconds(25)}, now);
    return copy.persistent_congestion_duration(milliseconds(25));
  }
};

TEST_F(PersistentCongestionTest, TwoLostPacketsFarApartEstablishIt) {
  const Duration enough = duration() + Duration(1);
  send();
  now += enough;
  send();
  ack_only_a_new_packet();
  EXPECT_TRUE(out.persistent_congestion);
}

TEST_F(PersistentCongestionTest, TheDurationMustBeExceeded) {
  const Duration exactly = duration();
  send();
  now += exactly;
  send();
  now += milliseconds(300);  // the probes that follow are not lost yet
  send_many(2);
  const std::uint64_t last = send();
  now += milliseconds(100);
  ASSERT_TRUE(ack(AckOf{{last, last}}));
  EXPECT_THAT(numbers_of(out.lost_packets), testing::ElementsAre(1, 2));
  EXPECT_FALSE(out.persistent_congestion);
}

TEST_F(PersistentCongestionTest, AnAcknowledgedPacketInBetweenPreventsIt) {
  send();
  now += milliseconds(600);
  const std::uint64_t middle = send();
  now += milliseconds(600);
  send();
  now += milliseconds(10);
  send_many(2);
  const std::uint64_t last = send();
  now += milliseconds(100);
  ASSERT_TRUE(ack(AckOf{{last, last}, {middle, middle}}));
  EXPECT_GE(out.lost_packets.size(), 2U);
  EXPECT_FALSE(out.persistent_congestion);
}

TEST_F(PersistentCongestionTest, AckOnlyPacketsAreNoEnds) {
  send(kAckOnly);
  now += milliseconds(1200);
  send();
  now += milliseconds(1);
  send();
  now += milliseconds(1200);
  send(kAckOnly);
  ack_only_a_new_packet();
  EXPECT_FALSE(out.persistent_congestion);
}

TEST_F(PersistentCongestionTest, AckOnlyPacketsInBetweenDoNotPreventIt) {
  send();
  now += milliseconds(600);
  send(kAckOnly);
  now += milliseconds(600);
  send();
  ack_only_a_new_packet();
  EXPECT_TRUE(out.persistent_congestion);
}

TEST_F(PersistentCongestionTest, MtuProbesAreNoEnds) {  // RFC 9000 §14.4
  send({.mtu_probe = true});
  now += milliseconds(1200);
  send({.mtu_probe = true});
  ack_only_a_new_packet();
  EXPECT_FALSE(out.persistent_congestion);
}

TEST_F(PersistentCongestionTest, ARunMayBeFoundInSeveralSteps) {
  send();
  now += milliseconds(1200);
  send_many(2);
  const std::uint64_t probe = send();
  now += milliseconds(100);
  ASSERT_TRUE(ack(AckOf{{probe, probe}}));
  EXPECT_THAT(numbers_of(out.lost_packets), testing::ElementsAre(1)) << "the two before the probe may be late";
  EXPECT_FALSE(out.persistent_congestion);
  ASSERT_TRUE(space.loss_time());
  now = *space.loss_time();
  detect_lost();
  EXPECT_THAT(numbers_of(out.lost_packets), testing::ElementsAre(2, 3));
  EXPECT_TRUE(out.persistent_congestion);
}

TEST_F(PersistentCongestionTest, ALateAckOfTheRunPreventsIt) {
  send();
  now += milliseconds(1200);
  send_many(2);
  const std::uint64_t probe = send();
  now += milliseconds(100);
  ASSERT_TRUE(ack(AckOf{{probe, probe}}));
  ASSERT_TRUE(ack(AckOf{{probe, probe}, {1, 1}}));
  ASSERT_EQ(out.spurious_losses, 1U);
  now = *space.loss_time();
  detect_lost();
  EXPECT_EQ(out.lost_packets.size(), 2U);
  EXPECT_FALSE(out.persistent_congestion);
}

TEST_F(PersistentCongestionTest, MinRttStartsAfresh) {  // RFC 9002 §5.2
  send();
  now += milliseconds(1200);
  send();
  ack_only_a_new_packet();
  ASSERT_TRUE(out.persistent_congestion);
  EXPECT_EQ(rtt.min(), milliseconds(100));
  const std::uint64_t next = send();
  now += milliseconds(400);
  ASSERT_TRUE(ack(AckOf{{next, next}}));
  EXPECT_EQ(rtt.min(), milliseconds(400));
}

class BeforeFirstSampleTest : public SpaceTest {};

TEST_F(BeforeFirstSampleTest, PacketsSentBeforeTheFirstSampleDoNotCount) {  // RFC 9002 §7.6.2
  send();
  now += seconds(20);
  send();
  now += milliseconds(1);
  send_many(4);
  now += milliseconds(100);
  ASSERT_TRUE(ack(AckOf{{5, 5}}));
  EXPECT_GE(out.lost_packets.size(), 2U);
  EXPECT_FALSE(out.persistent_congestion);
}

}  // namespace
}  // namespace mpquic
