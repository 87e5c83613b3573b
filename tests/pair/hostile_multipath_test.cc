// What a peer may do wrong on several paths, end to end: draft-ietf-quic-multipath-21.
#include <gtest/gtest.h>

#include <algorithm>

#include "stack/wire/frame_encode.h"
#include "stack/wire/frame_rules.h"
#include "tests/pair/pair.h"
#include "tests/pair/raw_peer.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;
using Closed = RawPeer::Closed;

constexpr std::uint64_t kLimit = 7;  // what the endpoint announces: max_paths - 1

Closed violation(std::uint64_t type) { return {error::kProtocolViolation, type}; }

std::vector<std::byte> parameter(std::uint64_t id, std::uint64_t value) {
  std::vector<std::byte> out(16);
  ByteWriter writer(out);
  EXPECT_TRUE(writer.write_varint(id) && writer.write_varint(varint_size(value)) && writer.write_varint(value));
  out.resize(writer.size());
  return out;
}

/// The handshake of a peer with these options ends so.
std::optional<Closed> handshake_of(const RawPeerOptions& options) {
  RawPeer peer(options);
  static_cast<void>(peer.handshake());
  return peer.closed();
}

/// Every frame of the extension that names a path, naming `path`.
std::vector<Frame> frames_naming(std::uint64_t path) {
  const PathId id{static_cast<std::uint32_t>(path)};
  std::array<std::byte, 8> cid{};
  cid.fill(std::byte{0xc1});
  return {AckFrame{.path = id, .largest = PacketNumber{0}, .ranges = {}, .ecn = {}},
          PathAbandonFrame{path, 0},
          PathStatusFrame{path, 1, true},
          PathStatusFrame{path, 2, false},
          NewConnectionIdFrame{.path = id, .sequence = 9, .retire_prior_to = 9, .id = ConnectionId(cid)},
          RetireConnectionIdFrame{.path = id, .sequence = 0},
          PathCidsBlockedFrame{path, 0}};
}

// --- §2.1 initial_max_path_id

TEST(HostileMultipath, APathIdLimitOf2To32IsATransportParameterError) {  // digest 3
  const auto raw = parameter(transport_parameter::kInitialMaxPathId, std::uint64_t{1} << 32);
  for (const Role role : {Role::client, Role::server}) {
    const RawPeerOptions options{
        .role = role, .parameters = [](auto& p) { p.initial_max_path_id.reset(); }, .more_parameters = raw};
    EXPECT_EQ(handshake_of(options), (Closed{error::kTransportParameterError, 0}));
  }
}

TEST(HostileMultipath, ThePathIdLimitOf2To32Minus1IsTaken) {  // digest 3
  RawPeer peer({.parameters = [](auto& p) { p.initial_max_path_id = kMaxPathIdValue; }});
  ASSERT_TRUE(peer.handshake());
  EXPECT_TRUE(peer.open_path(kOne));
}

TEST(HostileMultipath, AnOfferWithAZeroLengthConnectionIdIsAProtocolViolation) {  // digest 5
  for (const Role role : {Role::client, Role::server})
    EXPECT_EQ(handshake_of({.role = role, .cid_length = 0}), violation(0)) << static_cast<int>(role);
}

TEST(HostileMultipath, WithoutTheOfferAZeroLengthConnectionIdIsServed) {  // digest 5: the other side of the rule
  RawPeer peer({.cid_length = 0, .parameters = [](auto& p) { p.initial_max_path_id.reset(); }});
  EXPECT_TRUE(peer.handshake());
  EXPECT_FALSE(peer.endpoint_parameters->initial_max_path_id);  // nor could we take such an offer up
}

TEST(HostileMultipath, FramesWithoutNegotiationCloseTheConnection) {  // digest 1, RFC 9000 §12.4
  for (const Frame& frame : frames_naming(0)) {
    RawPeer peer({.parameters = [](auto& p) { p.initial_max_path_id.reset(); }});
    ASSERT_TRUE(peer.handshake());
    EXPECT_FALSE(peer.send(frame));
    EXPECT_EQ(peer.closed(), (Closed{error::kFrameEncodingError, type_of(frame)}));  // a frame of unknown type
  }
}

TEST(HostileMultipath, WithoutTheOfferNoMultipathFrameIsSent) {  // digest 1
  RawPeer peer({.parameters = [](auto& p) { p.initial_max_path_id.reset(); }});
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.send(PingFrame{}));
  peer.run_for(1s);
  for (const RawReceived& packet : peer.received) {
    RawPeer::for_each_frame(packet, [](const Frame& frame) {
      const FrameRule* rule = find_frame_rule(type_of(frame));
      EXPECT_NE(rule->extension, FrameExtension::multipath) << type_of(frame);
    });
  }
}

