// Floods: whatever a peer repeats, memory and answers stay bounded (RFC 9000 §21, draft-21 §7).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "stack/conn/crypto_stream.h"
#include "stack/wire/frame_decode.h"
#include "tests/pair/flood.h"
#include "tests/pair/pair.h"
#include "tests/pair/raw_peer.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

std::vector<std::byte> repeated(const Frame& frame, std::size_t count) {
  const auto one = RawPeer::encoded(frame);
  std::vector<std::byte> out;
  for (std::size_t i = 0; i < count; ++i) out.insert(out.end(), one.begin(), one.end());
  return out;
}

// --- Frames

TEST(HostileFlood, Pings) {
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.send(PingFrame{}));
  const Flood flood(peer);
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(peer.send(PingFrame{}));
  EXPECT_LT(flood.growth(), kMegabyte);
}

TEST(HostileFlood, PingsFromAPeerThatNeverAcknowledges) {  // RFC 9000 §13.2.4: ACK-only packets escape every window
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.send(PingFrame{}));
  peer.acknowledges = false;
  const Flood flood(peer);
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(peer.send(PingFrame{}));
  EXPECT_LT(flood.growth(), 4 * kMegabyte);
  peer.run_for(5s);
  EXPECT_EQ(peer.closed(), std::nullopt);
}

TEST(HostileFlood, PathChallenges) {  // RFC 9000 §8.2.2, §21.9
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  const Flood flood(peer);
  const auto challenges = repeated(PathChallengeFrame{}, 120);
  std::uint64_t sent = 0;
  const std::uint64_t before = peer.bytes_to[peer.address_of(kOne)];
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(peer.send_bytes(challenges, {.path = kOne}));
    sent += challenges.size();
  }
  EXPECT_LE(peer.bytes_to[peer.address_of(kOne)] - before, 3 * sent);
  EXPECT_LT(flood.growth(), kMegabyte);
}

TEST(HostileFlood, PathChallengesFromSpoofedAddresses) {  // RFC 9000 §8.2, §21.5.1
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.answers_challenges = false;
  for (std::uint64_t i = 1; i < 4; ++i) peer.issue(kInitialPath, i);
  const Flood flood(peer);
  for (std::uint32_t i = 0; i < 3'000; ++i) {
    const auto packet = peer.seal({}, RawPeer::encoded(PathChallengeFrame{}));
    ASSERT_TRUE(peer.deliver(packet, spoofed_address(i)));
    ASSERT_LE(peer.bytes_to[spoofed_address(i)], 3 * packet.size());
  }
  peer.bytes_to.clear();
  EXPECT_LT(flood.growth(), kMegabyte);
  peer.run_for(10s);
  peer.answers_challenges = peer.keeps = true;
  EXPECT_TRUE(peer.open_path(kOne));  // connection IDs did not run out for good
}

TEST(HostileFlood, MigrationsWithEveryPacket) {  // RFC 9000 §9.3, §21.5
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.send(PingFrame{}));
  peer.answers_challenges = false;
  const Flood flood(peer);
  for (std::uint32_t i = 0; i < 3'000; ++i) {
    const auto packet = peer.seal({}, RawPeer::encoded(PingFrame{}));
    ASSERT_TRUE(peer.deliver(packet, spoofed_address(i)));
  }
  peer.run_for(1s);
  for (std::uint32_t i = 0; i < 3'000; ++i) ASSERT_LE(peer.bytes_to[spoofed_address(i)], 3U * 64U) << i;
  peer.bytes_to.clear();
  EXPECT_LT(flood.growth(), kMegabyte);
  peer.answers_challenges = true;
  peer.keeps = true;
  ASSERT_TRUE(peer.send(PingFrame{}));  // the true peer speaks again
  peer.run_for(1s);
  ASSERT_TRUE(peer.send(PingFrame{}));
  peer.run_for(1s);
  EXPECT_GT(peer.bytes_to[peer.address_of(kInitialPath)], 0U);
  EXPECT_EQ(peer.closed(), std::nullopt);
}

TEST(HostileFlood, RetirementsOfOurConnectionIds) {  // RFC 9000 §5.1.2
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  for (std::uint64_t sequence = 0; sequence < 3'000; ++sequence) {
    if (!peer.issued(kInitialPath, sequence + 1)) peer.run_for(50ms);  // replacements are paced
    const auto carrier = peer.issued(kInitialPath, sequence + 1);
    ASSERT_TRUE(carrier) << sequence;  // every one is replaced
    ASSERT_TRUE(peer.send(RetireConnectionIdFrame{.path = {}, .sequence = sequence}, {.dcid = carrier}));
  }
  peer.run_for(1s);
  EXPECT_LT(flood.growth(), 2 * kMegabyte);  // the raw peer itself keeps what was issued
}

