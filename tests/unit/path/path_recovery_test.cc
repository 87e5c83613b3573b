// The outer layer of a path: recovery, congestion, failure detection (RFC 9002; lessons 4, 8, 12).
#include <gtest/gtest.h>

#include "tests/unit/path/path_fixture.h"

namespace mpquic {
namespace {

using namespace path_test;
using Kind = PathEvent::Kind;

class PathRecovery : public ::testing::Test {
 protected:
  explicit PathRecovery(Role role = Role::client) : settings_(settings_for(role)) {}

  Path make(std::uint32_t id = 1, Path::Start start = Path::Start::proved) {
    return Path(PathId{id}, tuple_of(1), start, PathContext{settings_, rng_, events_, coupling_}, kStart);
  }
  /// Acknowledges [smallest, largest] after `rtt`, and returns the time of that.
  Instant ack(Path& path, std::uint64_t smallest, std::uint64_t largest, Instant now) {
    out_.clear();
    EXPECT_TRUE(path.on_ack(kApp, ack_of(smallest, largest), now, out_));
    return now;
  }
  void fire(Path& path, Instant now) {
    out_.clear();
    path.on_deadline(now, out_);
  }
  /// Runs the next deadline and returns when it was.
  Instant fire_next(Path& path) {
    const Deadline deadline = path.next_deadline();
    EXPECT_TRUE(deadline);
    fire(path, deadline.value_or(kStart));
    return deadline.value_or(kStart);
  }
  std::vector<Kind> events() { return kinds_of(drain(events_)); }

