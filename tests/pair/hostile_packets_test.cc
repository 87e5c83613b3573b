// Packets, datagrams and transport parameters that break the rules. What does not authenticate is dropped and counted;
// what does is an error (RFC 9000, RFC 9001).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "stack/crypto/hkdf.h"
#include "stack/crypto/suite.h"
#include "tests/pair/pair.h"
#include "tests/pair/raw_peer.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;
using Closed = RawPeer::Closed;

std::vector<std::byte> concat(Bytes a, Bytes b) {
  std::vector<std::byte> out(a.begin(), a.end());
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

/// A first Initial as a client would send it, to a connection ID of our choice.
std::vector<std::byte> first_initial(RawPeer& peer, const ConnectionId& dcid, std::size_t size) {
  KeyRing keys;
  keys.install_initial(dcid, Role::client);
  const CryptoFrame hello{0, peer.crypto(EncryptionLevel::initial)};
  return peer.seal({.level = EncryptionLevel::initial, .dcid = dcid, .number = 0, .pad_to = size, .keys = &keys},
                   RawPeer::encoded(hello));
}

ConnectionId cid_of(std::size_t length, unsigned fill) {
  std::array<std::byte, ConnectionId::kMaxLength> bytes{};
  bytes.fill(static_cast<std::byte>(fill));
  return ConnectionId(Bytes(bytes).first(length));
}

/// Has `peer` update its keys, whatever the rules say.
void force_key_update(RawPeer& peer) {
  peer.keys.set_handshake_confirmed();
  peer.keys.set_update_interval(Duration{});
  peer.keys.on_current_phase_acked(peer.now);
  peer.keys.request_update();
  ASSERT_TRUE(peer.keys.before_sending(peer.now));
}

// --- First packets

TEST(HostilePackets, AnInitialInASmallDatagramIsDropped) {  // RFC 9000 §14.1
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const SocketAddress stranger = Pair::client_address(9);
  for (const std::size_t size : {700U, 1199U}) peer.deliver(first_initial(peer, cid_of(8, 1), size), stranger);
  EXPECT_EQ(peer.drops(DropReason::datagram_too_small), 2U);
  EXPECT_EQ(peer.endpoint->connection_count(), 1U);
  EXPECT_EQ(peer.bytes_to[stranger], 0U);
  peer.deliver(first_initial(peer, cid_of(8, 1), 1200), stranger);
  EXPECT_EQ(peer.endpoint->connection_count(), 2U);
}

TEST(HostilePackets, ASmallInitialOfAKnownConnectionIsDroppedToo) {  // RFC 9000 §14.1
  RawPeer peer;
  peer.finishes = peer.acknowledges = false;
  peer.start();
  EXPECT_TRUE(peer.send(HandshakeDoneFrame{}, {.level = EncryptionLevel::initial}));  // would close
  EXPECT_EQ(peer.drops(DropReason::datagram_too_small), 1U);
}

TEST(HostilePackets, AnInitialToAShortConnectionIdIsDropped) {  // RFC 9000 §7.2: at least 8 bytes
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.deliver(first_initial(peer, cid_of(7, 1), 1200), Pair::client_address(9));
  EXPECT_EQ(peer.endpoint->connection_count(), 1U);
  EXPECT_EQ(peer.bytes_to[Pair::client_address(9)], 0U);
}

TEST(HostilePackets, ACorruptedInitialMakesNoConnection) {  // RFC 9001 §5.2
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  auto initial = first_initial(peer, cid_of(8, 1), 1200);
  initial[600] ^= std::byte{1};
  peer.deliver(initial, Pair::client_address(9));
  EXPECT_EQ(peer.endpoint->connection_count(), 1U);
  EXPECT_EQ(peer.drops(DropReason::decryption_failed), 1U);
  EXPECT_EQ(peer.bytes_to[Pair::client_address(9)], 0U);
}

TEST(HostilePackets, AnUnvalidatedClientGetsAtMostThreeTimesWhatItSent) {  // RFC 9000 §8.1
  RawPeer peer;
  peer.finishes = peer.acknowledges = false;
  peer.start();
  peer.run_for(9s);
  EXPECT_GT(peer.bytes_to[peer.address_of(kInitialPath)], 1200U);
  EXPECT_LE(peer.bytes_to[peer.address_of(kInitialPath)], 3U * 1200U);
}

TEST(HostilePackets, HandshakesThatNeverEndAreForgotten) {
  RawPeer peer;
  peer.finishes = peer.acknowledges = false;
  peer.start();
  EXPECT_EQ(peer.endpoint->connection_count(), 1U);
  peer.run_for(60s);
  EXPECT_EQ(peer.endpoint->connection_count(), 0U);
}

TEST(HostilePackets, ARetryOrVersionNegotiationToAServerIsDropped) {  // RFC 9000 §17.2.1, §17.2.5
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  for (const std::uint8_t first : {std::uint8_t{0xf0}, std::uint8_t{0x80}}) {
    std::vector<std::byte> packet(1199);  // behind the header of Version Negotiation, whole versions
    packet[0] = std::byte{first};
    packet[4] = std::byte{first == 0xf0 ? std::uint8_t{1} : std::uint8_t{0}};
    packet[5] = std::byte{8};
    std::ranges::copy(peer.issued(kInitialPath, 0)->bytes(), packet.begin() + 6);
    EXPECT_TRUE(peer.deliver(packet, peer.address_of(kInitialPath)));
  }
  EXPECT_TRUE(peer.send(PingFrame{}));
  EXPECT_EQ(peer.drops(DropReason::invalid_retry) + peer.drops(DropReason::unsupported_version), 2U);
}

TEST(HostilePackets, ZeroRttPacketsAreDropped) {  // docs/adr/0005
  RawPeer peer;
  peer.finishes = false;
  peer.start();
  auto packet = peer.seal({.level = EncryptionLevel::handshake}, RawPeer::encoded(PingFrame{}));
  packet[0] = (packet[0] & std::byte{0xcf}) | std::byte{0x10};
  EXPECT_TRUE(peer.deliver(packet, peer.address_of(kInitialPath)));
  EXPECT_EQ(peer.drops(DropReason::unexpected_packet_type), 1U);
}

TEST(HostilePackets, APacketBeforeTheHandshakeIsCompleteIsNotProcessed) {  // RFC 9001 §5.7
  RawPeer peer;
  peer.finishes = false;
  peer.start();
  ASSERT_TRUE(peer.keys.has_write(EncryptionLevel::one_rtt));
  EXPECT_TRUE(peer.send(HandshakeDoneFrame{}));  // would close
  EXPECT_EQ(peer.drops(DropReason::keys_unavailable), 1U);
}

// --- Headers

TEST(HostilePackets, ReservedBitsAreAProtocolViolation) {  // RFC 9000 §17.2, §17.3.1
  for (const std::uint8_t bits : {std::uint8_t{0x08}, std::uint8_t{0x10}, std::uint8_t{0x18}}) {
    RawPeer peer;
    ASSERT_TRUE(peer.handshake());
    peer.send(PingFrame{}, {.flip = bits});
    EXPECT_EQ(peer.closed(), (Closed{error::kProtocolViolation, 0}));
  }
  for (const std::uint8_t bits : {std::uint8_t{0x04}, std::uint8_t{0x08}}) {
    RawPeer peer;
    peer.finishes = false;
    peer.start();
    peer.send(PingFrame{}, {.level = EncryptionLevel::handshake, .flip = bits});
    EXPECT_EQ(peer.closed(), (Closed{error::kProtocolViolation, 0}));
  }
}

TEST(HostilePackets, ReservedBitsOfAForgedPacketAreNot) {  // only what authenticates counts
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  auto packet = peer.seal({.flip = 0x18}, RawPeer::encoded(PingFrame{}));
  packet.back() ^= std::byte{1};
  EXPECT_TRUE(peer.deliver(packet, peer.address_of(kInitialPath)));
  EXPECT_EQ(peer.drops(DropReason::decryption_failed), 1U);
}

TEST(HostilePackets, ACoalescedPacketToAnotherConnectionIdIsDropped) {  // RFC 9000 §12.2
  // A Handshake packet ends where its Length says; the short one behind it names another connection ID of ours.
  RawPeer half;
  half.finishes = half.acknowledges = false;
  half.start();
  const auto first = half.seal({.level = EncryptionLevel::handshake}, RawPeer::encoded(PingFrame{}));
  const auto second = half.seal({.level = EncryptionLevel::handshake, .dcid = cid_of(8, 0x77)},
                                RawPeer::encoded(HandshakeDoneFrame{}));  // would close
  EXPECT_TRUE(half.deliver(concat(first, second), half.address_of(kInitialPath)));
  EXPECT_EQ(half.drops(DropReason::coalesced_mismatch), 1U);
  EXPECT_EQ(half.drops(DropReason::decryption_failed), 0U);
}

TEST(HostilePackets, AChangedSourceConnectionIdIsDropped) {  // RFC 9000 §7.2
  RawPeer peer;
  peer.finishes = peer.acknowledges = false;
  peer.start();
  const ConnectionId honest = std::exchange(peer.local_cid, cid_of(8, 0x55));
  EXPECT_TRUE(peer.send(HandshakeDoneFrame{}, {.level = EncryptionLevel::handshake}));  // would close
  EXPECT_EQ(peer.drops(DropReason::coalesced_mismatch), 1U);
  peer.local_cid = honest;
}

// --- Replays and old packets

TEST(HostilePackets, AReplayedPacketIsNotProcessedTwice) {  // RFC 9000 §12.3
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const StreamFrame data{StreamId{2}, 0, as_bytes("once"), false};
  const auto packet = peer.seal({}, RawPeer::encoded(data));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(peer.deliver(packet, peer.address_of(kInitialPath)));
  EXPECT_EQ(peer.drops(DropReason::duplicate_packet), 99U);
  EXPECT_EQ(peer.count_events<StreamOpened>(), 1U);
}

TEST(HostilePackets, AReplayFromAnotherAddressMovesNothing) {  // RFC 9000 §9.3
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const auto packet = peer.seal({}, RawPeer::encoded(PingFrame{}));
  ASSERT_TRUE(peer.deliver(packet, peer.address_of(kInitialPath)));
  const SocketAddress thief = Pair::client_address(200);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(peer.deliver(packet, thief));
  EXPECT_EQ(peer.drops(DropReason::duplicate_packet), 10U);
  EXPECT_EQ(peer.bytes_to[thief], 0U);
}

TEST(HostilePackets, APacketOlderThanTheReplayWindowIsDropped) {  // RFC 9000 §12.3
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const auto old = peer.seal({}, RawPeer::encoded(HandshakeDoneFrame{}));  // would close
  ASSERT_TRUE(peer.send(PingFrame{}, {.number = 1'000'000}));
  EXPECT_TRUE(peer.deliver(old, peer.address_of(kInitialPath)));
  EXPECT_EQ(peer.drops(DropReason::packet_too_old), 1U);
}

// --- Keys

TEST(HostilePackets, KeyUpdatesAreFollowed) {  // RFC 9001 §6: the control of the next ones
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  force_key_update(peer);
  ASSERT_TRUE(peer.send(PingFrame{}));
  EXPECT_EQ(peer.endpoint->stats(peer.handle).key_updates, 1U);
}

TEST(HostilePackets, OldKeysOnLaterPacketsAreDropped) {  // RFC 9001 §6.4
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  KeyRing old;
  for (const TlsSecretReady& secret : peer.secrets) old.install(secret);
  const auto late = peer.seal({.keys = &old}, RawPeer::encoded(PingFrame{}));  // sealed before, arrives after
  force_key_update(peer);
  ASSERT_TRUE(peer.send(PingFrame{}));
  EXPECT_TRUE(peer.deliver(late, peer.address_of(kInitialPath)));
  EXPECT_EQ(peer.drops(DropReason::decryption_failed), 0U);  // §6.5: previous keys are kept for a while
  EXPECT_TRUE(peer.send(PingFrame{}, {.keys = &old}));
  EXPECT_EQ(peer.drops(DropReason::decryption_failed), 1U);
  EXPECT_TRUE(peer.send(PingFrame{}));
}

TEST(HostilePackets, PreviousKeysAreForgotten) {  // RFC 9001 §6.5
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const auto late = peer.seal({}, RawPeer::encoded(PingFrame{}));
  force_key_update(peer);
  ASSERT_TRUE(peer.send(PingFrame{}));
  peer.run_for(10s);
  EXPECT_TRUE(peer.deliver(late, peer.address_of(kInitialPath)));
  EXPECT_EQ(peer.drops(DropReason::decryption_failed), 1U);
}

TEST(HostilePackets, ASecondUpdateBeforeTheFirstIsAcknowledgedIsAKeyUpdateError) {  // RFC 9001 §6.2
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const auto write = std::ranges::find_if(
      peer.secrets, [](const auto& secret) { return secret.level == EncryptionLevel::one_rtt && secret.write; });
  TlsSecretReady twice = *write;
  for (int i = 0; i < 2; ++i) twice.secret = hkdf_expand_secret(hash_of(twice.suite), twice.secret.view(), "quic ku");
  KeyRing ahead;  // its key phase is 0, as that of the second update
  ahead.install(twice);
  force_key_update(peer);
  auto first = peer.seal({}, RawPeer::encoded(PingFrame{}));
  const FourTuple tuple{peer.endpoint_address(kInitialPath), peer.address_of(kInitialPath)};
  peer.endpoint->receive({tuple, Ecn::not_ect, first, first.size()}, peer.now);
  peer.send(PingFrame{}, {.keys = &ahead});
  EXPECT_EQ(peer.closed(), (Closed{error::kKeyUpdateError, 0}));
}

TEST(HostilePackets, AForgedKeyPhaseCostsNothing) {  // RFC 9001 §6.3, §9.5
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(peer.send(PingFrame{}, {.flip = first_byte::kKeyPhase}));
  EXPECT_EQ(peer.drops(DropReason::decryption_failed), 100U);
  EXPECT_EQ(peer.endpoint->stats(peer.handle).key_updates, 0U);
}

// --- Stateless resets

TEST(HostilePackets, ALiveConnectionIdYieldsNoReset) {  // RFC 9000 §21.11: no oracle
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  std::vector<std::byte> probe(100, std::byte{0x40});
  std::ranges::copy(peer.issued(kInitialPath, 0)->bytes(), probe.begin() + 1);
  EXPECT_TRUE(peer.deliver(probe, Pair::client_address(9)));
  EXPECT_EQ(peer.bytes_to[Pair::client_address(9)], 0U);
  EXPECT_EQ(peer.drops(DropReason::decryption_failed), 1U);
}

TEST(HostilePackets, AResetIsShorterThanItsTrigger) {  // RFC 9000 §10.3.3
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  for (std::size_t size = 9; size < 100; ++size) {
    const SocketAddress from = Pair::client_address(static_cast<std::uint8_t>(100 + size));
    peer.deliver(std::vector<std::byte>(size, std::byte{0x40}), from);
    EXPECT_LT(peer.bytes_to[from], size);
  }
}

TEST(HostilePackets, TwoEndpointsDoNotAnswerEachOtherForEver) {  // RFC 9000 §10.3.3
  SeededRng rng(1);
  Endpoint a({}, rng);
  Endpoint b({}, rng);
  std::vector<std::byte> datagram(1200, std::byte{0x40});
  FourTuple at{Pair::client_address(0), Pair::server_address()};
  Instant now{};
  int rounds = 0;
  for (Endpoint* receiver = &a; !datagram.empty(); receiver = receiver == &a ? &b : &a, ++rounds) {
    ASSERT_LT(rounds, 100);
    receiver->receive({at, Ecn::not_ect, datagram, datagram.size()}, now);
    std::vector<std::byte> answer(2000);
    const auto sent = receiver->poll_transmit(answer, now);
    answer.resize(sent ? sent->size : 0);
    datagram = answer;
    std::swap(at.local, at.remote);
  }
  EXPECT_LE(rounds, 25);
}

TEST(HostilePackets, EveryPacketIsLongEnoughToBeAnsweredByAReset) {  // RFC 9000 §10.3
  for (const std::size_t cid_length : {std::size_t{0}, std::size_t{1}, kLocalCidLength}) {
    RawPeer peer({.cid_length = cid_length, .parameters = [](auto& p) { p.initial_max_path_id.reset(); }});
    ASSERT_TRUE(peer.handshake());
    peer.received.clear();
    const auto stream = peer.endpoint->open_stream(peer.handle, Directionality::unidirectional);
    ASSERT_TRUE(stream && peer.endpoint->write(peer.handle, *stream, as_bytes("x"), false));
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(peer.send(PingFrame{}));  // acknowledged, with little else to say
      peer.run_for(50ms);
    }
    std::size_t smallest = kMaxDatagram;
    for (const RawReceived& packet : peer.received) smallest = std::min(smallest, packet.datagram_size);
    EXPECT_GE(smallest, 22 + kLocalCidLength) << cid_length;
    EXPECT_LT(smallest, 64U);
  }
}

