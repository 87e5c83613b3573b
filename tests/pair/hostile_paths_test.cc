// The life of paths when the peer does not play along, end to end: draft-ietf-quic-multipath-21 §3.
#include <gtest/gtest.h>

#include <algorithm>

#include "stack/sched/scheduler.h"
#include "tests/pair/pair.h"
#include "tests/pair/raw_peer.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

// --- who may open, and when

TEST(HostilePaths, AServerOpensNone) {  // digest 17
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const FourTuple tuple{Pair::server_address(), Pair::client_address(1)};
  EXPECT_EQ(peer.endpoint->open_path(peer.handle, tuple, peer.now), std::unexpected(PathError::not_client));
}

TEST(HostilePaths, APathThatAServerOpensIsRefused) {  // digest 17
  RawPeer peer({.role = Role::server});
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.issued(kOne, 0));
  peer.issue(kOne, 0);
  EXPECT_TRUE(peer.send(PingFrame{}, {.path = kOne, .pad_to = 1200}));
  EXPECT_EQ(peer.drops(DropReason::path_refused), 1U);
  EXPECT_FALSE(stats_of(peer, kOne));
}

TEST(HostilePaths, AClientWaitsForConnectionIdsOfBothSides) {  // digest 18, 19
  RawPeer peer({.role = Role::server});
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.endpoint->open_path(peer.handle, Pair::tuple(1), peer.now));
  peer.run_for(1s);
  EXPECT_FALSE(stats_of(peer, kOne));
  peer.issue(kOne, 0);
  ASSERT_TRUE(stats_of(peer, kOne));
  EXPECT_TRUE(stats_of(peer, kOne)->validated);  // digest 21: it challenged, and we answered
  EXPECT_FALSE(peer.frames<PathChallengeFrame>().empty());
}

TEST(HostilePaths, NoneIsOpenedToAnAddressThatForbidsMigration) {  // digest 9
  RawPeer peer({.role = Role::server, .parameters = [](auto& p) { p.disable_active_migration = true; }});
  ASSERT_TRUE(peer.handshake());
  peer.issue(kOne, 0);
  ASSERT_TRUE(peer.endpoint->open_path(peer.handle, Pair::tuple(1), peer.now));
  peer.send(PingFrame{});
  EXPECT_FALSE(stats_of(peer, kOne));
  bool refused = false;
  for (const ConnectionEvent& event : peer.events) {
    const auto* change = std::get_if<PathChanged>(&event);
    refused |= change != nullptr && change->change == PathChange::refused;
  }
  EXPECT_TRUE(refused);
}

// --- §3.1 opening and validation

TEST(HostilePaths, AFirstPacketWithoutChallengeOpensThePath) {  // digest 24
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const auto zero = stats_of(peer, kInitialPath);
  peer.issue(kOne, 0);
  ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne, .pad_to = 1200}));
  ASSERT_TRUE(stats_of(peer, kOne));
  EXPECT_TRUE(stats_of(peer, kOne)->validated);                 // the endpoint challenged, and we answered
  EXPECT_EQ(stats_of(peer, kInitialPath)->tuple, zero->tuple);  // digest 28
}

TEST(HostilePaths, RepliesUseAConnectionIdOfThePath) {  // digest 20
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne}));
  std::size_t on_one = 0;
  for (const RawReceived& packet : peer.received) {  // RawReceived::path is what our connection ID was issued for
    EXPECT_EQ(packet.path == kOne, packet.to == peer.address_of(kOne));
    on_one += packet.path == kOne ? 1 : 0;
  }
  EXPECT_GT(on_one, 2U);
}

