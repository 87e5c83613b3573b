// Work: whatever fills a packet, it costs the endpoint no more than a few packets full of the cheapest frames. Memory
// is counted in hostile_flood_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "stack/conn/crypto_stream.h"
#include "stack/wire/frame_writer.h"
#include "tests/pair/raw_peer.h"
#include "tests/support/cpu.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

using Payload = std::vector<std::byte>;
constexpr std::size_t kPayloadBytes = 1100;
/// How many packets of PINGs one packet may cost. Work that grows with what came before exceeds it by far: one-byte
/// CRYPTO frames in falling order cost eighty.
constexpr int kMostReferences = 15;
constexpr int kPackets = 60;

/// As many frames as a packet takes: frame(i), with i counted over all packets.
Payload filled(std::uint64_t& i, const std::function<Frame(std::uint64_t)>& frame) {
  Payload payload;
  for (;; ++i) {
    const Payload next = RawPeer::encoded(frame(i));
    if (payload.size() + next.size() > kPayloadBytes) return payload;
    payload.insert(payload.end(), next.begin(), next.end());
  }
}

/// What the endpoint spends on a datagram, with what it answers. It stays open.
Duration cost_of(RawPeer& peer, Bytes payload, const RawPacket& packet) {
  const Payload datagram = peer.seal(packet, payload);
  peer.received.clear();
  const Duration before = thread_cpu_time();
  EXPECT_TRUE(peer.deliver(datagram, peer.address_of(kInitialPath)));
  return thread_cpu_time() - before;
}

/// The median of the last half of so many packets: the first ones find nothing that could slow them down.
Duration cost_of_many(RawPeer& peer, const std::function<Payload()>& next, const RawPacket& packet = {},
                      int packets = kPackets) {
  std::vector<Duration> costs;
  for (int i = 0; i < packets && !peer.closed(); ++i) costs.push_back(cost_of(peer, next(), packet));
  const auto last = std::span(costs).subspan(costs.size() / 2);
  std::ranges::nth_element(last, last.begin() + static_cast<std::ptrdiff_t>(last.size() / 2));
  return last[last.size() / 2];
}

Duration cost_of_pings(RawPeer& peer, const RawPacket& packet = {}) {
  return cost_of_many(
      peer, [] { return Payload(kPayloadBytes, std::byte{1}); }, packet);
}

/// A connection for each measurement. `frame` gives what the packets are full of.
void expect_cheap(const std::function<Frame(std::uint64_t)>& frame) {
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const Duration reference = cost_of_pings(peer);
  std::uint64_t i = 0;
  EXPECT_LT(cost_of_many(peer, [&] { return filled(i, frame); }).count(), kMostReferences * reference.count());
  EXPECT_EQ(peer.closed(), std::nullopt);
}