TEST(HostilePackets, APeersCloseIsAnsweredOnceOnThePathThatBroughtIt) {  // RFC 9000 §10.2.2
  for (const Role role : {Role::client, Role::server}) {
    RawPeer peer({.role = role});
    ASSERT_TRUE(peer.handshake());
    if (role == Role::client) {
      ASSERT_TRUE(peer.open_path(kOne));
    }
    const PathId path = role == Role::client ? kOne : kInitialPath;
    peer.received.clear();
    const ConnectionCloseFrame close{.application = true, .error = 7, .frame_type = 0, .reason = as_bytes("bye")};
    peer.send(close, {.path = path});
    for (int i = 0; i < 40; ++i) peer.send(PingFrame{}, {.path = path});  // draining: nothing more
    peer.run_for(10s);
    const auto answers = peer.frames<ConnectionCloseFrame>();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_FALSE(answers[0].application);
    EXPECT_EQ(answers[0].error, error::kNoError);
    ASSERT_EQ(peer.received.size(), 1U);
    EXPECT_EQ(peer.received[0].path, path);
    EXPECT_EQ(peer.endpoint->connection_count(), 0U);
    ASSERT_EQ(peer.count_events<ConnectionClosed>(), 1U);  // with the peer's reason, not ours
    for (const ConnectionEvent& event : peer.events) {
      const auto* closed = std::get_if<ConnectionClosed>(&event);
      if (closed == nullptr) continue;
      EXPECT_EQ(closed->source, CloseSource::peer);
      EXPECT_EQ(closed->error, 7U);
    }
  }
}