  CountingRng rng_;
  PathSettings settings_;
  RingBuffer<PathEvent> events_;
  CouplingGroup coupling_;
  AckOutcome out_;
};

TEST_F(PathRecovery, OnlyPathZeroHasHandshakeSpaces) {
  Path initial = make(0, Path::Start::handshake);
  EXPECT_TRUE(initial.has_space(SpaceId::initial));
  Path other = make(1);
  EXPECT_FALSE(other.has_space(SpaceId::initial));
  EXPECT_FALSE(other.has_space(SpaceId::handshake));
  EXPECT_TRUE(other.has_space(kApp));
}

TEST_F(PathRecovery, AckFeedsRttWindowAndTokens) {
  Path path = make();
  const ByteCount window = path.congestion().window();
  for (int i = 0; i < 10; ++i) send(path, kStart);
  EXPECT_EQ(path.bytes_in_flight(), ByteCount{10 * kSize});
  ack(path, 0, 9, kStart + milliseconds(40));
  EXPECT_EQ(labels_of(out_.acked).size(), 10U);
  EXPECT_EQ(path.rtt().smoothed(), milliseconds(40));
  EXPECT_GT(path.congestion().window(), window) << "slow start";
  EXPECT_EQ(path.bytes_in_flight(), ByteCount{});
  EXPECT_FALSE(path.next_deadline());
}

TEST_F(PathRecovery, MinRttRestartsWhenItsReturnPathIsGone) {  // draft-21 §5.4
  Path path = make();
  const auto sample = [&](milliseconds rtt, std::optional<PathId> returned_on) {
    const Instant sent = kStart + seconds(path.space(kApp).next_number().value());
    const PacketNumber number = send(path, sent);
    out_.clear();
    EXPECT_TRUE(path.on_ack(kApp, ack_of(number.value(), number.value()), sent + rtt, out_, returned_on));
  };
  sample(milliseconds(30), PathId{2});  // the quick way back
  sample(milliseconds(50), std::nullopt);
  path.on_return_path_gone(PathId{3});
  sample(milliseconds(60), std::nullopt);
  EXPECT_EQ(path.rtt().min(), milliseconds(30)) << "another path's end is no concern";
  path.on_return_path_gone(PathId{2});
  const Duration smoothed = path.rtt().smoothed();
  sample(milliseconds(55), std::nullopt);
  EXPECT_EQ(path.rtt().min(), milliseconds(55));
  EXPECT_GT(smoothed, milliseconds(30)) << "only min_rtt starts afresh";
  path.on_return_path_gone(PathId{2});
  sample(milliseconds(70), std::nullopt);
  EXPECT_EQ(path.rtt().min(), milliseconds(55)) << "it came back on the path itself";
}

TEST_F(PathRecovery, WindowsOfPathsOnOneTupleAreIndependent) {  // digest 60
  Path first = make(1);
  Path second = make(2);
  for (int i = 0; i < 10; ++i) send(first, kStart);
  for (int i = 0; i < 10; ++i) send(second, kStart);
  ack(first, 9, 9, kStart + milliseconds(40));
  EXPECT_LT(first.congestion().window(), second.congestion().window());
}

TEST_F(PathRecovery, FailedAndAbandonedPathsAreNotCoupled) {  // RFC 6356; lesson 8
  settings_.congestion_control = "olia";
  Path first = make(1);
  Path second = make(2);
  for (Path* path : {&first, &second}) {
    send(*path, kStart);
    ack(*path, 0, 0, kStart + milliseconds(40));
  }
  const auto coupled = [&first] { return first.congestion().coupling().value_or(Coupling{}).total_window; };
  const ByteCount both = first.congestion().window() + second.congestion().window();
  EXPECT_EQ(coupled(), both);
  send(second, kStart + milliseconds(50));
  fire_next(second);
  ASSERT_TRUE(second.potentially_failed());
  EXPECT_EQ(coupled(), first.congestion().window());
  ack(second, 1, 1, kStart + seconds(1));
  ASSERT_FALSE(second.potentially_failed());
  EXPECT_EQ(coupled(), first.congestion().window() + second.congestion().window());
  second.abandon(kStart + seconds(2));
  EXPECT_EQ(coupled(), first.congestion().window());
}

TEST_F(PathRecovery, BudgetIsTheWindowsRoom) {  // lesson 4: the window gates sending, per path
  Path path = make();
  const std::uint64_t window = path.congestion().window().value();
  EXPECT_EQ(path.send_budget(kStart).value(), window);
  std::uint64_t sent = 0;
  while (sent + kSize <= window) {
    send(path, kStart);
    sent += kSize;
  }
  EXPECT_EQ(path.send_budget(kStart).value(), window - sent);
  EXPECT_FALSE(path.view(kStart).can_send());
}

TEST_F(PathRecovery, ApplicationLimitedSenderDoesNotGrowItsWindow) {  // RFC 9002 §7.8
  Path path = make();
  const ByteCount window = path.congestion().window();
  path.set_application_limited(true);
  send(path, kStart);
  ack(path, 0, 0, kStart + milliseconds(40));
  EXPECT_EQ(path.congestion().window(), window);
}

TEST_F(PathRecovery, WindowThatWasFullGrowsAlthoughNothingIsLeftToSend) {
  Path path = make();
  const ByteCount window = path.congestion().window();
  for (int i = 0; i < 10; ++i) send(path, kStart);
  path.set_application_limited(true);
  ack(path, 0, 9, kStart + milliseconds(40));
  EXPECT_GT(path.congestion().window(), window);
}

TEST_F(PathRecovery, TimeThresholdLossComesByTimer) {  // RFC 9002 §6.1.2
  Path path = make();
  for (int i = 0; i < 2; ++i) send(path, kStart);
  ack(path, 1, 1, kStart + milliseconds(80));
  EXPECT_TRUE(out_.lost.empty());
  EXPECT_EQ(fire_next(path), kStart + milliseconds(90));
  EXPECT_EQ(labels_of(out_.lost), (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(path.counters().packets_lost, 1U);
}

TEST_F(PathRecovery, IdlePathHasNoTimer) {  // lesson 8: silence is no failure
  Path path = make();
  send(path, kStart);
  ack(path, 0, 0, kStart + milliseconds(40));
  EXPECT_FALSE(path.next_deadline());
  fire(path, kStart + std::chrono::hours(1));
  EXPECT_FALSE(path.potentially_failed());
  EXPECT_TRUE(events().empty());
}

TEST_F(PathRecovery, PtoFailsThePathAndTheFirstAckBringsItBack) {  // lesson 8
  Path path = make();
  send(path, kStart);
  const Instant fired = fire_next(path);
  EXPECT_EQ(fired, kStart + path.pto());
  EXPECT_TRUE(path.potentially_failed());
  EXPECT_TRUE(path.view(fired).potentially_failed);
  EXPECT_EQ(events(), (std::vector{Kind::failed}));
  EXPECT_TRUE(out_.lost.empty()) << "a PTO declares nothing lost (RFC 9002 §6.2)";

  send(path, fired);
  ack(path, 1, 1, fired + milliseconds(40));
  EXPECT_FALSE(path.potentially_failed());
  EXPECT_EQ(path.pto_count(), 0U);
  EXPECT_EQ(events(), (std::vector{Kind::recovered}));
}

TEST_F(PathRecovery, PathThatNeverAcknowledgedFailsToo) {  // lesson 8
  Path path = make();
  for (int i = 0; i < 3; ++i) send(path, kStart);
  fire_next(path);
  EXPECT_TRUE(path.potentially_failed());
}

TEST_F(PathRecovery, PtoOwesTwoProbesThatPassTheWindow) {  // RFC 9002 §6.2.4
  Path path = make();
  while (path.send_budget(kStart).value() >= kSize) send(path, kStart);
  const Instant fired = fire_next(path);
  EXPECT_EQ(path.probes_owed(kApp), 2);
  EXPECT_GE(path.send_budget(fired).value(), 2 * kSize);
  send(path, fired);
  EXPECT_EQ(path.probes_owed(kApp), 1);
  send(path, fired);
  EXPECT_EQ(path.probes_owed(kApp), 0);
  EXPECT_LT(path.send_budget(fired).value(), kSize);
}

TEST_F(PathRecovery, FailedPathIsProbedForEverWithBoundedBackoff) {  // lesson 8
  Path path = make();
  send(path, kStart);
  Instant last = kStart;
  Duration gap{};
  for (int i = 0; i < 12; ++i) {
    const Instant fired = fire_next(path);
    EXPECT_GE(fired - last, gap) << "backoff";
    gap = fired - last;
    EXPECT_LE(gap, kMaxPto);
    last = fired;
    EXPECT_GT(path.probes_owed(kApp), 0);
    send(path, fired);
  }
  EXPECT_EQ(gap, kMaxPto);
  EXPECT_EQ(events(), (std::vector{Kind::failed})) << "reported once";
}

TEST_F(PathRecovery, NextTimeoutWaitsForTheProbesOfThis) {  // a full socket must not spin the timer
  Path path = make();
  send(path, kStart);
  fire_next(path);
  EXPECT_FALSE(path.next_deadline());
  send(path, kStart + seconds(60));
  EXPECT_TRUE(path.next_deadline());
}

TEST_F(PathRecovery, AppSpaceHasNoPtoBeforeConfirmation) {  // RFC 9002 §6.2.1
  settings_ = settings_for(Role::server);
  settings_.handshake_confirmed = false;
  Path path = make(0, Path::Start::handshake);
  path.on_address_validated();
  send(path, kStart);
  EXPECT_FALSE(path.next_deadline());
  settings_.handshake_confirmed = true;
  path.on_settings_changed();
  EXPECT_TRUE(path.next_deadline());
}

TEST_F(PathRecovery, ClientProbesAServerThatMayBeAmplificationBlocked) {  // RFC 9002 §6.2.2.1
  settings_.handshake_confirmed = false;
  Path path = make(0, Path::Start::handshake);
  send(path, kStart, SpaceId::initial);
  out_.clear();
  const Instant acked = kStart + milliseconds(40);
  ASSERT_TRUE(path.on_ack(SpaceId::initial, ack_of(0, 0), acked, out_));
  ASSERT_TRUE(path.next_deadline()) << "nothing is in flight, yet the server may be waiting for us";
  fire_next(path);
  EXPECT_EQ(path.probes_owed(SpaceId::initial), 2);
  EXPECT_FALSE(path.potentially_failed());
}

TEST_F(PathRecovery, AntiDeadlockProbeUsesHandshakeKeysOnceThereAreSome) {  // RFC 9002 §6.2.2.1
  settings_.handshake_confirmed = false;
  settings_.has_handshake_keys = true;
  Path path = make(0, Path::Start::handshake);
  send(path, kStart, SpaceId::initial);
  path.discard_space(SpaceId::initial, out_);
  fire_next(path);
  EXPECT_EQ(path.probes_owed(SpaceId::handshake), 2);
}

TEST_F(PathRecovery, HandshakeAckEndsTheAntiDeadlockTimer) {
  settings_.handshake_confirmed = false;
  settings_.has_handshake_keys = true;
  Path path = make(0, Path::Start::handshake);
  send(path, kStart, SpaceId::handshake);
  out_.clear();
  ASSERT_TRUE(path.on_ack(SpaceId::handshake, ack_of(0, 0), kStart + milliseconds(40), out_));
  EXPECT_FALSE(path.next_deadline());
}

TEST_F(PathRecovery, ServerAtItsAmplificationLimitArmsNoPto) {  // RFC 9002 §6.2.2.1
  settings_ = settings_for(Role::server);
  settings_.handshake_confirmed = false;
  Path path = make(0, Path::Start::handshake);
  EXPECT_FALSE(path.on_datagram(tuple_of(1), ByteCount{1200}));
  for (int i = 0; i < 3; ++i) send(path, kStart, SpaceId::initial);
  EXPECT_EQ(path.send_budget(kStart), ByteCount{});
  EXPECT_FALSE(path.next_deadline());
  EXPECT_FALSE(path.on_datagram(tuple_of(1), ByteCount{1200}));
  EXPECT_TRUE(path.next_deadline());
  EXPECT_EQ(path.send_budget(kStart), ByteCount{3600});
}

TEST_F(PathRecovery, DiscardedSpaceGivesItsTokensBack) {  // RFC 9002 §6.4
  Path path = make(0, Path::Start::handshake);
  send(path, kStart, SpaceId::initial);
  path.discard_space(SpaceId::initial, out_);
  EXPECT_EQ(out_.lost.size(), 1U);
  EXPECT_EQ(path.bytes_in_flight(), ByteCount{});
  EXPECT_FALSE(path.has_space(SpaceId::initial));
  EXPECT_TRUE(path.on_ack(SpaceId::initial, ack_of(0, 0), kStart, out_)) << "late frames are harmless";
}

TEST_F(PathRecovery, RequeuedSpaceContinuesItsNumbers) {  // RFC 9000 §17.2.5.3
  Path path = make(0, Path::Start::handshake);
  send(path, kStart, SpaceId::initial);
  path.requeue_space(SpaceId::initial, out_);
  EXPECT_EQ(out_.lost.size(), 1U);
  EXPECT_EQ(path.space(SpaceId::initial).next_number(), PacketNumber{1});
}

TEST_F(PathRecovery, AckOfUnsentPacketIsAProtocolViolation) {  // RFC 9000 §13.1
  Path path = make();
  send(path, kStart);
  const auto result = path.on_ack(kApp, ack_of(0, 1), kStart, out_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, error::kProtocolViolation);
}

TEST_F(PathRecovery, EcnMarksReduceTheWindow) {  // RFC 9002 §7.1, digest 49
  Path path = make();
  for (int i = 0; i < 4; ++i) {
    SentPacket packet;
    packet.number = path.space(kApp).next_number();
    packet.time_sent = kStart;
    packet.bytes = kSize;
    packet.ack_eliciting = packet.in_flight = true;
    packet.ecn = path.ecn_codepoint();
    EXPECT_EQ(packet.ecn, Ecn::ect0);
    path.on_packet_sent(kApp, packet, {}, kStart);
  }
  const ByteCount window = path.congestion().window();
  AckFrame frame = ack_of(0, 3);
  frame.ecn = EcnCounts{.ect0 = 3, .ect1 = 0, .ce = 1};
  out_.clear();
  ASSERT_TRUE(path.on_ack(kApp, frame, kStart + milliseconds(40), out_));
  EXPECT_LT(path.congestion().window(), window);
}

TEST_F(PathRecovery, PathThatDropsMarkedPacketsIsNotMarkedForLong) {  // RFC 9000 §13.4.2, §A.4
  Path path = make();
  const auto send_marked = [&](Instant now) {
    SentPacket packet;
    packet.number = path.space(kApp).next_number();
    packet.time_sent = now;
    packet.bytes = kSize;
    packet.ecn = path.ecn_codepoint();
    packet.ack_eliciting = packet.in_flight = true;
    path.on_packet_sent(kApp, packet, {}, now);
    return packet.ecn;
  };
  Instant now = kStart;
  EXPECT_EQ(send_marked(now), Ecn::ect0);
  now = fire_next(path);
  EXPECT_EQ(send_marked(now), Ecn::ect0) << "one timeout proves little";
  now = fire_next(path);
  EXPECT_EQ(send_marked(now), Ecn::not_ect);
  EXPECT_EQ(send_marked(now), Ecn::not_ect);
  // The unmarked ones arrive, so the marked ones are lost: never again.
  now = ack(path, 2, 3, now + milliseconds(40));
  if (const Deadline lost = path.next_deadline()) fire(path, now = *lost);
  EXPECT_EQ(path.counters().packets_lost, 2U);
  EXPECT_EQ(send_marked(now), Ecn::not_ect);
}

TEST_F(PathRecovery, MtuProbeRaisesTheDatagramSize) {
  settings_.tuple.mtu = MtuConfig{.discover = true, .initial = 1200, .maximum = 1452};
  Path path = make();
  ASSERT_EQ(path.mtu_probe_size(kStart), 1452U);
  const PacketNumber number = send_probe(path, 1452, kStart);
  EXPECT_FALSE(path.mtu_probe_size(kStart));
  ack(path, number.value(), number.value(), kStart + milliseconds(40));
  EXPECT_EQ(path.max_datagram_size(), 1452U);
  EXPECT_EQ(path.view(kStart).max_datagram_size, 1452U);
}

TEST_F(PathRecovery, LostMtuProbeIsNoCongestionSignal) {  // RFC 9000 §14.4
  settings_.tuple.mtu = MtuConfig{.discover = true, .initial = 1200, .maximum = 1452};
  Path path = make();
  send_probe(path, 1452, kStart);
  for (int i = 0; i < 4; ++i) send(path, kStart);
  const ByteCount window = path.congestion().window();
  ack(path, 1, 4, kStart + milliseconds(40));
  EXPECT_EQ(out_.mtu_probes_lost.size(), 1U);
  EXPECT_GE(path.congestion().window(), window);
  EXPECT_EQ(path.mtu_probe_size(kStart + milliseconds(40)), 1452U) << "tried again";
}

TEST_F(PathRecovery, RepeatedPtoTriesSmallDatagrams) {  // RFC 8899 §4.3, lesson 16
  settings_.tuple.mtu = MtuConfig{.discover = true, .initial = 1452, .maximum = 1452};
  Path path = make();
  EXPECT_EQ(path.max_datagram_size(), 1452U);
  send(path, kStart, kApp, 1452);
  send(path, fire_next(path), kApp, 1452);
  EXPECT_EQ(path.max_datagram_size(), 1452U);
  fire_next(path);
  EXPECT_EQ(path.max_datagram_size(), 1200U);
}

TEST_F(PathRecovery, MixedTrafficFindsABlackHole) {  // small packets pass, big ones do not
  settings_.tuple.mtu = MtuConfig{.discover = true, .initial = 1452, .maximum = 1452};
  Path path = make();
  Instant now = kStart;
  for (int i = 0; i < 20 && path.max_datagram_size() > 1200; ++i) {
    send(path, now, kApp, 1452);
    std::uint64_t largest = 0;
    for (int j = 0; j < 4; ++j) largest = send(path, now, kApp, 100).value();
    now += milliseconds(40);
    ack(path, largest - 3, largest, now);
  }
  EXPECT_EQ(path.max_datagram_size(), 1200U);
}

TEST_F(PathRecovery, FullSocketBlocksThePath) {  // lesson 11
  Path path = make();
  settings_.blocked_sockets.push_back(path.active().addresses.local);
  EXPECT_TRUE(path.view(kStart).socket_blocked);
  EXPECT_EQ(path.send_budget(kStart), ByteCount{});
  settings_.blocked_sockets.clear();
  EXPECT_GT(path.send_budget(kStart), ByteCount{});
}

TEST_F(PathRecovery, UnackedTokensCanBeVisited) {  // for tail reinjection, lesson 14
  Path path = make();
  for (int i = 0; i < 3; ++i) send(path, kStart);
  ack(path, 1, 1, kStart + milliseconds(40));
  std::vector<std::uint64_t> numbers;
  path.for_each_unacked([&](const SentPacket& packet, const DeliveryToken&) {
    numbers.push_back(packet.number.value());
    return true;
  });
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{0, 2}));
}

TEST_F(PathRecovery, AbandonedPathSendsNothing) {  // digest 38
  Path path = make();
  send(path, kStart);
  path.abandon(kStart);
  EXPECT_EQ(path.state(), Path::State::abandoned);
  EXPECT_EQ(path.send_budget(kStart), ByteCount{});
  EXPECT_FALSE(path.next_probe());
  EXPECT_FALSE(path.mtu_probe_size(kStart));
}

TEST_F(PathRecovery, AbandonedPathRequeuesWhatIsNotAcknowledgedSoon) {  // lesson 12, digest 45
  Path path = make();
  for (int i = 0; i < 3; ++i) send(path, kStart);
  path.abandon(kStart);
  ack(path, 0, 1, kStart + milliseconds(40));
  EXPECT_EQ(labels_of(out_.acked).size(), 2U) << "late acknowledgements still count";
  fire_next(path);
  EXPECT_EQ(labels_of(out_.lost), (std::vector<std::uint64_t>{2}));
  EXPECT_EQ(path.probes_owed(kApp), 0);
}

TEST_F(PathRecovery, FailedPathRequeuesAtOnceWhenAbandoned) {  // lesson 14
  Path path = make();
  send(path, kStart);
  const Instant failed = fire_next(path);
  path.abandon(failed);
  ASSERT_EQ(path.next_deadline(), failed);
  fire(path, failed);
  EXPECT_EQ(out_.lost.size(), 1U);
}

TEST_F(PathRecovery, ClosingGivesBackEverything) {  // lesson 12
  Path path = make();
  for (int i = 0; i < 5; ++i) send(path, kStart);
  path.abandon(kStart);
  out_.clear();
  path.close(out_);
  EXPECT_EQ(out_.lost.size(), 5U);
  EXPECT_EQ(path.bytes_in_flight(), ByteCount{});
  EXPECT_FALSE(path.next_deadline());
}

TEST_F(PathRecovery, TakesNoMoreThanCanBeRemembered) {
  Path path = make();
  while (path.space(kApp).can_track()) send(path, kStart, kApp, 0);
  EXPECT_GE(path.view(kStart).window_room().value(), path.max_datagram_size());
  EXPECT_FALSE(path.view(kStart).can_send());
}

}  // namespace
}  // namespace mpquic
