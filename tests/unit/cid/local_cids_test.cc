#include "stack/cid/local_cids.h"

#include <gtest/gtest.h>

#include "tests/unit/cid/cid_fixture.h"

namespace mpquic {
namespace {

using namespace cid_test;

const ConnectionId kOther = id_of(0xfe);

class LocalCidsTest : public ::testing::Test {
 protected:
  LocalCidsTest() { cids_.register_handshake_cid(id_of(200)); }

  RetireConnectionIdFrame retire(PathId path, std::uint64_t sequence) { return {path, sequence}; }
  std::vector<NewConnectionIdFrame> issued_on(PathId path) {
    std::vector<NewConnectionIdFrame> found;
    for (const auto& frame : write_packet(cids_, 8000).all<NewConnectionIdFrame>()) {
      if (frame.path.value_or(kInitialPath) == path) found.push_back(frame);
    }
    return found;
  }
  std::vector<LocalCidEvent> events() {
    std::vector<LocalCidEvent> found;
    while (auto event = cids_.poll_event()) found.push_back(*event);
    return found;
  }

  std::uint8_t next_ = 1;
  LocalCids cids_{[this] {
    const std::uint8_t value = next_++;
    return GeneratedCid{id_of(value), token_of(value)};
  }};
};

TEST_F(LocalCidsTest, IssuesNothingBeforeThePeersLimitIsKnown) {
  cids_.set_path_limit(kPath2);
  EXPECT_EQ(cids_.interest(), Interest::none);
  EXPECT_FALSE(cids_.poll_event());
}

TEST_F(LocalCidsTest, HandshakeConnectionIdIsSequenceZeroOfPathZero) {  // RFC 9000 §5.1.1, digest 32
  const auto route = cids_.find(id_of(200));
  ASSERT_TRUE(route);
  EXPECT_EQ(route->path, kInitialPath);
  EXPECT_EQ(route->sequence, 0U);
  EXPECT_FALSE(cids_.poll_event()) << "the endpoint made it";
}

TEST_F(LocalCidsTest, SinglePathUsesNewConnectionIdFrames) {
  cids_.set_peer_limit(8);
  const Packet packet = write_packet(cids_);
  ASSERT_EQ(packet.frames.size(), 2U);
  for (const auto& frame : packet.all<NewConnectionIdFrame>()) EXPECT_FALSE(frame.path);
  EXPECT_EQ(packet.all<NewConnectionIdFrame>().front().sequence, 1U);
}

TEST_F(LocalCidsTest, EveryUnusedPathIdGetsOneConnectionIdWithoutGaps) {  // digest 33
  cids_.set_peer_limit(8);
  cids_.set_path_limit(PathId{5});
  const Packet packet = write_packet(cids_, 8000);
  std::vector<std::uint32_t> paths;
  for (const auto& frame : packet.all<NewConnectionIdFrame>()) paths.push_back(frame.path->value());
  EXPECT_EQ(paths, (std::vector<std::uint32_t>{0, 0, 1, 2, 3, 4, 5})) << "lowest IDs first";
}

TEST_F(LocalCidsTest, FirstConnectionIdOfEachPathHasSequenceZero) {  // digest 32
  cids_.set_peer_limit(4);
  cids_.set_path_limit(kPath2);
  const Packet packet = write_packet(cids_);
  for (const auto& frame : packet.all<NewConnectionIdFrame>()) {
    if (*frame.path != kInitialPath) {
      EXPECT_EQ(frame.sequence, 0U);
    }
  }
}

TEST_F(LocalCidsTest, NothingIsIssuedAboveTheUsableLimit) {  // digest 34
  cids_.set_peer_limit(4);
  cids_.set_path_limit(kPath1);
  EXPECT_TRUE(issued_on(kPath2).empty());
  EXPECT_FALSE(cids_.has_issued(kPath2));
  cids_.set_path_limit(kPath2);
  EXPECT_EQ(issued_on(kPath2).size(), 1U);
  EXPECT_TRUE(cids_.has_issued(kPath2));
}

TEST_F(LocalCidsTest, ActiveConnectionIdLimitHoldsPerPath) {  // digest 8
  cids_.set_peer_limit(2);
  cids_.set_path_limit(kPath1);
  cids_.open(kPath1);
  EXPECT_EQ(cids_.active_count(kInitialPath), 2U);
  EXPECT_EQ(cids_.active_count(kPath1), 2U);
}

TEST_F(LocalCidsTest, OpenPathGetsSpares) {
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  EXPECT_EQ(cids_.active_count(kPath1), 1U);
  cids_.open(kPath1);
  EXPECT_EQ(cids_.active_count(kPath1), LocalCids::kCidsOpenPath);
}

TEST_F(LocalCidsTest, RetiredConnectionIdIsReplacedWhileThePathIsOpen) {  // digest 37
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  cids_.open(kPath1);
  static_cast<void>(write_packet(cids_));
  static_cast<void>(events());
  ASSERT_TRUE(cids_.on_retire(retire(kPath1, 0), kOther));
  EXPECT_EQ(cids_.active_count(kPath1), LocalCids::kCidsOpenPath);
  const auto changes = events();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].kind, LocalCidEvent::Kind::forgotten);
  EXPECT_EQ(changes[0].route.sequence, 0U);
  EXPECT_EQ(changes[1].kind, LocalCidEvent::Kind::issued);
  EXPECT_EQ(changes[1].route.sequence, 3U);
}