TEST(HostileMultipath, ALimitOfZeroEnablesTheExtensionWithoutPaths) {  // digest 4
  RawPeer peer({.parameters = [](auto& p) { p.initial_max_path_id = 0; }});
  ASSERT_TRUE(peer.handshake());
  EXPECT_TRUE(peer.endpoint->stats(peer.handle).multipath);
  EXPECT_EQ(peer.issued(kOne, 0), std::nullopt);  // digest 34: nothing above the peer's limit
  EXPECT_TRUE(peer.send(MaxPathIdFrame{1}));
  EXPECT_NE(peer.issued(kOne, 0), std::nullopt);
}

TEST(HostileMultipath, TheOfferIsNotRememberedByATicket) {  // digest 7
  PairOptions options;
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  std::optional<std::vector<std::byte>> ticket;
  ASSERT_TRUE(pair.run_until([&] { return ticket || (ticket = pair.client->take_ticket(pair.client_handle)); }));
  EndpointConfig single = options.server;
  single.server_tls = pair.server_tls;
  single.connection.multipath = false;
  pair.server = std::make_unique<Endpoint>(single, pair.rng);
  pair.connect_options.ticket = *ticket;
  pair.client_events.clear();
  pair.server_events.clear();
  ASSERT_TRUE(pair.connect());
  EXPECT_TRUE(pair.events_of<HandshakeCompleted>(false)[0].resumed);
  EXPECT_FALSE(pair.events_of<HandshakeCompleted>(false)[0].multipath);
}

TEST(HostileMultipath, HandshakePacketsAreAcknowledgedByPlainAcks) {  // digest 11
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  std::size_t acks = 0;
  for (const RawReceived& packet : peer.received) {
    if (packet.level == EncryptionLevel::one_rtt) continue;
    RawPeer::for_each_frame(packet, [&](const Frame& frame) {
      const auto* ack = std::get_if<AckFrame>(&frame);
      if (ack == nullptr) return;
      ++acks;
      EXPECT_EQ(ack->path, std::nullopt);
    });
  }
  EXPECT_GT(acks, 0U);
}

// --- §2.3 ACK and PATH_ACK

