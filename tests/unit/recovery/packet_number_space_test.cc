#include "stack/recovery/packet_number_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/recovery/space_fixture.h"

namespace mpquic {
namespace {

using namespace recovery_test;
using testing::ElementsAre;
using testing::IsEmpty;

class PacketNumberSpaceTest : public SpaceTest {};

TEST_F(PacketNumberSpaceTest, HandsTokensOfAcknowledgedPacketsBackOnce) {
  send_many(3);
  now += milliseconds(50);
  ASSERT_TRUE(ack(AckOf{{0, 1}}));
  EXPECT_THAT(labels_of(out.acked), ElementsAre(0, 1));
  EXPECT_EQ(out.acked_bytes, ByteCount{2400});
  EXPECT_EQ(space.bytes_in_flight(), ByteCount{1200});
  EXPECT_EQ(space.largest_acked(), PacketNumber{1});
  ASSERT_TRUE(ack(AckOf{{0, 2}}));
  EXPECT_THAT(labels_of(out.acked), ElementsAre(2));
  EXPECT_EQ(space.bytes_in_flight(), ByteCount{0});
  EXPECT_FALSE(space.has_ack_eliciting_in_flight());
}

TEST_F(PacketNumberSpaceTest, AnAckOfAPacketNeverSentIsAViolation) {  // RFC 9000 §13.1
  send_many(3);
  const auto result = ack(AckOf{{0, 3}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, error::kProtocolViolation);
  EXPECT_EQ(result.error().frame_type, frame_type::kAck);
  EXPECT_THAT(out.acked, IsEmpty());
  EXPECT_EQ(space.bytes_in_flight(), ByteCount{3600});
}

TEST_F(PacketNumberSpaceTest, AnErrorNamesPathAck) {
  AckOf path_ack{{0, 7}};
  path_ack.frame.path = PathId{1};
  const auto result = ack(path_ack);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().frame_type, frame_type::kPathAck);
}

TEST_F(PacketNumberSpaceTest, HugeRangesCostNothing) {
  // Every ACK spans all history: 200,000 of them would take 2 * 10^10 steps if width mattered.
  PacketNumberSpace long_lived{PathId{0}, SpaceId::handshake, AckPolicy{}, rng};
  for (std::uint64_t n = 0; n < 200'000; ++n) {
    long_lived.on_sent({.number = PacketNumber{n}, .time_sent = now, .bytes = 1, .in_flight = true}, {});
    out.clear();
    ASSERT_TRUE(long_lived.on_ack(AckOf{{0, n}}, context(), now, out));
    ASSERT_EQ(out.acked_bytes, ByteCount{1});
  }
}

TEST_F(PacketNumberSpaceTest, RttComesFromTheLargestNewlyAcknowledged) {  // RFC 9002 §5.1
  send();
  now += milliseconds(10);
  send();
  now += milliseconds(30);
  ASSERT_TRUE(ack(AckOf{{0, 1}}));
  EXPECT_EQ(out.rtt_sample, milliseconds(30));
  EXPECT_EQ(rtt.latest(), milliseconds(30));
  ASSERT_TRUE(out.newest_acked);
  EXPECT_EQ(out.newest_acked->number, PacketNumber{1});
}

TEST_F(PacketNumberSpaceTest, NoRttWhenTheLargestWasAcknowledgedBefore) {  // RFC 9002 §5.1
  send_many(2);
  now += milliseconds(10);
  ASSERT_TRUE(ack(AckOf{{1, 1}}));
  ASSERT_TRUE(out.rtt_sample);
  now += milliseconds(10);
  ASSERT_TRUE(ack(AckOf{{0, 1}}));
  EXPECT_THAT(labels_of(out.acked), ElementsAre(0));
  EXPECT_FALSE(out.rtt_sample);
}

TEST_F(PacketNumberSpaceTest, NoRttFromAckOnlyPackets) {  // RFC 9002 §5.1
  send(kAckOnly);
  now += milliseconds(10);
  ASSERT_TRUE(ack(AckOf{{0, 0}}));
  EXPECT_FALSE(out.rtt_sample);
  EXPECT_FALSE(out.ack_eliciting_acked);
  EXPECT_TRUE(out.newest_acked);
  send();
  send(kAckOnly);
  now += milliseconds(10);
  ASSERT_TRUE(ack(AckOf{{0, 2}}));
  EXPECT_EQ(out.rtt_sample, milliseconds(10)) << "one of the newly acknowledged elicits an ACK";
}

TEST_F(PacketNumberSpaceTest, AckOnlyPacketsAreNotInFlight) {  // RFC 9002 §2
  send(kAckOnly);
  EXPECT_EQ(space.bytes_in_flight(), ByteCount{0});
  EXPECT_FALSE(space.has_ack_eliciting_in_flight());
  EXPECT_EQ(space.last_ack_eliciting_sent(), std::nullopt);
}

TEST_F(PacketNumberSpaceTest, LosesByPacketThreshold) {  // RFC 9002 §6.1.1
  send_many(5);
  now += milliseconds(50);
  ASSERT_TRUE(ack(AckOf{{4, 4}}));
  EXPECT_THAT(numbers_of(out.lost_packets), ElementsAre(0, 1));
  EXPECT_EQ(out.lost_packets[0].trigger, LossTrigger::packet_threshold);
  EXPECT_THAT(labels_of(out.lost), ElementsAre(0, 1));
  EXPECT_EQ(out.lost_bytes, ByteCount{2400});
  EXPECT_EQ(out.newest_lost_sent, kStart);
  EXPECT_EQ(space.bytes_in_flight(), ByteCount{2400});
}

TEST_F(PacketNumberSpaceTest, LosesByTimeThreshold) {  // RFC 9002 §6.1.2
  send();
  now += milliseconds(4);
  send();
  now += milliseconds(80);
  ASSERT_TRUE(ack(AckOf{{1, 1}}));  // RTT 80 ms, threshold 90 ms
  EXPECT_THAT(out.lost_packets, IsEmpty());
  EXPECT_EQ(space.loss_time(), kStart + milliseconds(90));
  now = kStart + milliseconds(90) - Duration(1);
  detect_lost();
  EXPECT_THAT(out.lost_packets, IsEmpty());
  now = kStart + milliseconds(90);
  detect_lost();
  EXPECT_THAT(numbers_of(out.lost_packets), ElementsAre(0));
  EXPECT_EQ(out.lost_packets[0].trigger, LossTrigger::time_threshold);
  EXPECT_EQ(space.loss_time(), std::nullopt);
}

TEST_F(PacketNumberSpaceTest, NothingIsLostBeforeALaterPacketIsAcknowledged) {  // RFC 9002 §6.1
  send_many(10);
  now += hours(1);
  detect_lost();
  EXPECT_THAT(out.lost_packets, IsEmpty());
  ASSERT_TRUE(ack(AckOf{{0, 0}}));
  EXPECT_THAT(out.lost_packets, IsEmpty());
  EXPECT_EQ(space.loss_time(), std::nullopt);
}

TEST_F(PacketNumberSpaceTest, ALateAckShowsTheLossToBeSpuriousAndRaisesTheThreshold) {  // RFC 9002 §6.1.1
  send_many(6);
  now += milliseconds(50);
  ASSERT_TRUE(ack(AckOf{{5, 5}}));
  EXPECT_THAT(numbers_of(out.lost_packets), ElementsAre(0, 1, 2));
  ASSERT_TRUE(ack(AckOf{{1, 5}}));
  EXPECT_EQ(out.spurious_losses, 2U);
  EXPECT_FALSE(out.spurious_congestion) << "packet 0 is still lost";
  EXPECT_EQ(space.packet_threshold(), 5U);
  EXPECT_THAT(labels_of(out.acked), ElementsAre(3, 4)) << "tokens of lost packets went back already";
  ASSERT_TRUE(ack(AckOf{{0, 5}}));
  EXPECT_EQ(out.spurious_losses, 1U);
  EXPECT_TRUE(out.spurious_congestion);
  EXPECT_EQ(space.packet_threshold(), 6U);
  send_many(6);  // 6 .. 11: reordering by five is tolerated now
  ASSERT_TRUE(ack(AckOf{{11, 11}}));
  EXPECT_THAT(out.lost_packets, IsEmpty());
}

TEST_F(PacketNumberSpaceTest, ALossIsSettledAfterThreePtos) {
  send_many(5);
  now += milliseconds(10);
  ASSERT_TRUE(ack(AckOf{{4, 4}}));
  ASSERT_THAT(numbers_of(out.lost_packets), ElementsAre(0, 1));
  now += RecentLosses::kMemoryPtos * rtt.pto_base(milliseconds(25)) + Duration(1);
  ASSERT_TRUE(ack(AckOf{{0, 4}}));
  EXPECT_EQ(out.spurious_losses, 0U);
  EXPECT_FALSE(out.spurious_congestion);
}

TEST(RecentLosses, ASettledLossKeepsItsCompanionsFromBeingUndone) {
  RecentLosses losses;
  losses.add(PacketNumber{1}, LossTrigger::packet_threshold, kStart);
  losses.add(PacketNumber{2}, LossTrigger::packet_threshold, kStart + seconds(1));
  losses.expire(kStart + milliseconds(1));  // 1 was real
  int spurious = 0;
  losses.on_acked(0, 10, [&](const RecentLosses::Entry&) { ++spurious; });
  EXPECT_EQ(spurious, 1);
  EXPECT_FALSE(losses.take_all_spurious());
  EXPECT_TRUE(losses.empty());
  losses.add(PacketNumber{3}, LossTrigger::packet_threshold, kStart + seconds(2));  // another episode
  losses.on_acked(3, 3, [&](const RecentLosses::Entry&) { ++spurious; });
  EXPECT_TRUE(losses.take_all_spurious());
  EXPECT_FALSE(losses.take_all_spurious());
}

TEST(RecentLosses, RemembersABoundedNumber) {
  RecentLosses losses;
  for (std::uint64_t n = 0; n < 2 * RecentLosses::kMaxRemembered; ++n) {
    losses.add(PacketNumber{n}, LossTrigger::packet_threshold, kStart);
  }
  std::size_t spurious = 0;
  losses.on_acked(0, kMaxVarint, [&](const RecentLosses::Entry&) { ++spurious; });
  EXPECT_EQ(spurious, RecentLosses::kMaxRemembered);
  EXPECT_FALSE(losses.take_all_spurious()) << "the others may have been real";
}

TEST_F(PacketNumberSpaceTest, TheAdaptiveThresholdIsCapped) {
  send_many(200);
  now += milliseconds(10);
  ASSERT_TRUE(ack(AckOf{{199, 199}}));
  ASSERT_TRUE(ack(AckOf{{0, 199}}));
  EXPECT_EQ(space.packet_threshold(), kMaxReorderingThreshold);
}

TEST_F(PacketNumberSpaceTest, LostMtuProbesAreNoCongestion) {  // RFC 9000 §14.4
  send({.mtu_probe = true, .bytes = 1452});
  send_many(4);
  now += milliseconds(10);
  ASSERT_TRUE(ack(AckOf{{1, 4}}));
  EXPECT_THAT(out.mtu_probes_lost, ElementsAre(1452));
  EXPECT_EQ(out.lost_bytes, ByteCount{0});
  EXPECT_FALSE(out.newest_lost_sent);
  EXPECT_EQ(space.bytes_in_flight(), ByteCount{0});
  send({.mtu_probe = true, .bytes = 1400});
  ASSERT_TRUE(ack(AckOf{{5, 5}}));
  EXPECT_THAT(out.mtu_probes_acked, ElementsAre(1400));
}

TEST_F(PacketNumberSpaceTest, ForgettingHandsEverythingBackWithoutBlame) {  // RFC 9002 §6.4
  send_many(3);
  send(kAckOnly);
  now += milliseconds(10);
  ASSERT_TRUE(ack(AckOf{{1, 1}}));
  out.clear();
  space.forget_all(out);
  EXPECT_THAT(labels_of(out.lost), ElementsAre(0, 2, 3));
  EXPECT_EQ(out.lost_packets[0].trigger, LossTrigger::forgotten);
  EXPECT_EQ(out.lost_bytes, ByteCount{0});
  EXPECT_EQ(space.bytes_in_flight(), ByteCount{0});
  EXPECT_FALSE(space.has_ack_eliciting_in_flight());
  EXPECT_EQ(space.loss_time(), std::nullopt);
  ASSERT_TRUE(ack(AckOf{{0, 3}})) << "a late ACK is harmless";
  EXPECT_THAT(out.acked, IsEmpty());
}

TEST_F(PacketNumberSpaceTest, VisitsTokensOfUnackedPackets) {
  send_many(4);
  now += milliseconds(10);
  ASSERT_TRUE(ack(AckOf{{1, 2}}));
  std::vector<std::uint64_t> labels;
  space.for_each_unacked([&](const SentPacket& packet, const DeliveryToken& token) {
    EXPECT_EQ(packet.number.value(), std::get<DatagramToken>(token).sequence);
    labels.push_back(packet.number.value());
    return true;
  });
  EXPECT_THAT(labels, ElementsAre(0, 3));
}

TEST_F(PacketNumberSpaceTest, AskForAPingAfterManyAckOnlyPackets) {  // RFC 9000 §13.2.4
  for (std::uint32_t i = 0; i < PacketNumberSpace::kAckOnlyRun; ++i) {
    EXPECT_FALSE(space.wants_ping());
    send(kAckOnly);
  }
  EXPECT_TRUE(space.wants_ping());
  send();
  EXPECT_FALSE(space.wants_ping());
}

TEST_F(PacketNumberSpaceTest, APeerThatNeverAcknowledgesFillsABoundedRing) {
  for (std::size_t i = 0; space.can_track(); ++i) {
    ASSERT_LE(i, PacketNumberSpace::kMaxTracked);
    send(kAckOnly);
  }
}

TEST_F(PacketNumberSpaceTest, EcnIsJudgedOnlyWhenTheLargestRises) {  // RFC 9000 §13.4.2.1
  for (int i = 0; i < 3; ++i) send({.ecn = Ecn::ect0});
  now += milliseconds(10);
  AckOf newer{{2, 2}};
  newer.frame.ecn = EcnCounts{.ect0 = 1, .ce = 1};
  ASSERT_TRUE(ack(newer));
  EXPECT_EQ(out.ecn.verdict, EcnVerdict::valid);
  EXPECT_EQ(out.ecn.newly_marked, 1U);
  ASSERT_TRUE(ack(AckOf{{0, 1}})) << "a reordered ACK without counts";
  EXPECT_EQ(out.ecn.verdict, EcnVerdict::nothing);
  EXPECT_THAT(labels_of(out.acked), ElementsAre(0, 1));
}

TEST_F(PacketNumberSpaceTest, ClearedEcnCountsAreAnInvalidVerdict) {  // RFC 9000 §13.4.2.1
  send({.ecn = Ecn::ect0});
  ASSERT_TRUE(ack(AckOf{{0, 0}}));
  EXPECT_EQ(out.ecn.verdict, EcnVerdict::invalid);
}

TEST_F(PacketNumberSpaceTest, CountsLostMarkedPackets) {  // RFC 9000 §A.4
  send({.ecn = Ecn::ect0});
  send({.ecn = Ecn::ect0});
  send_many(4);
  ASSERT_TRUE(ack(AckOf{{5, 5}}));
  EXPECT_EQ(out.lost_ect, 2U);
}

// --- Skipped packet numbers, RFC 9000 §21.4

TEST(SkippedNumbers, AcknowledgingOneIsAViolation) {
  ConstantRng eager(0x00);
  PacketNumberSpace space(PathId{0}, SpaceId::application, AckPolicy{}, eager);
  RttEstimator rtt;
  AckOutcome out;
  const auto send = [&] {
    const PacketNumber number = space.next_number();
    space.on_sent({.number = number, .time_sent = kStart, .bytes = 1200, .ack_eliciting = true, .in_flight = true}, {});
    return number.value();
  };
  EXPECT_EQ(send(), 0U);
  EXPECT_EQ(space.next_number(), PacketNumber{2}) << "1 is skipped";
  EXPECT_EQ(space.on_ack(AckOf{{1, 1}}, {.rtt = rtt}, kStart, out).error().code, error::kProtocolViolation);
  EXPECT_EQ(send(), 2U);
  EXPECT_EQ(space.on_ack(AckOf{{0, 2}}, {.rtt = rtt}, kStart, out).error().code, error::kProtocolViolation);
  EXPECT_EQ(send(), 4U);
  EXPECT_EQ(space.on_ack(AckOf{{4, 4}, {1, 2}}, {.rtt = rtt}, kStart, out).error().code, error::kProtocolViolation);
  EXPECT_TRUE(space.on_ack(AckOf{{4, 4}, {2, 2}, {0, 0}}, {.rtt = rtt}, kStart, out));
  EXPECT_EQ(space.bytes_in_flight(), ByteCount{0});
  EXPECT_FALSE(space.on_ack(AckOf{{0, 2}}, {.rtt = rtt}, kStart, out)) << "remembered beyond the ring";
}

TEST(SkippedNumbers, BecomeRarer) {
  SeededRng rng(7);
  PacketNumberSpace space(PathId{0}, SpaceId::application, AckPolicy{}, rng);
  AckOutcome out;
  int skips = 0;
  std::uint64_t expected = 0;
  for (int i = 0; i < 100'000; ++i) {
    const PacketNumber number = space.next_number();
    if (number.value() != expected) ++skips;
    expected = number.value() + 1;
    space.on_sent({.number = number, .time_sent = kStart, .bytes = 1200, .ack_eliciting = true, .in_flight = true}, {});
    space.forget_all(out);
    out.clear();
  }
  EXPECT_GE(skips, 5);
  EXPECT_LE(skips, 40);
}

TEST(SkippedNumbers, HandshakeSpacesSkipNone) {
  ConstantRng eager(0x00);
  PacketNumberSpace space(PathId{0}, SpaceId::handshake, AckPolicy{}, eager);
  for (std::uint64_t n = 0; n < 1000; ++n) {
    ASSERT_EQ(space.next_number(), PacketNumber{n});
    space.on_sent({.number = PacketNumber{n}, .time_sent = kStart}, {});
  }
}

}  // namespace
}  // namespace mpquic