// --- Transport parameters

std::optional<Closed> handshake_with(Role role, std::function<void(TransportParameters&)> change,
                                     std::initializer_list<unsigned> more = {}) {
  RawPeerOptions options{.role = role, .parameters = std::move(change)};
  for (const unsigned value : more) options.more_parameters.push_back(static_cast<std::byte>(value));
  RawPeer peer(options);
  static_cast<void>(peer.handshake());
  return peer.closed();
}

TEST(HostileParameters, AreAcceptedWithinTheirRanges) {  // the control of the next ones
  EXPECT_EQ(handshake_with(Role::client, [](auto& p) { p.max_ack_delay = kMaxMaxAckDelay; }), std::nullopt);
  EXPECT_EQ(handshake_with(Role::server, [](auto& p) { p.ack_delay_exponent = kMaxAckDelayExponent; }), std::nullopt);
  EXPECT_EQ(handshake_with(Role::client, nullptr, {0x1b, 0}), std::nullopt);  // reserved: 31 * 0 + 27
}

TEST(HostileParameters, OutOfRangeOrTwiceAreTransportParameterErrors) {  // RFC 9000 §7.4, §18.2
  const Closed wrong{error::kTransportParameterError, 0};
  const auto without_limits = [](TransportParameters& p) {  // what is appended would be there twice
    p.active_connection_id_limit = kMinActiveConnectionIdLimit;
    p.initial_max_streams_bidi = 0;
  };
  for (const Role role : {Role::client, Role::server}) {
    EXPECT_EQ(handshake_with(role, nullptr, {0x0a, 1, 21}), wrong);                // ack_delay_exponent
    EXPECT_EQ(handshake_with(role, nullptr, {0x03, 2, 0x44, 0xaf}), wrong);        // max_udp_payload_size 1199
    EXPECT_EQ(handshake_with(role, nullptr, {0x0b, 4, 0x80, 0, 0x40, 0}), wrong);  // max_ack_delay 2^14
    EXPECT_EQ(handshake_with(role, without_limits, {0x0e, 1, 1}), wrong);          // active_connection_id_limit
    EXPECT_EQ(handshake_with(role, without_limits, {0x08, 8, 0xd0, 0, 0, 0, 0, 0, 0, 1}), wrong);  // 2^60 + 1 streams
    EXPECT_EQ(handshake_with(role, without_limits), std::nullopt);
    EXPECT_EQ(handshake_with(role, nullptr, {0x01, 1, 5, 0x01, 1, 5}), wrong);  // max_idle_timeout twice
    EXPECT_EQ(handshake_with(role, nullptr, {0x01, 9, 5}), wrong);              // a length that lies
  }
}

