#include "stack/recovery/ack_tracker.h"

#include <gtest/gtest.h>

#include "stack/wire/frame_decode.h"
#include "tests/unit/recovery/recovery_fixtures.h"

namespace mpquic {
namespace {

using namespace recovery_test;
using Arrival = AckTracker::Arrival;

AckTracker tracker(SpaceId space = SpaceId::application, AckPolicy policy = {}) {
  return AckTracker(PathId{3}, space, policy);
}
void receive(AckTracker& acks, std::uint64_t number, Instant at = kStart, bool eliciting = true,
             Ecn ecn = Ecn::not_ect) {
  acks.on_received(PacketNumber{number}, at, eliciting, ecn);
}

struct Written {
  std::array<std::byte, 1200> bytes{};
  TokenList tokens;
  AckFrame frame;
  bool ok = false;
};
void write(AckTracker& acks, Written& written, Instant at = kStart, std::optional<PathId> path = std::nullopt,
           std::size_t room = 1200) {
  FrameWriter writer(std::span(written.bytes).first(room), EncryptionLevel::one_rtt, PathId{3}, written.tokens);
  written.ok = acks.write(writer, path, at, 3);
  if (!written.ok) return;
  FrameDecoder decoder(std::span(written.bytes).first(writer.size()), EncryptionLevel::one_rtt, {.multipath = true});
  const auto frame = decoder.next();
  ASSERT_TRUE(frame && *frame);
  written.frame = std::get<AckFrame>(**frame);
}

TEST(AckTracker, EverySecondAckElicitingPacketIsAcknowledgedAtOnce) {  // RFC 9000 §13.2.2
  AckTracker acks = tracker();
  receive(acks, 0);
  EXPECT_EQ(acks.interest(kStart), Interest::new_data);
  receive(acks, 1);
  EXPECT_EQ(acks.interest(kStart), Interest::forced);
}

TEST(AckTracker, ASinglePacketWaitsForMaxAckDelay) {  // RFC 9000 §13.2.1
  AckTracker acks = tracker();
  receive(acks, 0);
  EXPECT_EQ(acks.next_deadline(), kStart + milliseconds(25));
  EXPECT_EQ(acks.interest(kStart + milliseconds(25) - Duration(1)), Interest::new_data);
  EXPECT_EQ(acks.interest(kStart + milliseconds(25)), Interest::forced);
}

TEST(AckTracker, TheFirstUnreportedPacketSetsTheDeadline) {
  AckTracker acks = tracker(SpaceId::application, {.packets_before_ack = 10});
  receive(acks, 0);
  receive(acks, 1, kStart + milliseconds(20));
  EXPECT_EQ(acks.next_deadline(), kStart + milliseconds(25));
}

TEST(AckTracker, HandshakePacketsAreAcknowledgedAtOnce) {  // RFC 9000 §13.2.1
  for (const SpaceId space : {SpaceId::initial, SpaceId::handshake}) {
    AckTracker acks = tracker(space);
    receive(acks, 0);
    EXPECT_EQ(acks.interest(kStart), Interest::forced);
  }
}

// Where nothing can carry it yet (no keys, no credit), a timer would only fire again and again.
TEST(AckTracker, WhatIsDueAtOnceHasNoTimer) {
  AckTracker handshake = tracker(SpaceId::handshake);
  receive(handshake, 0);
  EXPECT_EQ(handshake.next_deadline(), std::nullopt);
  AckTracker application = tracker();
  receive(application, 0);
  ASSERT_TRUE(application.next_deadline());
  receive(application, 1);
  EXPECT_EQ(application.next_deadline(), std::nullopt);
  receive(application, 2);  // changes nothing about that
  EXPECT_EQ(application.next_deadline(), std::nullopt);
  EXPECT_EQ(application.interest(kStart), Interest::forced);
}

TEST(AckTracker, AGapIsReportedAtOnceAndSoIsItsFilling) {  // RFC 9000 §13.2.1
  AckTracker acks = tracker();
  receive(acks, 0);
  receive(acks, 1);
  Written written;
  write(acks, written);
  receive(acks, 3);
  EXPECT_EQ(acks.interest(kStart), Interest::forced);
  write(acks, written);
  receive(acks, 2);
  EXPECT_EQ(acks.interest(kStart), Interest::forced);
}

TEST(AckTracker, CongestionMarksAreReportedAtOnce) {  // RFC 9000 §13.2.1
  AckTracker acks = tracker();
  receive(acks, 0, kStart, true, Ecn::ce);
  EXPECT_EQ(acks.interest(kStart), Interest::forced);
}

TEST(AckTracker, AcksAreNotAcknowledgedForTheirOwnSake) {  // RFC 9000 §13.2.1: no ACK loops
  AckTracker acks = tracker();
  for (std::uint64_t n = 0; n < 100; n += 2) receive(acks, n, kStart, false);
  EXPECT_EQ(acks.interest(kStart + seconds(10)), Interest::none);
  EXPECT_EQ(acks.next_deadline(), std::nullopt);
}

RttEstimator estimator(Duration first, Duration second) {
  RttEstimator rtt;
  rtt.update({.latest = first}, kStart);
  for (int i = 0; i < 100; ++i) rtt.update({.latest = second}, kStart);
  return rtt;
}

TEST(AckPolicy, RelaxesAfterAHundredPacketsButKeepsFourAcksPerRtt) {
  const RttEstimator rtt = estimator(milliseconds(40), milliseconds(40));
  EXPECT_EQ(ack_policy_for(99, milliseconds(25), rtt).packets_before_ack, 2U);
  EXPECT_EQ(ack_policy_for(99, milliseconds(25), rtt).max_delay, milliseconds(25));
  EXPECT_EQ(ack_policy_for(100, milliseconds(25), rtt).packets_before_ack, 10U);
  EXPECT_EQ(ack_policy_for(100, milliseconds(25), rtt).max_delay, milliseconds(10));
  const RttEstimator far = estimator(milliseconds(400), milliseconds(400));
  EXPECT_EQ(ack_policy_for(100, milliseconds(25), far).max_delay, milliseconds(25));
}

TEST(AckPolicy, AcksAreAtMostSixteenPerRttAndFewerWhereQueuesAreLong) {
  EXPECT_EQ(ack_policy_for(1, milliseconds(25), RttEstimator()).min_gap, Duration{}) << "not measured";
  const auto gap = [](milliseconds shortest, milliseconds now) {
    return ack_policy_for(1000, milliseconds(25), estimator(shortest, now)).min_gap;
  };
  EXPECT_EQ(gap(milliseconds(40), milliseconds(40)), microseconds(2500));
  EXPECT_EQ(gap(milliseconds(8), milliseconds(8)), Duration{}) << "finer than timers are";
  EXPECT_NEAR(static_cast<double>(gap(milliseconds(40), milliseconds(60)).count()), 10e6, 1e3) << "half of the queue";
  EXPECT_NEAR(static_cast<double>(gap(milliseconds(20), milliseconds(60)).count()), 15e6, 1e3) << "four per RTT";
  EXPECT_EQ(gap(milliseconds(40), milliseconds(600)), milliseconds(25)) << "what we told the peer";
}

TEST(AckTracker, AcksKeepAGap) {
  AckTracker acks = tracker(SpaceId::application, {.packets_before_ack = 2, .min_gap = milliseconds(10)});
  receive(acks, 0);
  receive(acks, 1);
  EXPECT_EQ(acks.interest(kStart), Interest::forced) << "there was none before";
  Written written;
  write(acks, written);
  const Instant later = kStart + milliseconds(4);
  for (std::uint64_t n = 2; n < 40; ++n) receive(acks, n, later);
  EXPECT_EQ(acks.interest(later), Interest::new_data);
  EXPECT_EQ(acks.next_deadline(), kStart + milliseconds(10));
  EXPECT_EQ(acks.interest(kStart + milliseconds(10)), Interest::forced);
  write(acks, written, kStart + milliseconds(10));
  receive(acks, 40, kStart + milliseconds(30));
  receive(acks, 41, kStart + milliseconds(30));
  EXPECT_TRUE(acks.is_overdue()) << "the gap is over";
}

TEST(AckTracker,
     DisorderIsReportedAtOnceButOnceInAGap) {  // RFC 9000 §13.2.1: SHOULD, and a line may reorder everything
  AckTracker acks = tracker(SpaceId::application, {.packets_before_ack = 100, .min_gap = milliseconds(10)});
  Written written;
  receive(acks, 0);
  write(acks, written);
  int reports = 0;
  for (std::uint64_t n = 2; n < 200; n += 2) {  // one millisecond each
    const Instant at = kStart + milliseconds(n / 2);
    receive(acks, n, at);
    if (acks.interest(at) != Interest::forced) continue;
    ++reports;
    write(acks, written, at);
    EXPECT_TRUE(n > 2 || acks.interest(at) == Interest::none) << "the first one does not wait";
  }
  EXPECT_GE(reports, 9);
  EXPECT_LE(reports, 21);
}

TEST(AckTracker, HandshakePacketsKnowNoGap) {  // RFC 9000 §13.2.1: MUST
  AckTracker acks = tracker(SpaceId::handshake, {.packets_before_ack = 1, .max_delay = {}});
  Written written;
  for (std::uint64_t n = 0; n < 5; ++n) {
    receive(acks, n);
    EXPECT_TRUE(acks.is_overdue());
    write(acks, written);
  }
}

TEST(AckTracker, WritesWhatArrivedAndRests) {  // RFC 9000 §19.3
  AckTracker acks = tracker();
  for (const std::uint64_t n : {0, 1, 2, 5, 6, 9}) receive(acks, n, kStart + milliseconds(n));
  Written written;
  write(acks, written, kStart + milliseconds(17));
  ASSERT_TRUE(written.ok);
  EXPECT_EQ(written.frame.largest, PacketNumber{9});
  EXPECT_EQ(written.frame.first_range, 0U);
  EXPECT_EQ(written.frame.range_count, 2U);
  EXPECT_EQ(written.frame.delay, 1000U);  // 8 ms since the largest came, >> 3
  EXPECT_EQ(written.frame.path, std::nullopt);
  EXPECT_FALSE(written.frame.ecn);
  const auto& token = std::get<AckToken>(written.tokens.items[0]);
  EXPECT_EQ(token.path, PathId{3});
  EXPECT_EQ(token.largest, PacketNumber{9});
  EXPECT_EQ(acks.interest(kStart + seconds(1)), Interest::none);
  EXPECT_EQ(acks.next_deadline(), std::nullopt);
  write(acks, written);
  EXPECT_FALSE(written.ok) << "nothing new to report";
}

TEST(AckTracker, WritesPathAckOnRequest) {  // draft-21 §4.1
  AckTracker acks = tracker();
  receive(acks, 0);
  Written written;
  write(acks, written, kStart, PathId{3});
  ASSERT_TRUE(written.ok);
  EXPECT_EQ(written.frame.path, PathId{3});
}

TEST(AckTracker, KeepsTheRequestWhenThereIsNoRoom) {
  AckTracker acks = tracker();
  receive(acks, 0);
  receive(acks, 1);
  Written written;
  write(acks, written, kStart, std::nullopt, 3);
  EXPECT_FALSE(written.ok);
  EXPECT_EQ(acks.interest(kStart), Interest::forced);
}

TEST(AckTracker, ReportsEcnCountsOnceThereAreAny) {  // RFC 9000 §13.4.1
  AckTracker acks = tracker();
  receive(acks, 0, kStart, true, Ecn::ect0);
  receive(acks, 1, kStart, true, Ecn::ect1);
  receive(acks, 2, kStart, false, Ecn::ce);
  Written written;
  write(acks, written);
  ASSERT_TRUE(written.frame.ecn);
  EXPECT_EQ(*written.frame.ecn, (EcnCounts{1, 1, 1}));
}

TEST(AckTracker, ForgetsRangesThatThePeerKnowsToBeReported) {  // RFC 9000 §13.2.4
  AckTracker acks = tracker();
  for (const std::uint64_t n : {0, 2, 4, 6}) receive(acks, n);
  Written written;
  write(acks, written);
  receive(acks, 8);
  acks.on_ack_acked({PathId{3}, SpaceId::application, PacketNumber{6}});
  EXPECT_EQ(acks.ranges().interval_count(), 1U);
  EXPECT_TRUE(acks.ranges().contains(8));
}

TEST(AckTracker, KeepsTheLargestWhateverIsAcknowledged) {  // RFC 9000 §13.2.3
  AckTracker acks = tracker();
  receive(acks, 0);
  receive(acks, 1);
  Written written;
  write(acks, written);
  acks.on_ack_acked({PathId{3}, SpaceId::application, PacketNumber{1}});
  EXPECT_TRUE(acks.ranges().contains(1));
  EXPECT_FALSE(acks.ranges().contains(0));
}

TEST(AckTracker, DoesNotForgetWhatCameAfterTheAckWasWritten) {
  AckTracker acks = tracker();
  for (const std::uint64_t n : {0, 1, 9}) receive(acks, n);
  Written written;
  write(acks, written);
  receive(acks, 5);
  acks.on_ack_acked({PathId{3}, SpaceId::application, PacketNumber{9}});
  EXPECT_TRUE(acks.ranges().contains(5));
}

TEST(AckTracker, DuplicatesAreKnownAfterRangesAreForgotten) {  // RFC 9000 §12.3
  AckTracker acks = tracker();
  for (const std::uint64_t n : {0, 1, 2, 4, 5}) receive(acks, n);
  Written written;
  write(acks, written);
  acks.on_ack_acked({PathId{3}, SpaceId::application, PacketNumber{5}});
  for (const std::uint64_t n : {0, 1, 2, 4, 5}) EXPECT_EQ(acks.classify(PacketNumber{n}), Arrival::duplicate) << n;
  EXPECT_EQ(acks.classify(PacketNumber{3}), Arrival::fresh) << "late, not a duplicate";
  EXPECT_FALSE(acks.is_duplicate(PacketNumber{6}));
}

TEST(AckTracker, RangesAreBoundedAndTheOldestGo) {  // RFC 9000 §13.2.3
  AckTracker acks = tracker();
  for (std::uint64_t n = 0; n < 2 * 1000; n += 2) receive(acks, n);
  EXPECT_EQ(acks.ranges().interval_count(), kMaxAckRanges);
  EXPECT_EQ(acks.ranges().max(), 1998U);
  EXPECT_TRUE(acks.is_duplicate(PacketNumber{0}));
  EXPECT_FALSE(acks.is_duplicate(PacketNumber{1}));
  Written written;
  write(acks, written);
  EXPECT_EQ(written.frame.range_count, kMaxAckRangesWritten - 1);
}

}  // namespace
}  // namespace mpquic