TEST(HostileWork, CryptoPiecesInFallingOrderEndTheConnection) {  // RFC 9000 §7.5
  RawPeer peer;
  peer.finishes = peer.acknowledges = false;
  peer.start();
  std::uint64_t i = 0;
  const auto falling = [](std::uint64_t n) { return CryptoFrame{60'000 - 2 * n, as_bytes("x")}; };
  for (; i < kMaxCryptoRanges; ++i)
    ASSERT_TRUE(peer.send(falling(i), {.level = EncryptionLevel::handshake})) << "so many may wait";
  EXPECT_FALSE(peer.send(falling(i), {.level = EncryptionLevel::handshake}));
  ASSERT_TRUE(peer.closed());
  EXPECT_EQ(peer.closed()->error, error::kCryptoBufferExceeded);
}

TEST(HostileWork, AClientHelloInOneBytePieces) {  // before anything is authenticated; and bytes that are ahead stay put
  RawPeer peer;
  const std::array<std::byte, 8> id{std::byte{0xab}};
  const ConnectionId dcid(id);
  peer.keys.install_initial(dcid, Role::client);
  const RawPacket initial{.level = EncryptionLevel::initial, .dcid = dcid, .pad_to = kMinInitialDatagram};
  const Duration reference = cost_of_pings(peer, initial);
  ASSERT_TRUE(peer.send(CryptoFrame{kMaxCryptoBuffer - 1, as_bytes("x")}, initial));
  const std::array<std::byte, 4> header{std::byte{1}, std::byte{0}, std::byte{0x3f}, std::byte{0}};  // of 16 kB
  const auto piece = [&](std::uint64_t n) -> Frame {
    return CryptoFrame{n, n < header.size() ? Bytes(header).subspan(n, 1) : as_bytes("x")};
  };
  std::uint64_t i = 0;
  const auto next = [&] { return filled(i, piece); };
  EXPECT_LT(cost_of_many(peer, next, initial, kPackets / 2).count(), kMostReferences * reference.count());
  EXPECT_EQ(peer.closed(), std::nullopt);
  EXPECT_EQ(peer.endpoint->connection_count(), 1U);
}

TEST(HostileWork, StreamPiecesInFallingOrder) {  // RFC 9000 §21.6
  expect_cheap([](std::uint64_t i) { return StreamFrame{StreamId{2}, 200'000 - 2 * i, as_bytes("x"), false}; });
}

TEST(HostileWork, StreamPiecesOverManyStreams) {
  expect_cheap([](std::uint64_t i) {
    const std::uint64_t streams = ConnectionConfig{}.max_streams_uni;
    const StreamId id = make_stream_id(Role::client, Directionality::unidirectional, streams - 1 - i % streams);
    return StreamFrame{id, 20'000 - i, as_bytes("x"), false};
  });
}

TEST(HostileWork, ResetsOfOneStream) {  // §19.4
  expect_cheap([](std::uint64_t) { return ResetStreamFrame{StreamId{2}, 0, 1}; });
}

TEST(HostileWork, StopSendingOfStreamsThatWereReset) {  // §19.5
  expect_cheap([](std::uint64_t) { return StopSendingFrame{StreamId{0}, 0}; });
}

TEST(HostileWork, LimitsThatGrowByOne) {  // §19.9 to §19.11
  expect_cheap([](std::uint64_t i) -> Frame {
    if (i % 3 == 0) return MaxDataFrame{(std::uint64_t{1} << 40) + i};
    if (i % 3 == 1) return MaxStreamDataFrame{StreamId{0}, (std::uint64_t{1} << 40) + i};
    return MaxStreamsFrame{Directionality::bidirectional, (std::uint64_t{1} << 30) + i};
  });
}

TEST(HostileWork, NumberedDatagramsThatJump) {  // docs/adr/0011: each one moves the whole window
  expect_cheap([](std::uint64_t i) { return DatagramFrame{as_bytes("x"), i * 10'000'000}; });
}

TEST(HostileWork, ANumberedDatagramAtTheEndOfAllNumbers) {  // docs/adr/0011
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const auto delivered = [&](const DatagramFrame& frame) {
    EXPECT_TRUE(peer.send(frame));
    std::array<std::byte, 8> out;
    return peer.endpoint->receive_datagram(peer.handle, out).has_value();
  };
  EXPECT_TRUE(delivered(DatagramFrame{as_bytes("x"), kMaxVarint}));
  EXPECT_FALSE(delivered(DatagramFrame{as_bytes("x"), kMaxVarint})) << "the same once more";
  EXPECT_FALSE(delivered(DatagramFrame{as_bytes("x"), 5})) << "too long ago to tell";
  EXPECT_TRUE(delivered(DatagramFrame{as_bytes("x"), kMaxVarint - 8191})) << "the window's other end";
  EXPECT_FALSE(delivered(DatagramFrame{as_bytes("x"), kMaxVarint - 8192}));
  EXPECT_TRUE(delivered(DatagramFrame{as_bytes("x")})) << "what has no number is no copy";
  EXPECT_EQ(peer.closed(), std::nullopt);
}

/// A connection whose endpoint has sent a lot; of the last flight, the peer acknowledged odd numbers only.
struct HalfAcknowledged {
  HalfAcknowledged() {
    EXPECT_TRUE(peer.handshake());
    reference = cost_of_pings(peer);
    stream = *peer.endpoint->open_stream(peer.handle, Directionality::unidirectional);
    for (int round = 0; round < 100 && odd.interval_count() < 600; ++round) flight();
    peer.acknowledges = false;
    flight();
    EXPECT_TRUE(peer.send_bytes(ack(100)));
  }
  void flight() {
    const std::vector<std::byte> chunk(200'000);
    static_cast<void>(peer.endpoint->write(peer.handle, stream, chunk, false));  // the buffer may be full
    EXPECT_TRUE(peer.send(PingFrame{}));
    peer.run_for(5ms);
    for (const RawReceived& packet : peer.received) {
      if (packet.level == EncryptionLevel::one_rtt && packet.number.value() % 2 == 1)
        odd.insert(packet.number.value(), packet.number.value() + 1);
    }
    peer.received.clear();
  }
  /// ACKs of the newest `ranges` odd numbers.
  [[nodiscard]] Payload ack(std::size_t ranges) const {
    TokenList tokens;
    Payload frame(kPayloadBytes);
    FrameWriter writer(frame, EncryptionLevel::one_rtt, kInitialPath, tokens);
    EXPECT_TRUE(writer.write_ack(std::nullopt, odd, 0, std::nullopt, ranges, AckToken{}));
    frame.resize(writer.size());
    return frame;
  }

  RawPeer peer;
  Duration reference{};
  StreamId stream;
  IntervalSet odd;
};

TEST(HostileWork, AcksWithManyRanges) {  // §19.3.1
  HalfAcknowledged half;
  ASSERT_GT(half.odd.interval_count(), 500U);
  const Payload frame = half.ack(500);
  EXPECT_LT(cost_of_many(half.peer, [&] { return frame; }).count(), 2 * half.reference.count());
  EXPECT_EQ(half.peer.closed(), std::nullopt);
}

TEST(HostileWork, ManyAcksInOnePacket) {
  HalfAcknowledged half;
  const Payload one = half.ack(1);
  Payload payload;
  while (payload.size() + one.size() <= kPayloadBytes) payload.insert(payload.end(), one.begin(), one.end());
  EXPECT_LT(cost_of_many(half.peer, [&] { return payload; }).count(), kMostReferences * half.reference.count());
  EXPECT_EQ(half.peer.closed(), std::nullopt);
}

}  // namespace
}  // namespace mpquic::test
