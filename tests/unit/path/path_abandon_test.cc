// The end of a path (draft-21 §3.4, §4.2; lesson 12).
#include <gtest/gtest.h>

#include "tests/unit/path/manager_fixture.h"

namespace mpquic {
namespace {

using namespace path_test;
using Kind = PathEvent::Kind;

constexpr PathId kPath1{1};

class AbandonTest : public ClientPaths {
 protected:
  AbandonTest() {
    validate(open(2));
    static_cast<void>(events());
  }
  PathAbandonToken written_abandon() {
    const auto tokens = write().tokens_of<PathAbandonToken>();
    EXPECT_EQ(tokens.size(), 1U);
    return tokens.empty() ? PathAbandonToken{} : tokens.front();
  }
  /// Runs timers until the path's state is gone.
  void run_until_closed(PathId id) {
    for (int i = 0; i < 10 && manager_.find(id) != nullptr; ++i) {
      ASSERT_TRUE(manager_.next_deadline());
      fire(*manager_.next_deadline());
    }
    EXPECT_EQ(manager_.find(id), nullptr);
  }
};

TEST_F(AbandonTest, FrameTravelsOnAnotherPath) {  // digest 26, 38
  manager_.abandon(kPath1, error::kApplicationAbandonPath, "test", kStart);
  EXPECT_EQ(kinds(), (std::vector{Kind::abandoned}));
  EXPECT_TRUE(write(kPath1).frames.empty());
  EXPECT_EQ(manager_.interest(), Interest::forced);
  const auto frames = write(kInitialPath).all<PathAbandonFrame>();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames.front().path, 1U);
  EXPECT_EQ(frames.front().error, error::kApplicationAbandonPath);
  EXPECT_EQ(manager_.interest(), Interest::none);
}

TEST_F(AbandonTest, AbandonedPathIsNoLongerOffered) {  // digest 38
  manager_.abandon(kPath1, 0, "", kStart);
  EXPECT_EQ(views().size(), 1U);
  EXPECT_EQ(manager_.open_count(), 1U);
}

TEST_F(AbandonTest, LostAbandonIsRepeated) {  // digest 50
  manager_.abandon(kPath1, 0, "", kStart);
  const PathAbandonToken token = written_abandon();
  manager_.on_lost(token);
  EXPECT_EQ(manager_.interest(), Interest::lost_data);
  EXPECT_EQ(write().all<PathAbandonFrame>().size(), 1U);
  manager_.on_acked(token, kStart);
  manager_.on_lost(token);
  EXPECT_EQ(manager_.interest(), Interest::none);
}

TEST_F(AbandonTest, PeersAbandonIsAnsweredOnce) {  // digest 39
  ASSERT_TRUE(manager_.on_path_abandon({1, error::kPathUnstableOrPoor}, kStart));
  const auto seen = events();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_TRUE(seen.front().by_peer);
  EXPECT_EQ(seen.front().error, error::kPathUnstableOrPoor);
  EXPECT_FALSE(manager_.find(kPath1)->is_open());
  EXPECT_EQ(write().all<PathAbandonFrame>().size(), 1U);
  ASSERT_TRUE(manager_.on_path_abandon({1, 0}, kStart));
  EXPECT_TRUE(write().all<PathAbandonFrame>().empty());
  EXPECT_TRUE(events().empty());
}

TEST_F(AbandonTest, AnswerToOurOwnAbandonIsNotAnsweredAgain) {  // digest 39
  manager_.abandon(kPath1, 0, "", kStart);
  static_cast<void>(written_abandon());
  ASSERT_TRUE(manager_.on_path_abandon({1, 0}, kStart));
  EXPECT_EQ(manager_.interest(), Interest::none);
}

TEST_F(AbandonTest, StateStaysThreePtoAfterThePeersFrame) {  // digest 40
  const Duration pto = manager_.find(kPath1)->pto();
  ASSERT_TRUE(manager_.on_path_abandon({1, 0}, kStart));
  static_cast<void>(events());
  fire(kStart + 3 * pto - milliseconds(1));
  ASSERT_NE(manager_.find(kPath1), nullptr) << "late packets can still be received and acknowledged";
  EXPECT_EQ(code_of(manager_.admit(1, frame_type::kPathAck)), error::kNoError);
  fire(kStart + 3 * pto);
  EXPECT_EQ(manager_.find(kPath1), nullptr);
  EXPECT_EQ(kinds(), (std::vector{Kind::closed})) << "now our connection IDs may be forgotten";
}

TEST_F(AbandonTest, StateIsKeptWhileThePeerDoesNotKnow) {  // no stateless reset for packets that it may still send
  manager_.abandon(kPath1, 0, "", kStart);
  const PathAbandonToken token = written_abandon();
  fire(kStart + seconds(60));
  ASSERT_NE(manager_.find(kPath1), nullptr);
  manager_.on_acked(token, kStart + seconds(60));
  run_until_closed(kPath1);
}

TEST_F(AbandonTest, UnacknowledgedDataComesBackBeforeTheStateIsDeleted) {  // digest 45, lesson 12
  Path& path = *manager_.find(kPath1);
  for (int i = 0; i < 4; ++i) send(path, kStart);
  ASSERT_TRUE(manager_.on_path_abandon({1, 0}, kStart));
  std::size_t lost = 0;
  for (int i = 0; i < 10 && manager_.find(kPath1) != nullptr; ++i) lost += fire(*manager_.next_deadline()).size();
  EXPECT_EQ(manager_.find(kPath1), nullptr);
  EXPECT_EQ(lost, 4U) << "each token once, none forgotten";
}

TEST_F(AbandonTest, DeadlinesNeverLoseTokensWhateverTheirOrder) {  // lesson 12: abandon and PTO interleaved
  for (int pto_before = 0; pto_before < 3; ++pto_before) {
    Path& path = open(static_cast<std::uint8_t>(10 + pto_before));
    const PathId id = path.id();
    validate(path);
    std::size_t sent = 3;
    for (int i = 0; i < 3; ++i) send(path, kStart);
    Instant now = kStart;
    for (int i = 0; i < pto_before; ++i) {
      now = *path.next_deadline();
      fire(now);
      send(path, now);
      ++sent;
    }
    manager_.abandon(id, 0, "", now);
    std::size_t lost = fire(now).size();
    manager_.on_acked(written_abandon(), now);
    for (int i = 0; i < 10 && manager_.find(id) != nullptr; ++i) lost += fire(*manager_.next_deadline()).size();
    EXPECT_EQ(lost, sent) << pto_before;
  }
}

TEST_F(AbandonTest, PathIdIsNeverReused) {  // digest 41
  manager_.abandon(kPath1, 0, "", kStart);
  EXPECT_EQ(open(3).id(), PathId{2});
  manager_.on_acked(written_abandon(), kStart);
  run_until_closed(kPath1);
  EXPECT_EQ(open(4).id(), PathId{3});
}

TEST_F(AbandonTest, UnusedIdMayBeAbandonedByThePeer) {  // digest 42
  ASSERT_TRUE(manager_.on_path_abandon({2, 0}, kStart));
  EXPECT_EQ(write().all<PathAbandonFrame>().size(), 1U) << "and is answered";
  EXPECT_EQ(open(3).id(), PathId{3}) << "the ID is used up";
}

TEST_F(AbandonTest, UnusedIdMayBeAbandonedByUs) {  // digest 42
  manager_.abandon(PathId{2}, 0, "", kStart);
  EXPECT_EQ(kinds(), (std::vector{Kind::abandoned}));
  manager_.abandon(PathId{kPeerLimit + 1}, 0, "", kStart);
  EXPECT_TRUE(events().empty()) << "not above the peer's limit";
}

TEST_F(AbandonTest, EveryFrameForAnAbandonedPathIsIgnored) {  // digest 48
  ASSERT_TRUE(manager_.on_path_abandon({1, 0}, kStart));
  for (const std::uint64_t type : kPathFrames) {
    const auto admission = manager_.admit(1, type);
    ASSERT_TRUE(admission) << std::hex << type;
    const bool is_ack = type == frame_type::kPathAck || type == frame_type::kPathAck + 1;
    const auto expected = is_ack ? PathManager::Admission::process : PathManager::Admission::ignore;
    EXPECT_EQ(*admission, expected) << std::hex << type;
  }
  manager_.on_acked(written_abandon(), kStart);
  run_until_closed(kPath1);
  for (const std::uint64_t type : kPathFrames) {
    const auto admission = manager_.admit(1, type);
    ASSERT_TRUE(admission) << std::hex << type;
    EXPECT_EQ(*admission, PathManager::Admission::ignore) << std::hex << type;
  }
  EXPECT_TRUE(manager_.on_path_abandon({1, 0}, kStart));
  EXPECT_TRUE(manager_.on_path_status({1, 0, false}));
}

TEST_F(AbandonTest, LastPathAbandonedIsReported) {  // digest 43
  manager_.abandon(kPath1, 0, "", kStart);
  EXPECT_EQ(kinds(), (std::vector{Kind::abandoned}));
  ASSERT_TRUE(manager_.on_path_abandon({0, 0}, kStart));
  EXPECT_EQ(kinds(), (std::vector{Kind::abandoned, Kind::none_left}));
}

TEST_F(AbandonTest, LimitMovesOnWithEveryPathThatIsOver) {  // digest 35, 56; draft-21 §4.6
  manager_.abandon(kPath1, 0, "", kStart);
  manager_.on_acked(written_abandon(), kStart);
  EXPECT_TRUE(write().all<MaxPathIdFrame>().empty());
  run_until_closed(kPath1);
  const Written packet = write();
  ASSERT_EQ(packet.all<MaxPathIdFrame>().size(), 1U);
  EXPECT_EQ(packet.all<MaxPathIdFrame>().front().maximum, kLocalLimit + 1);
  EXPECT_EQ(manager_.local_limit(), PathId{kLocalLimit + 1});
  const auto token = packet.tokens_of<MaxPathIdToken>().front();
  manager_.on_lost(token);
  EXPECT_EQ(write().all<MaxPathIdFrame>().size(), 1U);
}

TEST_F(AbandonTest, SupersededLimitIsNotRepeated) {  // digest 56
  validate(open(3));
  for (const PathId id : {kPath1, PathId{2}}) {
    manager_.abandon(id, 0, "", kStart);
    manager_.on_acked(written_abandon(), kStart);
  }
  run_until_closed(kPath1);
  const auto first = write().tokens_of<MaxPathIdToken>();
  ASSERT_EQ(first.size(), 1U);
  run_until_closed(PathId{2});
  if (first.front().maximum == kLocalLimit + 1) {
    static_cast<void>(write());
  }
  manager_.on_lost(MaxPathIdToken{kLocalLimit + 1});
  EXPECT_EQ(manager_.interest(), Interest::none);
}

TEST_F(AbandonTest, NewLimitIsInForceOnceAnnounced) {  // digest 47
  manager_.abandon(kPath1, 0, "", kStart);
  manager_.on_acked(written_abandon(), kStart);
  run_until_closed(kPath1);
  EXPECT_EQ(code_of(manager_.admit(kLocalLimit + 1, frame_type::kPathStatusBackup)), error::kProtocolViolation);
  static_cast<void>(write());
  EXPECT_EQ(code_of(manager_.admit(kLocalLimit + 1, frame_type::kPathStatusBackup)), error::kNoError);
}

TEST_F(AbandonTest, ManyPathsComeAndGoWithBoundedState) {
  ASSERT_TRUE(manager_.on_max_path_id({1'000'000}));
  for (int round = 0; round < 200; ++round) {
    Path& path = open(static_cast<std::uint8_t>(10 + round % 100));
    const PathId id = path.id();
    validate(path);
    ASSERT_TRUE(manager_.on_path_abandon({id.value(), 0}, kStart));
    for (const auto& token : write().tokens_of<PathAbandonToken>()) manager_.on_acked(token, kStart);
    run_until_closed(id);
    static_cast<void>(write());
    static_cast<void>(events());
  }
  EXPECT_EQ(manager_.open_count(), 2U);
  EXPECT_LE(manager_.closed().size(), PathManager::kMaxClosedRemembered);
  EXPECT_EQ(manager_.local_limit(), PathId{kLocalLimit + 200});
}

TEST_F(AbandonTest, CountersOfAClosedPathAreRemembered) {
  send(*manager_.find(kPath1), kStart);
  ASSERT_TRUE(manager_.on_path_abandon({1, 0}, kStart));
  run_until_closed(kPath1);
  ASSERT_EQ(manager_.closed().size(), 1U);
  EXPECT_EQ(manager_.closed().front().id, kPath1);
  EXPECT_EQ(manager_.closed().front().counters.packets_sent, 1U);
}

TEST_F(AbandonTest, LargestPtoOverAllPaths) {  // digest 15, 16
  Path& slow = *manager_.find(kPath1);
  send(slow, kStart);
  ASSERT_TRUE(slow.on_ack(SpaceId::application, ack_of(0, 0), kStart + seconds(2), out_));
  EXPECT_EQ(manager_.max_pto(), slow.pto());
  EXPECT_GT(manager_.max_pto(), manager_.find(kInitialPath)->pto());
}

}  // namespace
}  // namespace mpquic