TEST(HostilePaths, APathWithoutAConnectionIdToSendToHoldsNothingUp) {  // draft-21 §3.2: the peer owes us one
  for (const std::string_view scheduler : scheduler_names()) {
    RawPeerOptions options;
    options.endpoint.connection.scheduler = scheduler;
    RawPeer peer(options);
    ASSERT_TRUE(peer.handshake());
    ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne, .from = peer.address_of(kInitialPath)}));
    ASSERT_TRUE(stats_of(peer, kOne)->validated) << "the address is known";
    const auto stream = peer.endpoint->open_stream(peer.handle, Directionality::unidirectional);
    ASSERT_TRUE(stream);
    const std::vector<std::byte> data(50'000);
    ASSERT_EQ(peer.endpoint->write(peer.handle, *stream, data, true), data.size());
    peer.send(PingFrame{});
    peer.run_for(5s);
    const auto arrived_on = [&](PathId path) {
      std::size_t bytes = 0;
      for (const RawReceived& packet : peer.received) {
        RawPeer::for_each_frame(packet, [&](const Frame& frame) {
          const auto* data_frame = std::get_if<StreamFrame>(&frame);
          if (data_frame != nullptr && packet.path == path) bytes += data_frame->data.size();
        });
      }
      return bytes;
    };
    EXPECT_GE(arrived_on(kInitialPath), data.size()) << scheduler;
    // It is a path like any other as soon as there is one.
    peer.issue(kOne, 0);
    const auto more = peer.endpoint->open_stream(peer.handle, Directionality::unidirectional);
    ASSERT_TRUE(more);
    ASSERT_EQ(peer.endpoint->write(peer.handle, *more, data, true), data.size());
    peer.send(PingFrame{});
    peer.run_for(5s);
    EXPECT_GT(arrived_on(kOne), 0U) << scheduler;
  }
}

TEST(HostilePaths, AnUnvalidatedPathGetsAtMostThreeTimesWhatItSent) {  // digest 22
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.answers_challenges = false;
  peer.issue(kOne, 0);
  const auto stream = peer.endpoint->open_stream(peer.handle, Directionality::unidirectional);
  ASSERT_TRUE(stream && peer.endpoint->write(peer.handle, *stream, std::vector<std::byte>(500'000), true));
  std::uint64_t sent = 0;
  for (int i = 0; i < 5; ++i) {
    const auto packet = peer.seal({.path = kOne}, RawPeer::encoded(PingFrame{}));
    sent += packet.size();
    ASSERT_TRUE(peer.deliver(packet, peer.address_of(kOne)));
    peer.run_for(200ms);
    EXPECT_LE(peer.bytes_to[peer.address_of(kOne)], 3 * sent);
  }
  EXPECT_FALSE(stats_of(peer, kOne)->validated);
}

TEST(HostilePaths, AnAckThatAnUnvalidatedPathCannotCarryTakesAnother) {  // §4.1; and RawPeer sees timers that spin
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.answers_challenges = false;
  peer.issue(kOne, 0);
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t number = peer.next_number(kOne);
    ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne}));
    peer.run_for(30ms);
    bool acknowledged = false;
    for (const AckFrame& ack : peer.frames<AckFrame>())
      acknowledged |= ack.path == kOne && ack.largest.value() == number;
    EXPECT_TRUE(acknowledged) << i;
  }
}

TEST(HostilePaths, APathThatNeverAnswersIsAbandoned) {  // digest 27
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.answers_challenges = false;
  peer.issue(kOne, 0);
  ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne, .pad_to = 1200}));
  peer.run_for(20s);
  const auto abandons = peer.frames<PathAbandonFrame>();
  ASSERT_EQ(abandons.size(), 1U);
  EXPECT_EQ(abandons[0].path, 1U);
  EXPECT_EQ(abandons[0].error, error::kPathUnstableOrPoor);
  EXPECT_EQ(peer.closed(), std::nullopt);
}

TEST(HostilePaths, AResponseOnAnotherPathProvesNothing) {  // digest 23
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.answers_challenges = false;
  peer.issue(kOne, 0);
  ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne, .pad_to = 1200}));
  const auto challenges = peer.frames<PathChallengeFrame>();
  ASSERT_FALSE(challenges.empty());
  ASSERT_TRUE(peer.send(PathResponseFrame{challenges[0].data}));  // on path 0
  EXPECT_FALSE(stats_of(peer, kOne)->validated);
  ASSERT_TRUE(peer.send(PathResponseFrame{challenges[0].data}, {.path = kOne}));
  EXPECT_TRUE(stats_of(peer, kOne)->validated);
}

