#include "stack/cid/peer_cids.h"

#include <gtest/gtest.h>

#include "tests/unit/cid/cid_fixture.h"

namespace mpquic {
namespace {

using namespace cid_test;

constexpr std::uint64_t kLimit = 4;

NewConnectionIdFrame frame_of(PathId path, std::uint64_t sequence, std::uint8_t id, std::uint64_t retire_prior_to = 0) {
  return {path, sequence, retire_prior_to, id_of(id), token_of(id)};
}

class PeerCidsTest : public ::testing::Test {
 protected:
  PeerCidsTest() {
    cids_.set_handshake_cid(id_of(250));
    cids_.enable_multipath();
  }
  void issue(PathId path, std::uint64_t sequence, std::uint8_t id, std::uint64_t retire_prior_to = 0) {
    ASSERT_TRUE(cids_.on_new_connection_id(frame_of(path, sequence, id, retire_prior_to)));
  }
  std::uint64_t error_of(const NewConnectionIdFrame& frame) {
    const auto result = cids_.on_new_connection_id(frame);
    return result ? error::kNoError : result.error().code;
  }
  std::vector<RetireConnectionIdFrame> retirements() { return write_packet(cids_).all<RetireConnectionIdFrame>(); }

  PeerCids cids_{kLimit};
};

TEST_F(PeerCidsTest, HandshakeConnectionIdFollowsTheServersChoice) {  // RFC 9000 §7.2
  cids_.set_handshake_cid(id_of(251));
  ASSERT_NE(cids_.current(kInitialPath), nullptr);
  EXPECT_EQ(*cids_.current(kInitialPath), id_of(251));
  EXPECT_EQ(cids_.next_expected(kInitialPath), 1U);
}

TEST_F(PeerCidsTest, NewPathUsesAFreshConnectionIdOfItsOwnPathId) {  // digest 19, 20
  EXPECT_FALSE(cids_.has_unused(kPath1));
  EXPECT_FALSE(cids_.open(kPath1)) << "digest 18: without connection IDs no path";
  issue(kPath1, 0, 1);
  ASSERT_TRUE(cids_.has_unused(kPath1));
  ASSERT_TRUE(cids_.open(kPath1));
  EXPECT_EQ(*cids_.current(kPath1), id_of(1));
  EXPECT_EQ(*cids_.current(kInitialPath), id_of(250));
  EXPECT_FALSE(cids_.has_unused(kPath1));
}

TEST_F(PeerCidsTest, FramesWithoutPathBelongToPathZero) {  // digest 31
  ASSERT_TRUE(cids_.on_new_connection_id({std::nullopt, 1, 0, id_of(1), token_of(1)}));
  EXPECT_TRUE(cids_.has_unused(kInitialPath));
  EXPECT_EQ(cids_.next_expected(kInitialPath), 2U);
}

TEST_F(PeerCidsTest, RepeatedFrameIsIdempotent) {  // RFC 9000 §19.15
  issue(kPath1, 0, 1);
  issue(kPath1, 0, 1);
  ASSERT_TRUE(cids_.open(kPath1));
  EXPECT_FALSE(cids_.has_unused(kPath1));
}

TEST_F(PeerCidsTest, ConflictingFramesAreProtocolViolations) {  // RFC 9000 §19.15, draft-21 §4.4
  issue(kPath1, 0, 1);
  EXPECT_EQ(error_of(frame_of(kPath1, 0, 2)), error::kProtocolViolation) << "one sequence, two IDs";
  EXPECT_EQ(error_of(frame_of(kPath1, 1, 1)), error::kProtocolViolation) << "one ID, two sequences";
  EXPECT_EQ(error_of(frame_of(kPath2, 0, 1)), error::kProtocolViolation) << "one ID, two paths";
  NewConnectionIdFrame other_token = frame_of(kPath1, 0, 1);
  other_token.reset_token = token_of(99);
  EXPECT_EQ(error_of(other_token), error::kProtocolViolation);
}

TEST_F(PeerCidsTest, LimitHoldsPerPath) {  // digest 8
  for (std::uint8_t i = 0; i < kLimit; ++i) issue(kPath1, i, static_cast<std::uint8_t>(1 + i));
  issue(kPath2, 0, 50);
  EXPECT_EQ(error_of(frame_of(kPath1, kLimit, 60)), error::kConnectionIdLimitError);
}

TEST_F(PeerCidsTest, RetirePriorToMakesRoomWithinTheSameFrame) {  // RFC 9000 §5.1.1
  for (std::uint8_t i = 0; i < kLimit; ++i) issue(kPath1, i, static_cast<std::uint8_t>(1 + i));
  EXPECT_EQ(error_of(frame_of(kPath1, kLimit, 60, 1)), error::kNoError);
}

TEST_F(PeerCidsTest, RetirePriorToAffectsOnlyItsPath) {  // digest 55
  issue(kPath1, 0, 1);
  issue(kPath2, 0, 2);
  ASSERT_TRUE(cids_.open(kPath1));
  ASSERT_TRUE(cids_.open(kPath2));
  issue(kPath1, 1, 3, 1);
  EXPECT_EQ(*cids_.current(kPath1), id_of(3)) << "replaced at once";
  EXPECT_EQ(*cids_.current(kPath2), id_of(2));
  EXPECT_EQ(*cids_.current(kInitialPath), id_of(250));
  const auto retired = retirements();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired.front().path, kPath1);
  EXPECT_EQ(retired.front().sequence, 0U);
}

TEST_F(PeerCidsTest, ConnectionIdBelowAnEarlierRetirePriorToIsRetiredOnArrival) {  // RFC 9000 §19.15
  issue(kPath1, 5, 5, 5);
  issue(kPath1, 2, 2);
  EXPECT_EQ(cids_.find(kPath1, 2), nullptr);
  const auto retired = retirements();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired.front().sequence, 2U);
  issue(kPath1, 2, 2);
  EXPECT_TRUE(retirements().empty()) << "once";
}