TEST_F(LocalCidsTest, RetiringAnUnissuedSequenceIsAProtocolViolation) {  // RFC 9000 §19.16
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  const auto result = cids_.on_retire(retire(kPath1, 1), kOther);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, error::kProtocolViolation);
  EXPECT_EQ(result.error().frame_type, frame_type::kPathRetireConnectionId);
}

TEST_F(LocalCidsTest, RetiringAReplacementThatWasNotSentYetIsAProtocolViolation) {  // RFC 9000 §19.16
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  cids_.open(kPath1);
  static_cast<void>(write_packet(cids_));
  ASSERT_TRUE(cids_.on_retire(retire(kPath1, 2), kOther));
  const auto result = cids_.on_retire(retire(kPath1, 3), kOther);
  ASSERT_FALSE(result) << "one packet of retirements must not beget replacements without end";
  EXPECT_EQ(result.error().code, error::kProtocolViolation);
  EXPECT_TRUE(cids_.on_retire(retire(kPath1, 2), kOther)) << "retired before: a late frame";
  static_cast<void>(write_packet(cids_));
  EXPECT_TRUE(cids_.on_retire(retire(kPath1, 3), kOther));
}

TEST_F(LocalCidsTest, RetiringThePacketsOwnConnectionIdIsAProtocolViolation) {  // RFC 9000 §19.16
  cids_.set_peer_limit(8);
  const auto result = cids_.on_retire({std::nullopt, 0}, id_of(200));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, error::kProtocolViolation);
}

TEST_F(LocalCidsTest, RetiringTwiceIsHarmless) {
  cids_.set_peer_limit(8);
  ASSERT_TRUE(cids_.on_retire({std::nullopt, 0}, kOther));
  const std::size_t count = cids_.active_count(kInitialPath);
  ASSERT_TRUE(cids_.on_retire({std::nullopt, 0}, kOther));
  EXPECT_EQ(cids_.active_count(kInitialPath), count);
}

TEST_F(LocalCidsTest, PlainRetireAffectsOnlyPathZero) {  // digest 31
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  ASSERT_TRUE(cids_.on_retire({std::nullopt, 0}, kOther));
  EXPECT_FALSE(cids_.find(id_of(200)));
  EXPECT_EQ(cids_.active_count(kPath1), 1U);
}

TEST_F(LocalCidsTest, LostFrameIsRepeatedWithTheSameSequence) {  // digest §4: retransmit with the same seq
  cids_.set_peer_limit(2);
  const Packet first = write_packet(cids_);
  ASSERT_EQ(first.tokens.size(), 1U);
  EXPECT_EQ(cids_.interest(), Interest::none);
  const auto token = std::get<NewConnectionIdToken>(first.tokens.front());
  cids_.on_lost(token);
  EXPECT_EQ(cids_.interest(), Interest::lost_data);
  const Packet second = write_packet(cids_);
  ASSERT_EQ(second.frames.size(), 1U);
  EXPECT_EQ(second.all<NewConnectionIdFrame>().front().id, first.all<NewConnectionIdFrame>().front().id);
  EXPECT_EQ(second.all<NewConnectionIdFrame>().front().sequence, 1U);
}

TEST_F(LocalCidsTest, AcknowledgedFrameIsNotRepeatedWhenAnotherCopyIsLost) {
  cids_.set_peer_limit(2);
  const auto token = std::get<NewConnectionIdToken>(write_packet(cids_).tokens.front());
  cids_.on_acked(token);
  cids_.on_lost(token);
  EXPECT_EQ(cids_.interest(), Interest::none);
}

TEST_F(LocalCidsTest, LossOfARetiredConnectionIdIsForgotten) {
  cids_.set_peer_limit(2);
  const auto token = std::get<NewConnectionIdToken>(write_packet(cids_).tokens.front());
  ASSERT_TRUE(cids_.on_retire({std::nullopt, 1}, kOther));
  static_cast<void>(write_packet(cids_));
  cids_.on_lost(token);
  EXPECT_EQ(cids_.interest(), Interest::none);
}