TEST(HostileFlood, NewConnectionIdsThatRetireAllBefore) {  // RFC 9000 §5.1.2, §19.15
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  for (std::uint64_t i = 1; i < 3'000; ++i) {
    peer.issue(kInitialPath, i, i);
    peer.run_for(5ms);
    ASSERT_EQ(peer.closed(), std::nullopt) << i;  // each retirement is acknowledged
  }
  EXPECT_LT(flood.growth(), kMegabyte);
}

TEST(HostileFlood, RetirementsThatAreNeverAcknowledgedEndTheConnection) {  // RFC 9000 §5.1.2
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.acknowledges = false;
  for (std::uint64_t i = 1; i < 100 && !peer.closed(); ++i) peer.issue(kInitialPath, i, i);
  EXPECT_EQ(peer.closed(), (RawPeer::Closed{error::kConnectionIdLimitError, frame_type::kPathNewConnectionId}));
}

TEST(HostileFlood, PathsOpenedAndAbandoned) {  // draft-21 §7.2
  RawPeer peer({.parameters = [](auto& p) { p.initial_max_path_id = 1'000; }});
  ASSERT_TRUE(peer.handshake());
  ASSERT_TRUE(peer.open_path(kOne));
  const Flood flood(peer);
  peer.keeps = true;
  for (std::uint32_t i = 2; i < 120; ++i) {
    ASSERT_TRUE(peer.open_path(PathId{i})) << i;
    ASSERT_TRUE(peer.send(PathAbandonFrame{i, 0}));
    peer.run_for(2s);  // until the ID is over, and the limit moves
    forget(peer);
  }
  EXPECT_LT(flood.growth(), kMegabyte);
}

TEST(HostileFlood, AllPathIdsAbandonedUnused) {  // draft-21 §3.4
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  std::uint64_t limit = 7;
  for (std::uint64_t id = 1; id < 2'000; ++id) {
    for (int i = 0; i < 20 && id > limit; ++i) {
      peer.keeps = true;
      peer.run_for(500ms);
      for (const MaxPathIdFrame& frame : peer.frames<MaxPathIdFrame>()) limit = std::max(limit, frame.maximum);
      forget(peer);
    }
    ASSERT_LE(id, limit);
    ASSERT_TRUE(peer.send(PathAbandonFrame{id, 0}));
  }
  EXPECT_LT(flood.growth(), kMegabyte);
}

TEST(HostileFlood, StatusChanges) {  // draft-21 §4.3
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(peer.send(PathStatusFrame{i % 8, i, i % 2 == 0}));
    if (i % 100 == 0) forget(peer);
  }
  EXPECT_LT(flood.growth(), kMegabyte);
}

TEST(HostileFlood, KeyUpdates) {  // RFC 9001 §6
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.keys.set_handshake_confirmed();
  peer.keys.set_update_interval(Duration{});
  const Flood flood(peer);
  for (int i = 0; i < 1'000 && !peer.closed(); ++i) {
    peer.keys.on_current_phase_acked(peer.now);
    peer.keys.request_update();
    ASSERT_TRUE(peer.keys.before_sending(peer.now));
    peer.send(PingFrame{});
    peer.send(PingFrame{});
    peer.run_for(30ms);
  }
  if (peer.closed()) {
    EXPECT_EQ(peer.closed()->error, error::kKeyUpdateError);
  }
  EXPECT_LT(flood.growth(), kMegabyte);
}

// --- Acknowledgements

TEST(HostileFlood, PacketNumbersWithGapsEverywhere) {  // RFC 9000 §13.2.3
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  for (std::uint64_t i = 0; i < 10'000; ++i) ASSERT_TRUE(peer.send(PingFrame{}, {.number = 1'000 + 2 * i}));
  EXPECT_LT(flood.growth(), kMegabyte);
  peer.keeps = true;
  ASSERT_TRUE(peer.send(PingFrame{}, {.number = 30'000}));
  for (const AckFrame& ack : peer.frames<AckFrame>()) EXPECT_LE(ack.range_count, kMaxAckRangesWritten);
}

TEST(HostileFlood, AcksOfEveryOtherPacket) {  // RFC 9000 §21.4, and the cost of many ranges
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.acknowledges = false;
  const auto stream = peer.endpoint->open_stream(peer.handle, Directionality::unidirectional);
  ASSERT_TRUE(stream);
  const std::vector<std::byte> chunk(200'000);
  const Flood flood(peer);
  peer.keeps = true;
  std::size_t most = 0;
  int acknowledged = 0;
  for (int round = 0; round < 50; ++round) {
    static_cast<void>(peer.endpoint->write(peer.handle, *stream, chunk, false));  // the buffer may be full
    ASSERT_TRUE(peer.send(PingFrame{}));
    peer.run_for(50ms);
    IntervalSet odd;
    for (const RawReceived& packet : peer.received)
      if (packet.level == EncryptionLevel::one_rtt && packet.number.value() % 2 == 1)
        odd.insert(packet.number.value(), packet.number.value() + 1);
    forget(peer);
    if (odd.empty()) continue;
    ++acknowledged;
    TokenList tokens;
    std::array<std::byte, 1100> frame;
    FrameWriter writer(frame, EncryptionLevel::one_rtt, kInitialPath, tokens);
    ASSERT_TRUE(writer.write_ack(std::nullopt, odd, 0, std::nullopt, 500, AckToken{}));
    ASSERT_TRUE(peer.send_bytes(Bytes(frame).first(writer.size())));
    most = std::max(most, flood.growth());
    forget(peer);
  }
  EXPECT_GT(acknowledged, 5);
  EXPECT_LT(most, 12 * kMegabyte);  // the send buffer of one stream, and what is in flight
  EXPECT_EQ(peer.closed(), std::nullopt);
}

// --- Streams and datagrams

TEST(HostileFlood, StreamsOpenedAndResetAtOnce) {  // RFC 9000 §19.4, "rapid reset"
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  std::uint64_t limit = ConnectionConfig{}.max_streams_bidi;
  std::uint64_t opened = 0;
  peer.keeps = true;
  for (int i = 0; i < 10'000; ++i) {
    if (opened == limit || i % 100 == 0) {
      if (opened == limit) peer.run_for(50ms);
      for (const MaxStreamsFrame& frame : peer.frames<MaxStreamsFrame>()) limit = std::max(limit, frame.maximum);
      forget(peer);
      continue;
    }
    const StreamId id = make_stream_id(Role::client, Directionality::bidirectional, opened++);
    ASSERT_TRUE(
        peer.send_all({StreamFrame{id, 0, as_bytes("x"), false}, StopSendingFrame{id, 0}, ResetStreamFrame{id, 0, 1}}));
  }
  EXPECT_GT(opened, 1'000U);  // finished streams make room for new ones
  EXPECT_LT(flood.growth(), kMegabyte);
}

TEST(HostileFlood, OneByteSegmentsWithGaps) {  // RFC 9000 §21.6: stream fragmentation
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  for (std::uint64_t i = 0; i < 20'000; i += 50) {
    std::vector<std::byte> payload;
    for (std::uint64_t k = i; k < i + 50; ++k) {
      const auto frame = RawPeer::encoded(StreamFrame{StreamId{2}, 1 + 2 * k, as_bytes("x"), false});
      payload.insert(payload.end(), frame.begin(), frame.end());
    }
    ASSERT_TRUE(peer.send_bytes(payload));
  }
  EXPECT_LT(flood.growth(), kMegabyte / 2);  // 40 kB of stream
}

TEST(HostileFlood, OneByteInEveryChunkOfTheWindow) {  // RFC 9000 §21.6: the window bounds what a byte may cost
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  const std::uint64_t window = ConnectionConfig{}.max_stream_data;
  for (std::uint64_t at = 1; at < window; at += 1024)
    ASSERT_TRUE(peer.send(StreamFrame{StreamId{2}, at, as_bytes("x"), false}));
  EXPECT_LT(flood.growth(), 2 * ConnectionConfig{}.max_data);
}

TEST(HostileFlood, CryptoInOneBytePieces) {  // RFC 9000 §7.5
  RawPeer peer;
  peer.finishes = peer.acknowledges = false;
  peer.start();
  const Flood flood(peer);
  for (std::uint64_t i = 0; i < kMaxCryptoRanges; ++i) {
    const CryptoFrame piece{kMaxCryptoBuffer - 1 - 2 * i, as_bytes("x")};
    ASSERT_TRUE(peer.send(piece, {.level = EncryptionLevel::handshake}));
  }
  EXPECT_LT(flood.growth(), kMegabyte / 4);
}

TEST(HostileFlood, DatagramsThatNobodyReads) {  // RFC 9221 §5
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  const std::vector<std::byte> data(1000);
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(peer.send(DatagramFrame{data}));
  for (int i = 0; i < 2'000; ++i) ASSERT_TRUE(peer.send_bytes(repeated(DatagramFrame{Bytes(data).first(1)}, 300)));
  EXPECT_LT(flood.growth(), 2 * ConnectionConfig{}.datagram_receive_queue_bytes + kMegabyte);
}

TEST(HostileFlood, TokensFromAServer) {  // RFC 9000 §19.7
  RawPeer peer({.role = Role::server});
  ASSERT_TRUE(peer.handshake());
  const Flood flood(peer);
  const std::vector<std::byte> token(1000, std::byte{1});
  for (int i = 0; i < 2'000; ++i) ASSERT_TRUE(peer.send(NewTokenFrame{token}));
  EXPECT_LT(flood.growth(), kMegabyte / 4);
}

}  // namespace
}  // namespace mpquic::test