TEST_F(PeerCidsTest, RotationStaysWithinThePathAndRetiresTheOldOne) {  // digest 36
  issue(kPath1, 0, 1);
  issue(kPath1, 1, 2);
  issue(kPath2, 0, 3);
  ASSERT_TRUE(cids_.open(kPath1));
  ASSERT_TRUE(cids_.rotate(kPath1));
  EXPECT_EQ(*cids_.current(kPath1), id_of(2));
  EXPECT_FALSE(cids_.rotate(kPath1)) << "another path's spare does not count";
  EXPECT_EQ(*cids_.current(kPath1), id_of(2));
  const auto retired = retirements();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired.front().path, kPath1);
}

TEST_F(PeerCidsTest, ProbedTupleTakesItsOwnAndThePathMovesToIt) {  // RFC 9000 §9.5, digest 29
  issue(kPath1, 0, 1);
  issue(kPath1, 1, 2);
  ASSERT_TRUE(cids_.open(kPath1));
  const auto taken = cids_.take(kPath1);
  ASSERT_TRUE(taken);
  EXPECT_EQ(*cids_.find(kPath1, *taken), id_of(2));
  EXPECT_EQ(*cids_.current(kPath1), id_of(1)) << "until the path moves";
  EXPECT_FALSE(cids_.take(kPath1));
  cids_.make_current(kPath1, *taken);
  EXPECT_EQ(*cids_.current(kPath1), id_of(2));
  EXPECT_EQ(cids_.find(kPath1, 0), nullptr);
}

TEST_F(PeerCidsTest, UnusedProbeGoesBack) {
  issue(kPath1, 0, 1);
  issue(kPath1, 1, 2);
  ASSERT_TRUE(cids_.open(kPath1));
  const auto taken = cids_.take(kPath1);
  cids_.retire(kPath1, *taken);
  EXPECT_EQ(cids_.find(kPath1, *taken), nullptr);
  cids_.retire(kPath1, 0);
  EXPECT_EQ(*cids_.current(kPath1), id_of(1)) << "the current one stays";
}