TEST_F(LocalCidsTest, AbandonedPathKeepsItsConnectionIdsUntilForgotten) {  // digest 40
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  const ConnectionId id = issued_on(kPath1).front().id;
  cids_.abandon(kPath1);
  EXPECT_TRUE(cids_.find(id)) << "late packets are ours, not a reason for a stateless reset";
  static_cast<void>(events());
  cids_.forget(kPath1);
  EXPECT_FALSE(cids_.find(id));
  const auto changes = events();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes.front().kind, LocalCidEvent::Kind::forgotten);
  EXPECT_EQ(changes.front().id, id);
}

TEST_F(LocalCidsTest, AbandonedPathGetsNoReplacementsAndNoRepeats) {  // digest 37, 38
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  const Packet packet = write_packet(cids_);
  cids_.abandon(kPath1);
  for (const DeliveryToken& token : packet.tokens) {
    if (std::get<NewConnectionIdToken>(token).path == kPath1) cids_.on_lost(std::get<NewConnectionIdToken>(token));
  }
  EXPECT_EQ(cids_.interest(), Interest::none);
  ASSERT_TRUE(cids_.on_retire(retire(kPath1, 0), kOther));
  EXPECT_EQ(cids_.active_count(kPath1), 0U);
}

TEST_F(LocalCidsTest, PathIdAbandonedBeforeItsTurnIsNeverSupplied) {  // digest 41, 42
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  cids_.abandon(PathId{3});
  cids_.forget(PathId{3});
  cids_.set_path_limit(PathId{4});
  EXPECT_EQ(cids_.active_count(PathId{3}), 0U);
  EXPECT_EQ(cids_.active_count(PathId{4}), 1U);
  cids_.open(PathId{3});
  EXPECT_EQ(cids_.active_count(PathId{3}), 0U);
}

TEST_F(LocalCidsTest, LateRetireOfAForgottenPathIsIgnored) {  // digest 48
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  cids_.abandon(kPath1);
  cids_.forget(kPath1);
  EXPECT_TRUE(cids_.on_retire(retire(kPath1, 0), kOther));
}

TEST_F(LocalCidsTest, PathCidsBlockedMayExpectTheNextSequenceButNotMore) {  // digest 59
  cids_.set_peer_limit(8);
  cids_.set_path_limit(kPath1);
  EXPECT_TRUE(cids_.on_cids_blocked({1, 0}));
  EXPECT_TRUE(cids_.on_cids_blocked({1, 1})) << "equality is fine";
  const auto result = cids_.on_cids_blocked({1, 2});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, error::kProtocolViolation);
}

TEST_F(LocalCidsTest, SuppliesABoundedNumberOfUnusedPaths) {
  cids_.set_peer_limit(8);
  cids_.set_path_limit(PathId{0xffffffff});
  EXPECT_TRUE(cids_.active_count(PathId{LocalCids::kMaxUnusedPaths}));
  EXPECT_FALSE(cids_.active_count(PathId{LocalCids::kMaxUnusedPaths + 1}));
  cids_.open(kPath1);
  EXPECT_TRUE(cids_.active_count(PathId{LocalCids::kMaxUnusedPaths + 1})) << "one used, one more supplied";
}

TEST(LocalCidsZeroLength, IssuesNothing) {  // RFC 9000 §5.1.1
  LocalCids cids([] { return GeneratedCid{id_of(1), {}}; });
  cids.register_handshake_cid(ConnectionId());
  cids.set_peer_limit(8);
  EXPECT_EQ(cids.interest(), Interest::none);
}

TEST(LocalCidsPreferredAddress, TakesSequenceOneOfPathZero) {  // digest 10
  std::uint8_t next = 1;
  LocalCids cids([&next] {
    const std::uint8_t value = next++;
    return GeneratedCid{id_of(value), {}};
  });
  cids.register_handshake_cid(id_of(200));
  cids.register_preferred_address_cid(GeneratedCid{id_of(201), token_of(1)});
  const auto routed = cids.poll_event();
  ASSERT_TRUE(routed);
  EXPECT_EQ(routed->kind, LocalCidEvent::Kind::issued);
  EXPECT_EQ(routed->id, id_of(201));
  cids.set_peer_limit(4);
  ASSERT_TRUE(cids.find(id_of(201)));
  EXPECT_EQ(cids.find(id_of(201))->sequence, 1U);
  EXPECT_EQ(cids.find(id_of(201))->path, kInitialPath);
  EXPECT_EQ(write_packet(cids).all<NewConnectionIdFrame>().front().sequence, 2U);
}

}  // namespace
}  // namespace mpquic
