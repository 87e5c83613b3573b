// Opening, accepting, limits and status of paths (draft-21 §3 and §4; digest §4, §5).
#include "stack/path/path_manager.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/path/manager_fixture.h"

namespace mpquic {
namespace {

using namespace path_test;
using Kind = PathEvent::Kind;

// --- Negotiation

TEST_F(ClientPaths, WithoutNegotiationNoMultipathFrameIsWrittenOrTaken) {  // digest 1
  PathManager single(settings_for(Role::client), 8, rng_);
  single.start(tuple_of(1), kStart);
  ASSERT_TRUE(single.request_open(tuple_of(2), kStart));
  single.set_status(kInitialPath, false);
  EXPECT_EQ(single.interest(), Interest::none);
  EXPECT_EQ(code_of(single.on_path_abandon({0, 0}, kStart)), error::kProtocolViolation);
  EXPECT_EQ(code_of(single.on_path_status({0, 0, true})), error::kProtocolViolation);
  EXPECT_EQ(code_of(single.on_max_path_id({5})), error::kProtocolViolation);
  EXPECT_EQ(code_of(single.on_paths_blocked({0})), error::kProtocolViolation);
  const auto event = single.poll_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, Kind::refused);
  EXPECT_EQ(event->reason, "multipath is not negotiated");
}

TEST_F(ClientPaths, LimitZeroEnablesTheExtensionWithoutExtraPaths) {  // digest 4
  PathManager manager(settings_for(Role::client), 8, rng_);
  manager.start(tuple_of(1), kStart);
  manager.enable_multipath(7, 0);
  ASSERT_TRUE(manager.request_open(tuple_of(2), kStart));
  manager.open_pending(kStart, [](PathId) { return true; });
  EXPECT_EQ(manager.open_count(), 1U);
  EXPECT_EQ(code_of(manager.admit(0, frame_type::kPathNewConnectionId)), error::kNoError);
}

// --- Opening, client

TEST_F(ClientPaths, OpensTheLowestUnusedIdAndValidatesIt) {  // digest 19, 21
  Path& path = open(2);
  EXPECT_EQ(path.id(), PathId{1});
  EXPECT_EQ(path.state(), Path::State::validating);
  EXPECT_EQ(open(3).id(), PathId{2});
  EXPECT_EQ(kinds(), (std::vector{Kind::opened, Kind::opened}));
}

TEST_F(ClientPaths, WaitsForConnectionIdsOfBothSides) {  // digest 18, lesson 13
  ASSERT_TRUE(manager_.request_open(tuple_of(2), kStart));
  manager_.open_pending(kStart, [](PathId id) {
    EXPECT_EQ(id, PathId{1});
    return false;
  });
  EXPECT_EQ(manager_.open_count(), 1U);
  EXPECT_TRUE(manager_.has_requests());
  EXPECT_TRUE(kinds().empty());
  manager_.open_pending(kStart, [](PathId) { return true; });
  EXPECT_EQ(manager_.open_count(), 2U);
}

TEST_F(ClientPaths, WaitsForHandshakeConfirmation) {  // digest §5: Open
  manager_.settings().handshake_confirmed = false;
  ASSERT_TRUE(manager_.request_open(tuple_of(2), kStart));
  manager_.open_pending(kStart, [](PathId) { return true; });
  EXPECT_EQ(manager_.open_count(), 1U);
  EXPECT_FALSE(manager_.next_deadline()) << "patience starts with the confirmation";
  manager_.settings().handshake_confirmed = true;
  manager_.open_pending(kStart, [](PathId) { return true; });
  EXPECT_EQ(manager_.open_count(), 2U);
}

TEST_F(ClientPaths, RequestThatCannotBeGrantedIsRefusedWithAReason) {  // lesson 13: no silent exit
  ASSERT_TRUE(manager_.request_open(tuple_of(2), kStart));
  manager_.open_pending(kStart, [](PathId) { return false; });
  const Deadline deadline = manager_.next_deadline();
  ASSERT_EQ(deadline, kStart + PathManager::kOpenPatience);
  fire(*deadline);
  const auto seen = events();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen.front().kind, Kind::refused);
  EXPECT_EQ(seen.front().error, error::kNoCidAvailableForPath);
  EXPECT_EQ(seen.front().tuple, tuple_of(2));
  EXPECT_EQ(seen.front().id, std::nullopt) << "it never had one";
  EXPECT_FALSE(seen.front().reason.empty());
}