TEST_F(PeerCidsTest, RetireIsRepeatedWhenLost) {
  issue(kInitialPath, 1, 1, 1);
  const Packet packet = write_packet(cids_);
  ASSERT_EQ(packet.tokens.size(), 1U);
  const auto token = std::get<RetireConnectionIdToken>(packet.tokens.front());
  cids_.on_lost(token);
  EXPECT_EQ(cids_.interest(), Interest::lost_data);
  EXPECT_EQ(retirements().size(), 1U);
  cids_.on_acked(token);
  cids_.on_lost(token);
  EXPECT_EQ(cids_.interest(), Interest::none);
}

TEST_F(PeerCidsTest, SinglePathWritesPlainRetirements) {
  PeerCids single(kLimit);
  single.set_handshake_cid(id_of(250));
  ASSERT_TRUE(single.on_new_connection_id({std::nullopt, 1, 1, id_of(1), token_of(1)}));
  const auto retired = write_packet(single).all<RetireConnectionIdFrame>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_FALSE(retired.front().path);
}

TEST_F(PeerCidsTest, UnacknowledgedRetirementsAreBounded) {  // RFC 9000 §5.1.2
  std::uint64_t code = error::kNoError;
  std::uint64_t sent = 0;
  for (std::uint8_t i = 1; i < 200 && code == error::kNoError; ++i, ++sent) code = error_of(frame_of(kPath1, i, i, i));
  EXPECT_EQ(code, error::kConnectionIdLimitError);
  EXPECT_GE(sent, 2 * kLimit) << "at least twice the limit must be tolerated";
  EXPECT_LE(sent, 4 * kLimit);
}

TEST_F(PeerCidsTest, AcknowledgedRetirementsMakeRoomForMore) {
  for (std::uint8_t i = 1; i < 200; ++i) {
    issue(kPath1, i, i, i);
    for (const DeliveryToken& token : write_packet(cids_).tokens) {
      cids_.on_acked(std::get<RetireConnectionIdToken>(token));
    }
  }
}

TEST_F(PeerCidsTest, SequenceGapsDoNotGrowState) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::uint64_t sequence = 3 * i;
    issue(kPath1, sequence, static_cast<std::uint8_t>(1 + i));
    const auto taken = cids_.take(kPath1);
    ASSERT_TRUE(taken) << i;
    cids_.retire(kPath1, *taken);
    for (const DeliveryToken& token : write_packet(cids_).tokens) {
      cids_.on_acked(std::get<RetireConnectionIdToken>(token));
    }
  }
  EXPECT_EQ(cids_.next_expected(kPath1), 298U);
}

TEST_F(PeerCidsTest, ResetTokenMatchesOnlyUsedConnectionIds) {  // RFC 9000 §10.3.1
  issue(kPath1, 0, 1);
  EXPECT_FALSE(cids_.matches_reset_token(token_of(1))) << "not used yet";
  ASSERT_TRUE(cids_.open(kPath1));
  EXPECT_TRUE(cids_.matches_reset_token(token_of(1)));
  EXPECT_FALSE(cids_.matches_reset_token(token_of(2)));
  EXPECT_FALSE(cids_.matches_reset_token(Bytes(token_of(1)).first(15)));
}

TEST_F(PeerCidsTest, ServersResetTokenCoversTheHandshakeConnectionId) {
  EXPECT_FALSE(cids_.matches_reset_token(token_of(7)));
  cids_.set_handshake_reset_token(token_of(7));
  EXPECT_TRUE(cids_.matches_reset_token(token_of(7)));
}

TEST_F(PeerCidsTest, AbandonedPathDropsEverythingWithoutFrames) {  // digest 44, draft-21 §3.4
  issue(kPath1, 0, 1);
  issue(kPath1, 1, 2);
  ASSERT_TRUE(cids_.open(kPath1));
  ASSERT_TRUE(cids_.rotate(kPath1));
  cids_.abandon(kPath1);
  EXPECT_EQ(cids_.current(kPath1), nullptr);
  EXPECT_FALSE(cids_.matches_reset_token(token_of(1)));
  EXPECT_FALSE(cids_.matches_reset_token(token_of(2)));
  EXPECT_EQ(cids_.interest(), Interest::none);
}