TEST(HostilePaths, AChallengeIsAnsweredOnItsPathAndTuple) {  // digest 23
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  peer.issue(kOne, 2);
  peer.received.clear();
  const SocketAddress other{peer.address_of(kOne).ip, 50'123};
  const ChallengeData data{std::byte{7}};
  ASSERT_TRUE(peer.send(PathChallengeFrame{data}, {.path = kOne, .from = other, .pad_to = 1200}));
  bool answered = false;
  for (const RawReceived& packet : peer.received) {
    RawPeer::for_each_frame(packet, [&](const Frame& frame) {
      const auto* response = std::get_if<PathResponseFrame>(&frame);
      if (response == nullptr) return;
      answered = true;
      EXPECT_EQ(response->data, data);
      EXPECT_EQ(packet.path, kOne);
      EXPECT_EQ(packet.to, other);
    });
  }
  EXPECT_TRUE(answered);
}

TEST(HostilePaths, BothDirectionsOfAPathAreVerifiedFor1200Bytes) {  // digest 25
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  std::size_t challenges = 0;
  for (const RawReceived& packet : peer.received) {
    RawPeer::for_each_frame(packet, [&](const Frame& frame) {
      if (std::holds_alternative<PathChallengeFrame>(frame)) ++challenges;
      if (std::holds_alternative<PathChallengeFrame>(frame) || std::holds_alternative<PathResponseFrame>(frame)) {
        EXPECT_GE(packet.datagram_size, kMinInitialDatagram);
      }
    });
  }
  EXPECT_GT(challenges, 0U);
}

TEST(HostilePaths, NoConnectionIdsAreIssuedAboveOurOwnLimit) {  // digest 34
  RawPeerOptions options;
  options.endpoint.connection.max_paths = 2;
  RawPeer peer(options);
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  EXPECT_EQ(peer.issued(PathId{2}, 0), std::nullopt);  // path IDs end at the limit: there is nothing to open with
}

// --- §3.4 the end of a path

TEST(HostilePaths, AnAbandonIsAnsweredOnceHoweverOftenItComes) {  // digest 39
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(peer.send(PathAbandonFrame{1, error::kApplicationAbandonPath}));
  peer.run_for(100ms);
  std::size_t answers = 0;
  for (const RawReceived& packet : peer.received) {
    RawPeer::for_each_frame(packet, [&](const Frame& frame) {
      if (!std::holds_alternative<PathAbandonFrame>(frame)) return;
      ++answers;
      EXPECT_EQ(packet.path, kInitialPath);  // digest 38
    });
  }
  EXPECT_EQ(answers, 1U);
}

TEST(HostilePaths, LatePacketsOfAnAbandonedPathAreAcknowledgedElsewhere) {  // digest 38, 40, 45
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  ASSERT_TRUE(peer.send(PathAbandonFrame{1, 0}));
  peer.received.clear();
  const std::uint64_t late = peer.next_number(kOne);
  ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne}));
  peer.run_for(30ms);
  bool acknowledged = false;
  for (const AckFrame& ack : peer.frames<AckFrame>()) acknowledged |= ack.path == kOne && ack.largest.value() == late;
  EXPECT_TRUE(acknowledged);
  for (const RawReceived& packet : peer.received) EXPECT_EQ(packet.path, kInitialPath);
  EXPECT_EQ(peer.drops(DropReason::unknown_connection), 0U);  // no stateless reset
}