TEST_F(ClientPaths, RequestsAreBounded) {  // lesson 7
  for (std::size_t i = 0; i < PathManager::kMaxPendingOpens; ++i) {
    ASSERT_TRUE(manager_.request_open(tuple_of(2), kStart));
  }
  EXPECT_FALSE(manager_.request_open(tuple_of(2), kStart));
}

TEST_F(ClientPaths, OpenPathsAreBounded) {
  for (std::uint8_t host = 2; host <= kMaxPaths; ++host) open(host);
  static_cast<void>(events());
  ASSERT_TRUE(manager_.request_open(tuple_of(50), kStart));
  manager_.open_pending(kStart, [](PathId) { return true; });
  const auto seen = events();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen.front().kind, Kind::refused);
  EXPECT_EQ(seen.front().error, error::kPathResourceLimitReached);
}

TEST_F(ClientPaths, NoNewPathToAnAddressThatForbidsMigration) {  // digest 9
  manager_.forbid_remote(tuple_of(1).remote);
  ASSERT_TRUE(manager_.request_open(tuple_of(2), kStart));
  ASSERT_TRUE(manager_.request_open(tuple_of(2, 1000, 9), kStart));
  manager_.open_pending(kStart, [](PathId) { return true; });
  EXPECT_EQ(kinds(), (std::vector{Kind::refused, Kind::opened})) << "other addresses are allowed at once";
}

TEST_F(ClientPaths, ValidatedTupleIsNotChallengedAgain) {  // digest 21, several paths on one 4-tuple
  Path& path = open(1);
  EXPECT_EQ(path.state(), Path::State::active);
  EXPECT_FALSE(path.next_probe());
}

TEST_F(ClientPaths, OutOfPeerIdsReportsPathsBlockedOnce) {  // digest 35
  for (std::uint8_t host = 2; host < 2 + kPeerLimit; ++host) open(host);
  manager_.abandon(PathId{1}, 0, "", kStart);
  ASSERT_TRUE(manager_.request_open(tuple_of(40), kStart));
  manager_.open_pending(kStart, [](PathId) { return true; });
  EXPECT_TRUE(manager_.has_requests());
  const Written packet = write();
  const auto frames = packet.all<PathsBlockedFrame>();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames.front().maximum, kPeerLimit);
  manager_.on_lost(packet.tokens_of<PathsBlockedToken>().front());
  EXPECT_EQ(write().all<PathsBlockedFrame>().size(), 1U) << "still blocked";
  manager_.on_acked(packet.tokens_of<PathsBlockedToken>().front());
  manager_.open_pending(kStart, [](PathId) { return true; });
  EXPECT_TRUE(write().all<PathsBlockedFrame>().empty()) << "not repeated once acknowledged";
  ASSERT_TRUE(manager_.on_max_path_id({kPeerLimit + 1}));
  manager_.open_pending(kStart, [](PathId) { return true; });
  EXPECT_NE(manager_.find(PathId{kPeerLimit + 1}), nullptr);
}

TEST_F(ClientPaths, FailedValidationAbandonsThePath) {  // digest 27
  open(2);
  static_cast<void>(events());
  for (int i = 0; i < 10 && manager_.find(PathId{1})->is_open(); ++i) {
    static_cast<void>(write_probe(*manager_.find(PathId{1}), kStart));
    ASSERT_TRUE(manager_.next_deadline());
    fire(*manager_.next_deadline());
  }
  const auto seen = events();
  ASSERT_EQ(kinds_of(seen), (std::vector{Kind::abandoned}));
  EXPECT_EQ(seen.front().error, error::kPathUnstableOrPoor);
  const auto frames = write().all<PathAbandonFrame>();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames.front().path, 1U);
}

