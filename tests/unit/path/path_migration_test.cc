// The inner layer: validation, probing, migration and amplification of 4-tuples (RFC 9000 §8 and §9; digest §5).
#include <gtest/gtest.h>

#include "tests/unit/path/path_fixture.h"

namespace mpquic {
namespace {

using namespace path_test;
using Kind = PathEvent::Kind;

constexpr ByteCount kDatagram{1200};

class PathTuples : public ::testing::Test {
 protected:
  Path make(Role role, Path::Start start, std::uint32_t id = 1) {
    settings_ = settings_for(role);
    const FourTuple first = role == Role::client ? tuple_of(1) : client_at(1);
    return Path(PathId{id}, first, start, PathContext{settings_, rng_, events_, coupling_}, kStart);
  }
  /// A server path whose client has been validated on client_at(1), with an RTT of 40 ms.
  Path validated_server_path() {
    Path path = make(Role::server, Path::Start::validate);
    EXPECT_FALSE(path.on_datagram(client_at(1), kDatagram));
    path.on_path_response(challenge_of(path, kStart), kStart);
    send(path, kStart);
    EXPECT_TRUE(path.on_ack(kApp, ack_of(0, 0), kStart + milliseconds(40), out_));
    static_cast<void>(drain(events_));
    return path;
  }
  /// A packet with the highest number so far, with data, from elsewhere.
  void arrive(Path& path, const FourTuple& from, bool probing_only = false, bool largest = true) {
    EXPECT_FALSE(path.on_datagram(from, kDatagram));
    path.on_packet_from(from, probing_only, largest, now_);
  }
  void fire(Path& path, Instant now) {
    out_.clear();
    path.on_deadline(now, out_);
  }
  std::vector<Kind> events() { return kinds_of(drain(events_)); }