TEST(HostilePaths, MinRttRestartsWhenThePathThatBroughtItIsAbandoned) {  // draft-21 §5.4
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(PathId{2}));
  peer.acknowledges = false;
  ASSERT_TRUE(peer.open_path(kOne));
  // The endpoint answers a challenge on path 1, and hears of its arrival after `rtt`, on whatever path.
  const auto sample = [&](Duration rtt, PathId returned_on) {
    peer.received.clear();
    EXPECT_TRUE(peer.send(PathChallengeFrame{}, {.path = kOne, .pad_to = 1200}));
    AckFrame ack;
    ack.path = kOne;
    for (const RawReceived& packet : peer.received)
      if (packet.path == kOne) ack.largest = std::max(ack.largest, packet.number);
    peer.run_for(rtt);
    EXPECT_TRUE(peer.send(ack, {.path = returned_on}));
    return stats_of(peer, kOne)->min_rtt;
  };
  EXPECT_EQ(sample(20ms, PathId{2}), 20ms);
  EXPECT_EQ(sample(30ms, kOne), 20ms);
  ASSERT_TRUE(peer.send(PathAbandonFrame{2, 0}));
  EXPECT_EQ(sample(40ms, kOne), 40ms);
  EXPECT_EQ(sample(45ms, kOne), 40ms);
}

TEST(HostilePaths, AnAbandonedIdIsNeverOpenedAgain) {  // digest 41
  RawPeer peer({.role = Role::server});
  ASSERT_TRUE(peer.handshake());
  for (const std::uint32_t id : {1U, 2U}) {
    peer.issue(PathId{id}, 0);
    peer.issue(PathId{id}, 1);
  }
  ASSERT_TRUE(peer.endpoint->open_path(peer.handle, Pair::tuple(1), peer.now));
  peer.send(PingFrame{});
  ASSERT_TRUE(stats_of(peer, kOne) && stats_of(peer, kOne)->validated);
  peer.endpoint->abandon_path(peer.handle, kOne, 0, peer.now);
  peer.send(PathAbandonFrame{1, 0});
  // While its state is kept, and after: nothing brings it back, not even new connection IDs for it.
  for (std::uint64_t sequence = 2; sequence < 6; ++sequence) {
    peer.issue(kOne, sequence);
    peer.received.clear();
    ASSERT_TRUE(peer.endpoint->open_path(peer.handle, Pair::tuple(2), peer.now));
    peer.send(PingFrame{});
    ASSERT_EQ(peer.closed(), std::nullopt);
    ASSERT_TRUE(stats_of(peer, PathId{2}) && stats_of(peer, PathId{2})->validated);
    EXPECT_TRUE(stats_of(peer, kOne)->abandoned);
    for (const RawReceived& packet : peer.received) EXPECT_NE(packet.path, kOne);
    peer.run_for(5s);
  }
}

TEST(HostilePaths, AfterALocalAbandonNothingMoreIsSentThere) {  // digest 38
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  ASSERT_TRUE(peer.open_path(PathId{2}));
  const auto stream = peer.endpoint->open_stream(peer.handle, Directionality::unidirectional);
  ASSERT_TRUE(stream);
  const std::vector<std::byte> data(200'000);
  ASSERT_TRUE(peer.endpoint->write(peer.handle, *stream, data, false));
  peer.acknowledges = false;  // there is data in flight on the path, to be probed for and repeated
  peer.send(PingFrame{}, {.path = kOne});
  peer.endpoint->abandon_path(peer.handle, kOne, error::kApplicationAbandonPath, peer.now);
  peer.received.clear();
  peer.acknowledges = true;
  for (int i = 0; i < 50; ++i) {
    static_cast<void>(peer.endpoint->write(peer.handle, *stream, data, false));  // the buffer may be full
    peer.send(PingFrame{}, {.path = kOne});                                      // wants an acknowledgement
    peer.send(PathChallengeFrame{}, {.path = kOne, .pad_to = 1200});             // and an answer
    peer.run_for(100ms);
  }
  EXPECT_GT(peer.received.size(), 100U);
  for (const RawReceived& packet : peer.received) {
    EXPECT_NE(packet.path, kOne);
    EXPECT_NE(packet.to, peer.address_of(kOne));
  }
  EXPECT_EQ(peer.frames<PathAbandonFrame>().size(), 1U);
  EXPECT_EQ(peer.closed(), std::nullopt);
}

TEST(HostilePaths, AnUnusedIdMayBeAbandoned) {  // digest 42
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.send(PathAbandonFrame{5, 0}));
  const auto answers = peer.frames<PathAbandonFrame>();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].path, 5U);
  peer.issue(PathId{5}, 0);
  ASSERT_TRUE(peer.send(PingFrame{}, {.path = PathId{5}, .pad_to = 1200}));
  EXPECT_GT(peer.drops(DropReason::path_abandoned), 0U);
  EXPECT_FALSE(stats_of(peer, PathId{5}));
}