TEST_F(ClientPaths, ServerNeverOpensNorClientAccepts) {  // digest 17
  EXPECT_EQ(manager_.accept(PathId{1}, tuple_of(1), kStart).error(), DropReason::path_refused);
  PathManager server(settings_for(Role::server), 8, rng_);
  server.start(client_at(1), kStart);
  server.enable_multipath(7, 7);
  ASSERT_TRUE(server.request_open(client_at(2), kStart));
  server.open_pending(kStart, [](PathId) { return true; });
  EXPECT_EQ(server.open_count(), 1U);
  EXPECT_EQ(server.poll_event()->reason, "only clients open paths");
}

// --- Accepting, server

TEST_F(ServerPaths, FirstPacketOpensAPathEvenWithoutChallenge) {  // digest 24, 28
  const PathView before = views().front();
  const auto path = manager_.accept(PathId{3}, client_at(2), kStart);  // any in-limit ID, any order
  ASSERT_TRUE(path);
  EXPECT_EQ((*path)->state(), Path::State::validating);
  EXPECT_EQ(kinds(), (std::vector{Kind::opened}));
  const PathView& after = views().front();
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.congestion_window, before.congestion_window);
  EXPECT_EQ(after.validated, before.validated);
}

TEST_F(ServerPaths, IdAboveTheLimitIsRefused) {
  EXPECT_EQ(manager_.accept(PathId{kLocalLimit + 1}, client_at(2), kStart).error(), DropReason::path_refused);
}

TEST_F(ServerPaths, UnwantedPathIsAbandonedOnAnotherPath) {  // digest 26, 62
  for (std::uint32_t id = 1; id < kMaxPaths; ++id) accept_validated(id);
  static_cast<void>(events());
  EXPECT_EQ(manager_.accept(PathId{kMaxPaths}, client_at(99), kStart).error(), DropReason::path_refused);
  EXPECT_EQ(manager_.find(PathId{kMaxPaths}), nullptr) << "no state for it";
  const auto frames = write().all<PathAbandonFrame>();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames.front().path, kMaxPaths);
  EXPECT_EQ(frames.front().error, error::kPathResourceLimitReached);
  EXPECT_EQ(manager_.accept(PathId{kMaxPaths}, client_at(99), kStart).error(), DropReason::path_abandoned);
}

TEST_F(ServerPaths, ConcurrentValidationsAreBoundedAndTheOthersHaveTheirTurn) {  // draft-21 §7.2, digest 62, lesson 7
  PathManager manager(settings_for(Role::server), PathManager::kMaxOpenPaths, rng_);
  manager.start(client_at(1), kStart).on_address_validated();
  manager.enable_multipath(5000, 5000);
  std::vector<Path*> paths;
  for (std::uint32_t id = 1; id < PathManager::kMaxOpenPaths; ++id) {
    const FourTuple from = client_at(static_cast<std::uint8_t>(id + 1));
    paths.push_back(*manager.accept(PathId{id}, from, kStart));
    EXPECT_FALSE(paths.back()->on_datagram(from, ByteCount{1200}));
    paths.back()->on_path_challenge(from, ChallengeData{}, false, kStart);
    paths.back()->on_packet_from(from, false, true, kStart);  // which does not let it jump the queue
  }
  std::size_t validated = 0;
  for (int round = 0; round < 8; ++round) {
    std::vector<std::pair<Path*, ChallengeData>> challenged;
    for (Path* path : paths) {
      const Written probe = write_probe(*path, kStart);
      EXPECT_EQ(probe.all<PathResponseFrame>().size(), round == 0 ? 1U : 0U) << "every client hears at once";
      for (const PathChallengeFrame& frame : probe.all<PathChallengeFrame>()) challenged.emplace_back(path, frame.data);
    }
    EXPECT_LE(challenged.size(), PathManager::kMaxConcurrentValidations);
    for (const auto& [path, data] : challenged) path->on_path_response(data, kStart);
    validated += challenged.size();
    manager.start_waiting_validations(kStart);
  }
  EXPECT_EQ(validated, paths.size()) << "eight a round trip";
}