  CountingRng rng_;
  PathSettings settings_;
  RingBuffer<PathEvent> events_;
  CouplingGroup coupling_;
  AckOutcome out_;
  Instant now_ = kStart + milliseconds(100);
};

// --- A new path

TEST_F(PathTuples, NewPathCarriesNoDataUntilValidated) {  // digest 21, lesson 7
  Path path = make(Role::client, Path::Start::validate);
  EXPECT_EQ(path.state(), Path::State::validating);
  EXPECT_FALSE(path.view(kStart).validated);
  path.on_path_response(challenge_of(path, kStart), kStart);
  EXPECT_EQ(path.state(), Path::State::active);
  EXPECT_TRUE(path.view(kStart).validated);
  EXPECT_EQ(events(), (std::vector{Kind::validated}));
}

TEST_F(PathTuples, ChallengesTravelInDatagramsOf1200Bytes) {  // RFC 9000 §8.2.1, digest 25
  Path path = make(Role::client, Path::Start::validate);
  ASSERT_TRUE(path.next_probe());
  EXPECT_EQ(path.next_probe()->datagram_size, 1200U);
  EXPECT_TRUE(path.next_probe()->on_active);
}

TEST_F(PathTuples, ServerChallengesWithinThreeTimesWhatArrived) {  // digest 22
  Path path = make(Role::server, Path::Start::validate);
  EXPECT_FALSE(path.next_probe()) << "nothing has arrived: nothing may be sent";
  EXPECT_FALSE(path.on_datagram(client_at(1), ByteCount{100}));
  ASSERT_TRUE(path.next_probe());
  EXPECT_EQ(path.next_probe()->datagram_size, 300U);
}

TEST_F(PathTuples, SmallChallengeIsFollowedByAnExpandedOne) {  // RFC 9000 §8.2.1, digest 25
  Path path = make(Role::server, Path::Start::validate);
  EXPECT_FALSE(path.on_datagram(client_at(1), ByteCount{100}));
  path.on_path_response(challenge_of(path, kStart), kStart);
  EXPECT_EQ(path.state(), Path::State::active) << "the address is proved";
  ASSERT_TRUE(path.next_probe());
  EXPECT_EQ(path.next_probe()->datagram_size, 1200U);
  path.on_path_response(challenge_of(path, kStart), kStart);
  EXPECT_FALSE(path.next_probe());
  EXPECT_EQ(events(), (std::vector{Kind::validated})) << "reported once";
}

TEST_F(PathTuples, ProvedTupleNeedsNoChallenge) {  // digest 21
  Path path = make(Role::client, Path::Start::proved);
  EXPECT_EQ(path.state(), Path::State::active);
  EXPECT_FALSE(path.next_probe());
}

TEST_F(PathTuples, ValidationFailureLeavesThePathUnreachable) {  // digest 27
  Path path = make(Role::client, Path::Start::validate);
  while (!path.is_unreachable()) {
    static_cast<void>(write_probe(path, now_));
    ASSERT_TRUE(path.next_deadline());
    fire(path, *path.next_deadline());
  }
  EXPECT_FALSE(path.view(kStart).validated);
}

TEST_F(PathTuples, ResponseOfAnotherPathDoesNotCount) {  // digest 23
  Path first = make(Role::client, Path::Start::validate, 1);
  Path second = make(Role::client, Path::Start::validate, 2);
  second.on_path_response(challenge_of(first, kStart), kStart);
  EXPECT_EQ(second.state(), Path::State::validating);
}

// --- Answering

TEST_F(PathTuples, ChallengeIsAnsweredOnItsOwnTuple) {  // RFC 9000 §8.2.2, digest 23
  Path path = validated_server_path();
  arrive(path, client_at(2), true);
  const ChallengeData data{std::byte{1}, std::byte{2}};
  path.on_path_challenge(client_at(2), data, false, now_);
  const auto plan = path.next_probe();
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->tuple, client_at(2));
  EXPECT_FALSE(plan->on_active);
  const Written probe = write_probe(path, now_);
  ASSERT_EQ(probe.all<PathResponseFrame>().size(), 1U);
  EXPECT_EQ(probe.all<PathResponseFrame>().front().data, data);
  EXPECT_EQ(probe.all<PathChallengeFrame>().size(), 1U) << "the server validates what may become the path";
  EXPECT_TRUE(path.on_datagram(client_at(2), kDatagram) == std::nullopt);
  EXPECT_EQ(path.active().addresses, client_at(1));
}

TEST_F(PathTuples, AnAcknowledgementShowsThatThePathIsReachable) {
  Path path = validated_server_path();
  arrive(path, client_at(2));
  while (!path.is_unreachable()) {
    while (path.next_probe()) static_cast<void>(write_probe(path, now_));
    ASSERT_TRUE(path.next_deadline());
    fire(path, *path.next_deadline());
  }
  const PacketNumber sent = send(path, now_);
  out_.clear();
  EXPECT_TRUE(path.on_ack(kApp, ack_of(sent.value(), sent.value()), now_ + milliseconds(40), out_));
  EXPECT_FALSE(path.is_unreachable());
}

TEST_F(PathTuples, FloodOfChallengesIsBounded) {
  Path path = make(Role::client, Path::Start::proved);
  for (std::uint8_t i = 0; i < 100; ++i) path.on_path_challenge(tuple_of(1), {std::byte{i}}, false, kStart);
  const auto responses = write_probe(path, kStart).all<PathResponseFrame>();
  ASSERT_EQ(responses.size(), PendingResponses::kMax);
  EXPECT_EQ(responses.front().data.front(), std::byte{99}) << "the newest win";
  EXPECT_FALSE(path.next_probe());
}

TEST_F(PathTuples, ResponseRespectsAmplification) {  // RFC 9000 §8.2.2
  Path path = validated_server_path();
  EXPECT_FALSE(path.on_datagram(client_at(2), ByteCount{50}));
  path.on_path_challenge(client_at(2), {}, false, now_);
  ASSERT_TRUE(path.next_probe());
  EXPECT_EQ(path.next_probe()->datagram_size, 150U);
}

// --- Peer-initiated migration, server side

TEST_F(PathTuples, ProbingPacketsMoveNothing) {  // RFC 9000 §9.1
  Path path = validated_server_path();
  arrive(path, client_at(2), true);
  EXPECT_EQ(path.active().addresses, client_at(1));
  EXPECT_TRUE(events().empty());
}

TEST_F(PathTuples, ReorderedPacketsMoveNothing) {  // RFC 9000 §9.3: only the highest packet number
  Path path = validated_server_path();
  arrive(path, client_at(2), false, false);
  EXPECT_EQ(path.active().addresses, client_at(1));
}

TEST_F(PathTuples, NothingMovesBeforeTheHandshakeIsConfirmed) {  // RFC 9000 §9
  Path path = validated_server_path();
  settings_.handshake_confirmed = false;
  arrive(path, client_at(2));
  EXPECT_EQ(path.active().addresses, client_at(1));
}

TEST_F(PathTuples, NonProbingPacketMigratesThePathUnderTheAmplificationLimit) {  // RFC 9000 §9.3, digest 29
  Path path = validated_server_path();
  const PacketNumber next = path.space(kApp).next_number();
  arrive(path, client_at(2));
  EXPECT_EQ(path.active().addresses, client_at(2));
  EXPECT_EQ(events(), (std::vector{Kind::migrated}));
  EXPECT_EQ(path.space(kApp).next_number(), next) << "path ID and packet numbers go on";
  EXPECT_FALSE(path.view(now_).validated);
  EXPECT_EQ(path.view(now_).amplification_credit, ByteCount{3600});
}

TEST_F(PathTuples, BothAddressesAreChallengedAfterAMove) {  // RFC 9000 §9.3.3
  Path path = validated_server_path();
  arrive(path, client_at(2));
  std::vector<FourTuple> challenged;
  while (const auto plan = path.next_probe()) {
    challenged.push_back(plan->tuple);
    static_cast<void>(write_probe(path, now_));
  }
  std::ranges::sort(challenged);
  EXPECT_EQ(challenged, (std::vector{client_at(1), client_at(2)}));
}

TEST_F(PathTuples, NewNetworkStartsCongestionAndRttAfresh) {  // RFC 9000 §9.4
  Path path = validated_server_path();
  for (int i = 0; i < 20; ++i) send(path, kStart + milliseconds(50));
  ASSERT_TRUE(path.on_ack(kApp, ack_of(1, 20), kStart + milliseconds(90), out_));
  const ByteCount grown = path.congestion().window();
  arrive(path, client_at(2));
  EXPECT_EQ(path.congestion().window(), grown) << "not before the address is proved";
  path.on_path_response(challenge_of(path, now_), now_);
  EXPECT_LT(path.congestion().window(), grown);
  EXPECT_FALSE(path.rtt().has_sample());
  EXPECT_TRUE(path.view(now_).validated);
}

TEST_F(PathTuples, PortChangeKeepsCongestionAndRtt) {  // RFC 9000 §9.4, the exception for ports
  Path path = validated_server_path();
  for (int i = 0; i < 20; ++i) send(path, kStart + milliseconds(50));
  ASSERT_TRUE(path.on_ack(kApp, ack_of(1, 20), kStart + milliseconds(90), out_));
  const ByteCount grown = path.congestion().window();
  arrive(path, client_at(1, 4321));
  path.on_path_response(challenge_of(path, now_), now_);
  EXPECT_EQ(path.active().addresses, client_at(1, 4321));
  EXPECT_EQ(path.congestion().window(), grown);
  EXPECT_TRUE(path.rtt().has_sample());
}

TEST_F(PathTuples, PacketsOfTheOldNetworkGiveNoSamplesForTheNew) {  // RFC 9000 §9.4
  Path path = validated_server_path();
  send(path, kStart + milliseconds(50));  // number 1, before the move
  arrive(path, client_at(2));
  path.on_path_response(challenge_of(path, now_), now_);
  const ByteCount window = path.congestion().window();
  ASSERT_TRUE(path.on_ack(kApp, ack_of(1, 1), now_ + seconds(5), out_));
  EXPECT_FALSE(path.rtt().has_sample());
  EXPECT_EQ(path.congestion().window(), window);
  send(path, now_ + seconds(6));
  ASSERT_TRUE(path.on_ack(kApp, ack_of(2, 2), now_ + seconds(6) + milliseconds(30), out_));
  EXPECT_EQ(path.rtt().smoothed(), milliseconds(30));
}

TEST_F(PathTuples, ProbedAddressIsUsableAtOnceWhenTheClientMoves) {
  Path path = validated_server_path();
  arrive(path, client_at(2), true);
  path.on_path_challenge(client_at(2), {std::byte{1}}, false, now_);
  path.on_path_response(challenge_of(path, now_), now_);
  EXPECT_EQ(path.active().addresses, client_at(1));
  arrive(path, client_at(2));
  EXPECT_EQ(path.active().addresses, client_at(2));
  EXPECT_TRUE(path.view(now_).validated);
  EXPECT_FALSE(path.rtt().has_sample()) << "another network all the same";
}

TEST_F(PathTuples, AnUnvalidatedPathThatMovesToAProvedAddressIsValidated) {  // or its timers would never run
  Path path = make(Role::server, Path::Start::validate);
  EXPECT_FALSE(path.on_datagram(client_at(1), kDatagram));
  static_cast<void>(challenge_of(path, kStart));  // and its answer is lost
  EXPECT_FALSE(path.on_datagram(client_at(2), kDatagram));
  path.on_path_challenge(client_at(2), ChallengeData{}, false, now_);
  path.on_path_response(challenge_of(path, now_), now_);
  EXPECT_EQ(path.state(), Path::State::validating);
  arrive(path, client_at(2));
  EXPECT_EQ(path.state(), Path::State::active);
  EXPECT_EQ(events(), (std::vector{Kind::migrated, Kind::validated}));
  send(path, now_);
  ASSERT_TRUE(path.next_deadline());
  fire(path, now_ + seconds(2));
  EXPECT_TRUE(path.potentially_failed()) << "what it carried is requeued";
}

TEST_F(PathTuples, UnprovedMoveRevertsToTheLastValidatedAddress) {  // RFC 9000 §9.3.2
  Path path = validated_server_path();
  const ByteCount window = path.congestion().window();
  arrive(path, client_at(2));
  // The old address answers, the new one (spoofed by an on-path attacker) does not.
  for (Tuple& tuple : path.tuples()) {
    const ChallengeData data = tuple.validator.send_challenge(rng_, true, now_);
    if (tuple.addresses == client_at(1)) path.on_path_response(data, now_);
  }
  static_cast<void>(events());
  while (path.next_deadline() && path.active().addresses == client_at(2)) fire(path, *path.next_deadline());
  EXPECT_EQ(path.active().addresses, client_at(1));
  EXPECT_EQ(events(), (std::vector{Kind::migrated}));
  EXPECT_FALSE(path.is_unreachable());
  EXPECT_TRUE(path.view(now_).validated);
  EXPECT_EQ(path.congestion().window(), window) << "the attack cost nothing";
}

TEST_F(PathTuples, PacketFromTheOldAddressMovesBack) {  // RFC 9000 §9.3.3
  Path path = validated_server_path();
  arrive(path, client_at(2));
  arrive(path, client_at(1));
  EXPECT_EQ(path.active().addresses, client_at(1));
  EXPECT_TRUE(path.view(now_).validated);
  EXPECT_TRUE(path.rtt().has_sample());
}

TEST_F(PathTuples, NoAddressAnswersAfterAMove) {
  Path path = validated_server_path();
  arrive(path, client_at(2));
  for (int i = 0; i < 20 && !path.is_unreachable(); ++i) {
    while (path.next_probe()) static_cast<void>(write_probe(path, now_));
    ASSERT_TRUE(path.next_deadline());
    fire(path, *path.next_deadline());
  }
  EXPECT_TRUE(path.is_unreachable());
  // The peer is heard again: one more try.
  arrive(path, client_at(2));
  path.on_path_response(challenge_of(path, now_), now_);
  EXPECT_FALSE(path.is_unreachable());
  EXPECT_TRUE(path.view(now_).validated);
}

TEST_F(PathTuples, FloodOfAddressesIsBoundedAndKeepsTheFallback) {  // lesson 7
  Path path = validated_server_path();
  for (std::uint8_t host = 2; host < 100; ++host) {
    arrive(path, client_at(host));
    EXPECT_LE(path.tuples().size(), 1 + TupleSet::kMaxProbingTuples);
    EXPECT_NE(path.find_tuple(client_at(1)), nullptr) << "the last validated address";
  }
}

// --- Client side

TEST_F(PathTuples, ClientDropsPacketsOfUnknownServers) {  // RFC 9000 §9
  Path path = make(Role::client, Path::Start::proved);
  EXPECT_EQ(path.on_datagram(tuple_of(1, 1000, 2), kDatagram), DropReason::unknown_address);
  EXPECT_EQ(path.tuples().size(), 1U);
  EXPECT_FALSE(path.on_datagram(tuple_of(9), kDatagram)) << "our own address may look different";
  path.on_packet_from(tuple_of(9), false, true, kStart);
  EXPECT_EQ(path.active().addresses, tuple_of(1));
}

TEST_F(PathTuples, ClientProbesFirstAndThenMoves) {  // RFC 9000 §9.2
  Path path = make(Role::client, Path::Start::proved);
  ASSERT_TRUE(path.migrate(tuple_of(2), kStart));
  EXPECT_FALSE(path.migrate(tuple_of(3), kStart)) << "one move at a time";
  EXPECT_EQ(path.active().addresses, tuple_of(1));
  ASSERT_TRUE(path.next_probe());
  EXPECT_EQ(path.next_probe()->tuple, tuple_of(2));
  path.on_path_response(challenge_of(path, kStart), kStart);
  EXPECT_EQ(path.active().addresses, tuple_of(2));
  EXPECT_TRUE(path.view(kStart).validated);
  const auto seen = events();
  EXPECT_NE(std::ranges::find(seen, Kind::migrated), seen.end());
}

TEST_F(PathTuples, FailedMoveLeavesThePathWhereItWas) {
  Path path = make(Role::client, Path::Start::proved);
  ASSERT_TRUE(path.migrate(tuple_of(2), kStart));
  for (int i = 0; i < 10 && path.next_deadline(); ++i) {
    static_cast<void>(write_probe(path, now_));
    fire(path, *path.next_deadline());
  }
  EXPECT_EQ(path.active().addresses, tuple_of(1));
  EXPECT_EQ(path.tuples().size(), 1U);
  const auto seen = drain(events_);
  ASSERT_EQ(kinds_of(seen), (std::vector{Kind::refused}));
  EXPECT_EQ(seen.front().id, path.id());
  EXPECT_EQ(seen.front().tuple, tuple_of(2)) << "what did not validate";
  EXPECT_FALSE(path.is_unreachable());
}

TEST_F(PathTuples, ConnectionIdOfATupleThatIsGoneIsReleased) {  // RFC 9000 §9.5: or the supply would run dry
  Path path = validated_server_path();
  for (std::uint8_t host = 2; host < 6; ++host) {
    arrive(path, client_at(host), true);
    path.find_tuple(client_at(host))->peer_cid = host;
  }
  EXPECT_EQ(path.poll_released_cid(), 2U);
  EXPECT_EQ(path.poll_released_cid(), 3U);
  EXPECT_FALSE(path.poll_released_cid());
}

TEST_F(PathTuples, MovedPathDiscoversItsMtuAgain) {  // RFC 9000 §14.3: per path
  Path path = make(Role::client, Path::Start::proved);
  settings_.tuple.mtu = MtuConfig{.discover = true, .initial = 1200, .maximum = 1452};
  ASSERT_TRUE(path.migrate(tuple_of(2), kStart));
  path.on_path_response(challenge_of(path, kStart), kStart);
  EXPECT_EQ(path.mtu_probe_size(kStart), 1452U);
}

TEST_F(PathTuples, ServerHandshakePathIsLimitedUntilTheHandshakeProvesTheClient) {  // RFC 9000 §8.1
  Path path = make(Role::server, Path::Start::handshake, 0);
  EXPECT_FALSE(path.on_datagram(client_at(1), kDatagram));
  EXPECT_EQ(path.send_budget(kStart), ByteCount{3600});
  EXPECT_TRUE(path.view(kStart).validated) << "0.5-RTT data may flow within the limit";
  EXPECT_FALSE(path.next_probe());
  path.on_address_validated();
  EXPECT_GT(path.send_budget(kStart), ByteCount{3600});
}

}  // namespace
}  // namespace mpquic