TEST(HostileMultipath, APlainAckIsAboutPathZeroAfterNegotiation) {  // digest 12
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.run_for(1s);
  EXPECT_EQ(stats_of(peer, kInitialPath)->bytes_in_flight, ByteCount{});  // the raw peer acknowledged all with 0x02
  ASSERT_TRUE(peer.open_path(kOne));
  peer.acknowledges = false;
  const auto stream = peer.endpoint->open_stream(peer.handle, Directionality::unidirectional);
  ASSERT_TRUE(stream && peer.endpoint->write(peer.handle, *stream, std::vector<std::byte>(100'000), false));
  peer.send(PingFrame{});
  EXPECT_GT(stats_of(peer, kInitialPath)->bytes_in_flight, ByteCount{});
  const ByteCount other = stats_of(peer, kOne)->bytes_in_flight;
  peer.acknowledges = true;
  std::uint64_t largest = 0;
  for (const RawReceived& packet : peer.received)
    if (packet.path == kInitialPath && packet.level == EncryptionLevel::one_rtt)
      largest = std::max(largest, packet.number.value());
  ASSERT_TRUE(
      peer.send(AckFrame{.path = {}, .largest = PacketNumber{largest}, .ranges = {}, .ecn = {}}, {.path = kOne}));
  EXPECT_EQ(peer.closed(), std::nullopt);
  EXPECT_GE(stats_of(peer, kOne)->bytes_in_flight, other);
}

TEST(HostileMultipath, PathAckIsUsedOnceNegotiated) {  // digest 13
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.received.clear();
  peer.send(PingFrame{});
  peer.run_for(100ms);
  const auto acks = peer.frames<AckFrame>();
  ASSERT_FALSE(acks.empty());
  for (const AckFrame& ack : acks) EXPECT_EQ(ack.path, kInitialPath);
}

TEST(HostileMultipath, AcknowledgingAnUnsentPacketOfAnyPathIsAProtocolViolation) {  // §4.1, RFC 9000 §13.1
  for (const PathId path : {kInitialPath, kOne}) {
    RawPeer peer;
    ASSERT_TRUE(peer.handshake());
    ASSERT_TRUE(peer.open_path(kOne));
    EXPECT_FALSE(peer.send(AckFrame{.path = path, .largest = PacketNumber{100'000}, .ranges = {}, .ecn = {}}));
    EXPECT_EQ(peer.closed(), violation(frame_type::kPathAck));
  }
}

TEST(HostileMultipath, AcknowledgingAPathNeverUsedIsAProtocolViolation) {  // §4.1, RFC 9000 §13.1
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  EXPECT_FALSE(peer.send(AckFrame{.path = PathId{5}, .largest = PacketNumber{0}, .ranges = {}, .ecn = {}}));
  EXPECT_EQ(peer.closed(), violation(frame_type::kPathAck));
}

TEST(HostileMultipath, EcnCountsArePerPath) {  // digest 49
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  peer.received.clear();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne, .ecn = Ecn::ect0}));
  ASSERT_TRUE(peer.send(PingFrame{}, {.path = kOne, .ecn = Ecn::ce}));
  ASSERT_TRUE(peer.send(PingFrame{}));
  peer.run_for(100ms);
  std::optional<EcnCounts> one;
  for (const AckFrame& ack : peer.frames<AckFrame>()) {
    if (ack.path == kOne) one = ack.ecn;
    if (ack.path == kInitialPath) {
      EXPECT_EQ(ack.ecn.value_or(EcnCounts{}), EcnCounts{});
    }
  }
  EXPECT_EQ(one, (EcnCounts{.ect0 = 4, .ect1 = 0, .ce = 1}));
}

// --- §2.4 nonce

TEST(HostileMultipath, APacketSealedForAnotherPathDoesNotDecrypt) {  // digest 2, 14
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const auto before = peer.drops(DropReason::decryption_failed);
  EXPECT_TRUE(peer.send(PingFrame{}, {.path = kInitialPath, .dcid = peer.issued(kOne, 0)}));
  EXPECT_EQ(peer.drops(DropReason::decryption_failed), before + 1);
  EXPECT_FALSE(stats_of(peer, kOne));  // and opens nothing
}

// --- §3.2 connection IDs

TEST(HostileMultipath, ConnectionIdsBeyondThePathsLimitAreAnError) {  // digest 8
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const std::uint64_t limit = peer.endpoint_parameters->active_connection_id_limit;
  for (std::uint64_t i = 0; i < limit; ++i) peer.issue(kOne, i);
  for (std::uint64_t i = 0; i < limit; ++i) peer.issue(PathId{2}, i);
  EXPECT_EQ(peer.closed(), std::nullopt);
  peer.issue(kOne, limit);
  EXPECT_EQ(peer.closed(), (Closed{error::kConnectionIdLimitError, frame_type::kPathNewConnectionId}));
}

TEST(HostileMultipath, OneConnectionIdForTwoPathsIsAProtocolViolation) {  // §4.4
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const ConnectionId id = peer.issue(kOne, 0);
  peer.send(NewConnectionIdFrame{.path = PathId{2}, .sequence = 0, .retire_prior_to = 0, .id = id});
  EXPECT_EQ(peer.closed(), violation(frame_type::kPathNewConnectionId));
}

TEST(HostileMultipath, RetiringAnIdNeverIssuedIsAProtocolViolation) {  // §4.5
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.send(RetireConnectionIdFrame{.path = kOne, .sequence = 77});
  EXPECT_EQ(peer.closed(), violation(frame_type::kPathRetireConnectionId));
}

TEST(HostileMultipath, RetiringThePacketsOwnIdIsAProtocolViolation) {  // §4.5, RFC 9000 §19.16
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  peer.send(RetireConnectionIdFrame{.path = kOne, .sequence = 0}, {.path = kOne, .dcid = peer.issued(kOne, 0)});
  EXPECT_EQ(peer.closed(), violation(frame_type::kPathRetireConnectionId));
}

TEST(HostileMultipath, ARetiredIdIsReplacedOnItsPath) {  // digest 37
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  EXPECT_EQ(peer.issued(kOne, 3), std::nullopt);
  ASSERT_TRUE(peer.send(RetireConnectionIdFrame{.path = kOne, .sequence = 0}));
  EXPECT_NE(peer.issued(kOne, 3), std::nullopt);
}

// --- §4 frames

TEST(HostileMultipath, MultipathFramesInHandshakePacketsAreProtocolViolations) {  // digest 46
  std::vector<Frame> frames = frames_naming(0);
  frames.insert(frames.end(), {MaxPathIdFrame{100}, PathsBlockedFrame{0}});
  for (const Frame& frame : frames) {
    for (const auto level : {EncryptionLevel::initial, EncryptionLevel::handshake}) {
      RawPeer peer;
      peer.finishes = peer.acknowledges = false;
      peer.start();
      ASSERT_EQ(peer.closed(), std::nullopt);
      peer.send(frame, {.level = level, .pad_to = kMinInitialDatagram});
      EXPECT_EQ(peer.closed(), violation(type_of(frame)));
    }
  }
}

TEST(HostileMultipath, FramesNamingAPathAboveTheLimitAreProtocolViolations) {  // digest 47
  for (const std::uint64_t path : {kLimit + 1, kMaxPathIdValue}) {
    for (const Frame& frame : frames_naming(path)) {
      RawPeer peer;
      ASSERT_TRUE(peer.handshake());
      EXPECT_FALSE(peer.send(frame));
      EXPECT_EQ(peer.closed()->error, error::kProtocolViolation) << type_of(frame);
      EXPECT_EQ(peer.closed()->frame_type, type_of(frame));
    }
  }
}

TEST(HostileMultipath, FramesForAnAbandonedPathAreIgnored) {  // digest 48
  for (const bool deleted : {false, true}) {
    RawPeer peer;
    ASSERT_TRUE(peer.handshake());
    ASSERT_TRUE(peer.open_path(kOne));
    ASSERT_TRUE(peer.send(PathAbandonFrame{1, 0}));
    if (deleted) peer.run_for(10s);
    for (const Frame& frame : frames_naming(1)) EXPECT_TRUE(peer.send(frame)) << type_of(frame);
    EXPECT_TRUE(peer.send(PathCidsBlockedFrame{1, 1000}));  // would be an error on a path that is not
    EXPECT_TRUE(peer.send(RetireConnectionIdFrame{.path = kOne, .sequence = 1000}));
  }
}

TEST(HostileMultipath, StaleStatusIsIgnoredAcrossBothTypes) {  // digest 51, 52
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  ASSERT_TRUE(peer.send(PathStatusFrame{1, 5, true}));
  ASSERT_TRUE(peer.send(PathStatusFrame{1, 5, false}));  // equal
  ASSERT_TRUE(peer.send(PathStatusFrame{1, 4, false}));  // older
  EXPECT_FALSE(stats_of(peer, kOne)->backup);
  ASSERT_TRUE(peer.send(PathStatusFrame{0, 4, false}));  // path 0 counts for itself
  EXPECT_TRUE(stats_of(peer, kInitialPath)->backup);
  ASSERT_TRUE(peer.send(PathStatusFrame{1, 6, false}));
  EXPECT_TRUE(stats_of(peer, kOne)->backup);
}

TEST(HostileMultipath, MaxPathIdIsBounded) {  // digest 57
  struct Row {
    std::uint64_t maximum;
    bool legal;
  };
  for (const Row row : {Row{kMaxPathIdValue, true}, Row{7, true}, Row{8, true}, Row{6, false},
                        Row{kMaxPathIdValue + 1, false}, Row{kMaxVarint, false}}) {
    RawPeer peer;  // offers 7
    ASSERT_TRUE(peer.handshake());
    EXPECT_EQ(peer.send(MaxPathIdFrame{row.maximum}), row.legal) << row.maximum;
    if (!row.legal) {
      EXPECT_EQ(peer.closed(), violation(frame_type::kMaxPathId));
    }
  }
}

TEST(HostileMultipath, AMaxPathIdThatDoesNotIncreaseIsIgnored) {  // digest 57
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.send(MaxPathIdFrame{20}));
  ASSERT_TRUE(peer.send(MaxPathIdFrame{10}));
  EXPECT_TRUE(peer.open_path(kOne));
}

TEST(HostileMultipath, PathsBlockedAboveTheLimitIsAProtocolViolation) {  // digest 58
  for (const std::uint64_t at : {std::uint64_t{0}, kLimit, kLimit + 1}) {
    RawPeer peer;
    ASSERT_TRUE(peer.handshake());
    EXPECT_EQ(peer.send(PathsBlockedFrame{at}), at <= kLimit);
    if (at > kLimit) {
      EXPECT_EQ(peer.closed(), violation(frame_type::kPathsBlocked));
    }
  }
}

TEST(HostileMultipath, PathCidsBlockedMayExpectTheNextSequenceButNotMore) {  // digest 59
  for (const std::uint64_t next : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}}) {
    RawPeer peer;  // the endpoint has issued one connection ID for the unused path 1
    ASSERT_TRUE(peer.handshake());
    EXPECT_EQ(peer.send(PathCidsBlockedFrame{1, next}), next <= 1);
    if (next > 1) {
      EXPECT_EQ(peer.closed(), violation(frame_type::kPathCidsBlocked));
    }
  }
}

}  // namespace
}  // namespace mpquic::test