TEST_F(ServerPaths, AWaitingPathThatMovesStillWaits) {
  std::vector<Path*> paths;
  PathManager manager(settings_for(Role::server), PathManager::kMaxOpenPaths, rng_);
  manager.start(client_at(1), kStart).on_address_validated();
  manager.enable_multipath(5000, 5000);
  for (std::uint32_t id = 1; id <= PathManager::kMaxConcurrentValidations + 1; ++id)
    paths.push_back(*manager.accept(PathId{id}, client_at(static_cast<std::uint8_t>(id + 1)), kStart));
  Path& last = *paths.back();
  ASSERT_TRUE(last.awaits_validation());
  EXPECT_FALSE(last.on_datagram(client_at(200), ByteCount{1200}));
  last.on_path_challenge(client_at(200), ChallengeData{}, false, kStart);
  last.on_packet_from(client_at(200), false, true, kStart);
  EXPECT_EQ(last.active().addresses, client_at(200));
  EXPECT_TRUE(write_probe(last, kStart).all<PathChallengeFrame>().empty());
  // Those that never answer make room as well.
  for (int i = 0; i < 20 && last.awaits_validation(); ++i) {
    for (Path* path : paths) {
      if (path->is_open()) static_cast<void>(write_probe(*path, kStart));
    }
    const Instant due = *manager.next_deadline();
    AckOutcome out;
    manager.on_deadline(due, out, [](Path&, AckOutcome&) {});
    manager.start_waiting_validations(due);
  }
  EXPECT_FALSE(last.awaits_validation());
  EXPECT_EQ(write_probe(last, kStart).all<PathChallengeFrame>().size(), 1U);
}

TEST_F(ServerPaths, TheLastPathWaitsForItsPeerToBeHeardAgain) {  // RFC 9000 §8.2.4
  Path& path = *manager_.find(kInitialPath);
  EXPECT_FALSE(path.on_datagram(client_at(9), ByteCount{1200}));
  path.on_packet_from(client_at(9), false, true, kStart);
  for (int i = 0; i < 20 && !path.is_unreachable(); ++i) {
    while (path.next_probe()) static_cast<void>(write_probe(path, kStart));
    ASSERT_TRUE(manager_.next_deadline());
    static_cast<void>(fire(*manager_.next_deadline()));
  }
  EXPECT_TRUE(path.is_unreachable());
  EXPECT_TRUE(path.is_open());
  static_cast<void>(accept_validated(1));
  static_cast<void>(fire(kStart + seconds(60)));
  EXPECT_FALSE(path.is_open()) << "no longer the last";
}

// --- Status

TEST_F(ClientPaths, StatusSequencesIncreasePerPath) {  // digest 52, 53
  open(2);
  manager_.set_status(PathId{1}, false);
  manager_.set_status(PathId{1}, true);
  manager_.set_status(kInitialPath, false);
  const auto frames = write().all<PathStatusFrame>();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].path, 0U);
  EXPECT_EQ(frames[0].sequence, 0U);
  EXPECT_FALSE(frames[0].available);
  EXPECT_EQ(frames[1].path, 1U);
  EXPECT_EQ(frames[1].sequence, 1U) << "one sequence for both types";
  EXPECT_TRUE(frames[1].available);
}

TEST_F(ClientPaths, EveryStatusThatIsSentHasAHigherSequenceThanTheOneBefore) {  // digest 53
  open(2);
  for (std::uint64_t i = 0; i < 4; ++i) {
    for (const PathId path : {kInitialPath, PathId{1}}) {
      manager_.set_status(path, i % 2 == 1);
      const auto frames = write().all<PathStatusFrame>();
      ASSERT_EQ(frames.size(), 1U);
      EXPECT_EQ(frames[0].path, path.value());
      EXPECT_EQ(frames[0].sequence, i);
    }
  }
}

TEST_F(ClientPaths, OnlyTheLatestStatusIsRepeated) {  // digest 54
  manager_.set_status(kInitialPath, false);
  const auto first = write().tokens_of<PathStatusToken>().front();
  manager_.set_status(kInitialPath, true);
  const auto second = write().tokens_of<PathStatusToken>().front();
  manager_.on_lost(first);
  EXPECT_EQ(manager_.interest(), Interest::none);
  manager_.on_lost(second);
  EXPECT_EQ(manager_.interest(), Interest::lost_data);
  EXPECT_EQ(write().all<PathStatusFrame>().front().sequence, 1U);
}

