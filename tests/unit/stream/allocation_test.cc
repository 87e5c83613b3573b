// Steady transfer allocates nothing: counts every operator new of this test binary.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <deque>

#include "stack/base/ring_buffer.h"
#include "tests/support/heap.h"
#include "tests/unit/stream/harness.h"

namespace mpquic {
namespace {

using namespace stream_test;
using test::allocation_count;
using enum Directionality;

struct FixedPacket {
  std::array<std::byte, kPayload> bytes;
  std::size_t size = 0;
  TokenList tokens;
};

/// A bulk transfer with a window of packets in flight, of which some are lost and some overtake each other. All memory
/// of the test itself is made up front.
class Bulk {
 public:
  Bulk() {
    id_ = *pair_.client.open(unidirectional);
    pair_.server.set_priority(id_, kDefaultUrgency);
  }

  /// Moves at least `bytes`, one packet at a time.
  void move(std::uint64_t bytes, bool lossy) {
    const std::uint64_t target = received_ + bytes;
    while (received_ < target) {
      static_cast<void>(pair_.client.write(id_, chunk_, false));
      while (in_flight_.size() < kFlight && write(pair_.client, *free_))
        in_flight_.push_back(std::exchange(free_, spare()));
      FixedPacket* packet = in_flight_.pop_front();
      if (lossy && ++count_ % 7 == 0) {
        for (const auto& token : packet->tokens.view()) pair_.client.on_lost(token);
      } else if (lossy && count_ % 11 == 0 && in_flight_.size() > 2) {
        in_flight_.push_back(packet);  // overtaken by everything else
        continue;
      } else {
        receive(pair_.server, *packet);
        for (const auto& token : packet->tokens.view()) pair_.client.on_acked(token);
      }
      spares_.push_back(packet);
      drain();
    }
  }

 private:
  static constexpr std::size_t kFlight = 40;

  FixedPacket* spare() {
    if (spares_.empty()) {
      store_.emplace_back();
      return &store_.back();
    }
    return spares_.pop_front();
  }
  static bool write(StreamMap& map, FixedPacket& packet) {
    FrameWriter writer(packet.bytes, EncryptionLevel::one_rtt, PathId{0}, packet.tokens);
    map.write_frames(writer);
    packet.size = writer.size();
    return packet.size > 0;
  }
  static void receive(StreamMap& map, const FixedPacket& packet) {
    FrameDecoder decoder(Bytes(packet.bytes).first(packet.size), EncryptionLevel::one_rtt, {});
    while (auto frame = decoder.next()) {
      if (!*frame || !dispatch(map, **frame)) std::abort();
    }
  }
  void drain() {
    while (true) {
      const auto piece = pair_.server.peek(id_);
      if (!piece || piece->data.empty()) break;
      received_ += piece->data.size();
      pair_.server.consume(id_, piece->data.size());
    }
    while (pair_.server.poll_event()) {}
    while (pair_.client.poll_event()) {}
    if (write(pair_.server, back_)) receive(pair_.client, back_);
  }

  Pair pair_{limits(), limits(1 << 20, 2 << 20)};
  StreamId id_;
  std::vector<std::byte> chunk_ = pattern(0, 8192);
  std::deque<FixedPacket> store_ = std::deque<FixedPacket>(1);
  FixedPacket* free_ = &store_.front();
  FixedPacket back_;
  RingBuffer<FixedPacket*> spares_;
  RingBuffer<FixedPacket*> in_flight_;
  std::uint64_t received_ = 0;
  std::uint64_t count_ = 0;
};

TEST(StreamAllocationTest, InOrderTransferAllocatesNothing) {
  Bulk bulk;
  bulk.move(8 << 20, false);
  const std::size_t before = allocation_count();
  bulk.move(16 << 20, false);
  EXPECT_EQ(allocation_count() - before, 0U);
}

TEST(StreamAllocationTest, LossyTransferAllocatesNothing) {
  Bulk bulk;
  bulk.move(8 << 20, true);
  const std::size_t before = allocation_count();
  bulk.move(16 << 20, true);
  EXPECT_EQ(allocation_count() - before, 0U);
}

TEST(StreamAllocationTest, ManyShortStreamsAllocateNothing) {
  Pair pair;
  const auto round = [&pair] {
    const auto id = pair.client.open(unidirectional);
    ASSERT_TRUE(id);
    ASSERT_TRUE(pair.client.write(*id, as_bytes("short"), true));
    std::array<std::byte, kPayload> bytes;
    TokenList tokens;
    const std::array maps{&pair.client, &pair.server};
    for (std::size_t turn = 0; turn < 4; ++turn) {
      StreamMap& from = *maps[turn % 2];
      StreamMap& to = *maps[(turn + 1) % 2];
      FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
      from.write_frames(writer);
      if (writer.size() > 0) {
        FrameDecoder decoder(Bytes(bytes).first(writer.size()), EncryptionLevel::one_rtt, {});
        while (auto frame = decoder.next()) ASSERT_TRUE(dispatch(to, **frame));
        for (const auto& token : tokens.view()) from.on_acked(token);
      }
      if (const auto piece = pair.server.peek(*id)) pair.server.consume(*id, piece->data.size());
      while (pair.client.poll_event()) {}
      while (pair.server.poll_event()) {}
    }
  };
  for (int i = 0; i < 100; ++i) round();
  const std::size_t before = allocation_count();
  for (int i = 0; i < 1000; ++i) round();
  EXPECT_EQ(allocation_count() - before, 0U);
  EXPECT_EQ(pair.client.stream_count(), 0U);
}

TEST(StreamThroughputTest, IsReported) {  // a measurement, not a gate: sanitizers and load distort it
  Bulk bulk;
  bulk.move(4 << 20, false);
  constexpr std::uint64_t kBytes = 64 << 20;
  for (const bool lossy : {false, true}) {
    const auto start = std::chrono::steady_clock::now();
    bulk.move(kBytes, lossy);
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    const double packet_ns = elapsed.count() / (static_cast<double>(kBytes) / kPayload);
    RecordProperty(lossy ? "lossy_ns_per_packet" : "ns_per_packet", std::to_string(packet_ns));
    std::printf("stream path, %s: %.0f ns per %zu-byte packet\n", lossy ? "lossy" : "in order", packet_ns, kPayload);
  }
}

}  // namespace
}  // namespace mpquic