TEST(HostileParameters, OfServersFromAClientAreTransportParameterErrors) {  // RFC 9000 §18.2
  const Closed wrong{error::kTransportParameterError, 0};
  EXPECT_EQ(handshake_with(Role::client, nullptr, {0x00, 0}), wrong);  // original_destination_connection_id
  EXPECT_EQ(handshake_with(Role::client, nullptr, {0x02, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}),
            wrong);
  EXPECT_EQ(handshake_with(Role::client, nullptr, {0x10, 0}), wrong);  // retry_source_connection_id
}

TEST(HostileParameters, ConnectionIdsMustBeThoseOfTheHandshake) {  // RFC 9000 §7.3
  const Closed wrong{error::kTransportParameterError, 0};
  for (const Role role : {Role::client, Role::server}) {
    EXPECT_EQ(handshake_with(role, [](auto& p) { p.initial_source_connection_id = cid_of(8, 9); }), wrong);
    EXPECT_EQ(handshake_with(role, [](auto& p) { p.initial_source_connection_id.reset(); }), wrong);
  }
  EXPECT_EQ(handshake_with(Role::server, [](auto& p) { p.original_destination_connection_id = cid_of(8, 9); }), wrong);
  EXPECT_EQ(handshake_with(Role::server, [](auto& p) { p.original_destination_connection_id.reset(); }), wrong);
  EXPECT_EQ(handshake_with(Role::server, [](auto& p) { p.retry_source_connection_id = cid_of(8, 9); }), wrong);
}

}  // namespace
}  // namespace mpquic::test