TEST_F(ClientPaths, StaleStatusIsIgnoredAcrossBothTypes) {  // digest 51, 52
  open(2);
  ASSERT_TRUE(manager_.on_path_status({1, 5, false}));
  EXPECT_TRUE(manager_.find(PathId{1})->view(kStart).backup);
  ASSERT_TRUE(manager_.on_path_status({1, 5, true}));
  ASSERT_TRUE(manager_.on_path_status({1, 4, true}));
  EXPECT_TRUE(manager_.find(PathId{1})->view(kStart).backup);
  ASSERT_TRUE(manager_.on_path_status({1, 6, true}));
  EXPECT_FALSE(manager_.find(PathId{1})->view(kStart).backup);
  ASSERT_TRUE(manager_.on_path_status({0, 0, false})) << "another path's numbers are its own";
  EXPECT_TRUE(manager_.find(kInitialPath)->view(kStart).backup);
}

TEST_F(ClientPaths, StatusMayPrecedeThePath) {  // draft-21 §4.3
  ASSERT_TRUE(manager_.on_path_status({1, 0, false}));
  EXPECT_TRUE(open(2).view(kStart).backup);
}

TEST_F(ClientPaths, BackupByEitherSideIsBackup) {
  manager_.set_status(kInitialPath, false);
  EXPECT_TRUE(views().front().backup);
  ASSERT_TRUE(manager_.on_path_status({0, 0, true}));
  EXPECT_TRUE(views().front().backup);
}

// --- Limits

TEST_F(ClientPaths, MaxPathIdIsChecked) {  // digest 57
  EXPECT_EQ(code_of(manager_.on_max_path_id({std::uint64_t{1} << 32})), error::kProtocolViolation);
  EXPECT_EQ(code_of(manager_.on_max_path_id({kPeerLimit - 1})), error::kProtocolViolation);
  EXPECT_TRUE(manager_.on_max_path_id({20}));
  EXPECT_TRUE(manager_.on_max_path_id({10})) << "not greater than before: ignored";
  EXPECT_EQ(manager_.peer_limit(), PathId{20});
  EXPECT_TRUE(manager_.on_max_path_id({0xffffffff}));
  EXPECT_EQ(manager_.usable_limit(), PathId{kLocalLimit});
}

TEST_F(ClientPaths, PathsBlockedAboveOurLimitIsAProtocolViolation) {  // digest 58
  EXPECT_TRUE(manager_.on_paths_blocked({kLocalLimit}));
  EXPECT_TRUE(manager_.on_paths_blocked({0})) << "stale";
  EXPECT_EQ(code_of(manager_.on_paths_blocked({kLocalLimit + 1})), error::kProtocolViolation);
}

TEST_F(ClientPaths, EveryFrameTypeAboveTheLimitIsAProtocolViolation) {  // digest 47
  for (const std::uint64_t type : kPathFrames) {
    EXPECT_EQ(code_of(manager_.admit(kLocalLimit + 1, type)), error::kProtocolViolation) << std::hex << type;
    EXPECT_EQ(code_of(manager_.admit(std::uint64_t{1} << 32, type)), error::kProtocolViolation) << std::hex << type;
  }
  EXPECT_EQ(code_of(manager_.on_path_abandon({kLocalLimit + 1, 0}, kStart)), error::kProtocolViolation);
  EXPECT_EQ(code_of(manager_.on_path_status({kLocalLimit + 1, 0, true})), error::kProtocolViolation);
}

TEST_F(ClientPaths, AckForAPathThatNeverSentIsAProtocolViolation) {  // RFC 9000 §13.1
  EXPECT_EQ(code_of(manager_.admit(3, frame_type::kPathAck)), error::kProtocolViolation);
  EXPECT_EQ(code_of(manager_.admit(3, frame_type::kPathNewConnectionId)), error::kNoError);
}

}  // namespace
}  // namespace mpquic