TEST(HostilePaths, AbandoningTheLastPathClosesTheConnection) {  // digest 43
  for (const Role role : {Role::client, Role::server}) {
    RawPeer peer({.role = role});
    ASSERT_TRUE(peer.handshake());
    peer.send(PathAbandonFrame{0, 0});
    ASSERT_TRUE(peer.closed());
    EXPECT_EQ(peer.closed()->error, error::kNoViablePath);
  }
}

TEST(HostilePaths, ResetTokensOfALivePathEndTheConnectionAndOfAnAbandonedOneDoNot) {  // digest 44
  for (const bool abandoned : {false, true}) {
    RawPeer peer;
    ASSERT_TRUE(peer.handshake());
    ASSERT_TRUE(peer.open_path(kOne));
    if (abandoned) {
      ASSERT_TRUE(peer.send(PathAbandonFrame{1, 0}));
    }
    std::vector<std::byte> reset(43);
    peer.rng.fill(reset);
    reset[0] = std::byte{0x41};
    std::ranges::copy(peer.issued(kInitialPath, 0)->bytes(), reset.begin() + 1);
    std::ranges::copy(peer.own_reset_tokens[{kOne, 0}], reset.end() - 16);
    peer.deliver(reset, peer.address_of(kInitialPath));
    EXPECT_EQ(peer.count_events<ConnectionClosed>(), abandoned ? 0U : 1U);
    if (abandoned) {
      EXPECT_EQ(peer.drops(DropReason::decryption_failed), 1U);
    }
  }
}

// --- §2.6, §5.9 the end of the connection

TEST(HostilePaths, ActivityOnAnyPathDefersTheIdleTimeout) {  // digest 61
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  for (int i = 0; i < 10; ++i) {
    peer.run_for(ConnectionConfig{}.idle_timeout / 2);
    ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne}));
  }
  EXPECT_EQ(peer.endpoint->connection_count(), 1U);
  peer.run_for(2 * ConnectionConfig{}.idle_timeout);
  EXPECT_EQ(peer.endpoint->connection_count(), 0U);
}

TEST(HostilePaths, ClosingLastsThreeTimesTheLargestPto) {  // digest 16
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.filter = [](InFlight& d) {  // path 1 is the slow one
    if (d.tuple.remote == Pair::client_address(1) || d.tuple.local == Pair::client_address(1)) d.arrives += 200ms;
    return true;
  };
  ASSERT_TRUE(pair.client->open_path(pair.client_handle, Pair::tuple(1), pair.now));
  ASSERT_TRUE(pair.run_until([&] { return pair.paths(false).size() == 2 && pair.paths(false)[1].validated; }));
  ASSERT_TRUE(pair.transfer(false, 2'000'000));
  pair.run_for(3s);
  Duration largest{};
  for (const PathStats& path : pair.paths(false)) {
    const Duration pto = path.smoothed_rtt + std::max<Duration>(4 * path.rtt_variance, 1ms) + 25ms;
    largest = std::max(largest, pto);
  }
  ASSERT_GT(largest, 200ms);
  pair.client->close(pair.client_handle, 0, "", pair.now);
  pair.run_for(3 * largest - 1ms);
  EXPECT_EQ(pair.client->connection_count(), 1U);
  pair.run_for(2ms);
  EXPECT_EQ(pair.client->connection_count(), 0U);
}

}  // namespace
}  // namespace mpquic::test