TEST_F(PeerCidsTest, TellsWhichResetTokensAreInUse) {  // RFC 9000 §10.3.1: neither unused ones nor retired ones
  const auto changes = [this] {
    std::vector<std::pair<bool, StatelessResetToken>> out;
    while (const auto event = cids_.poll_reset_token_event()) out.emplace_back(event->in_use, event->token);
    return out;
  };
  using Changes = std::vector<std::pair<bool, StatelessResetToken>>;
  cids_.set_handshake_reset_token(token_of(9));
  EXPECT_EQ(changes(), (Changes{{true, token_of(9)}}));
  ASSERT_TRUE(cids_.on_preferred_address(id_of(1), token_of(1)));
  EXPECT_TRUE(changes().empty()) << "not used yet";
  ASSERT_TRUE(cids_.rotate(kInitialPath));
  EXPECT_EQ(changes(), (Changes{{true, token_of(1)}, {false, token_of(9)}}));
  cids_.forget();
  EXPECT_EQ(changes(), (Changes{{false, token_of(1)}}));
}

TEST_F(PeerCidsTest, PreferredAddressIsSequenceOneOfPathZero) {  // digest 10
  ASSERT_TRUE(cids_.on_preferred_address(id_of(1), token_of(1)));
  EXPECT_EQ(*cids_.find(kInitialPath, 1), id_of(1));
}

TEST_F(PeerCidsTest, PeerWithoutConnectionIdsMayNotIssueAny) {  // RFC 9000 §19.15
  PeerCids cids(kLimit);
  cids.set_handshake_cid(ConnectionId());
  ASSERT_NE(cids.current(kInitialPath), nullptr);
  EXPECT_TRUE(cids.current(kInitialPath)->empty());
  const auto result = cids.on_new_connection_id({std::nullopt, 1, 0, id_of(1), token_of(1)});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, error::kProtocolViolation);
}

TEST_F(PeerCidsTest, MissingConnectionIdsAreReportedOncePerSequence) {  // draft-21 §4.7
  cids_.report_blocked(kPath1);
  Packet packet = write_packet(cids_);
  auto frames = packet.all<PathCidsBlockedFrame>();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames.front().path, 1U);
  EXPECT_EQ(frames.front().next_sequence, 0U);
  const auto token = std::get<PathCidsBlockedToken>(packet.tokens.front());
  cids_.on_lost(token);
  EXPECT_EQ(write_packet(cids_).frames.size(), 1U) << "still blocked";
  cids_.on_acked(token);
  cids_.report_blocked(kPath1);
  EXPECT_EQ(cids_.interest(), Interest::none) << "not repeated once acknowledged";
  issue(kPath1, 0, 1);
  ASSERT_TRUE(cids_.open(kPath1));
  cids_.report_blocked(kPath1);
  EXPECT_EQ(write_packet(cids_).all<PathCidsBlockedFrame>().front().next_sequence, 1U);
}

TEST_F(PeerCidsTest, PathLeftWithoutConnectionIdRecoversWithTheNextOne) {
  issue(kPath1, 0, 1);
  issue(kPath1, 1, 2);
  ASSERT_TRUE(cids_.open(kPath1));
  const auto taken = cids_.take(kPath1);
  cids_.retire(kPath1, *taken);
  issue(kPath1, 1, 2, 1);  // repeats a retired one, and retires the last
  EXPECT_EQ(cids_.current(kPath1), nullptr);
  issue(kPath1, 2, 3, 1);
  ASSERT_NE(cids_.current(kPath1), nullptr);
  EXPECT_EQ(*cids_.current(kPath1), id_of(3));
}

}  // namespace
}  // namespace mpquic
