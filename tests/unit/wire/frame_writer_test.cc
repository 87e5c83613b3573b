#include "stack/wire/frame_writer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "stack/wire/frame_decode.h"
#include "stack/wire/frame_encode.h"
#include "stack/wire/varint.h"
#include "tests/unit/wire/wire_testing.h"

namespace mpquic {
namespace {

using testing::Blob;
using testing::hex;
using testing::to_hex;

/// A packet of `room` bytes being written.
struct Packet {
  explicit Packet(std::size_t room, EncryptionLevel level = EncryptionLevel::one_rtt)
      : buffer(room), writer(buffer, level, PathId{3}, tokens) {}
  [[nodiscard]] Bytes written() const { return Bytes(buffer).first(writer.size()); }
  [[nodiscard]] std::vector<Frame> frames() const {
    std::vector<Frame> out;
    FrameDecoder decoder(
        written(), writer.level(),
        {.multipath = true, .address_advertisement = true, .datagram = true, .numbered_datagram = true});
    while (const auto frame = decoder.next()) {
      EXPECT_TRUE(*frame);
      if (*frame) out.push_back(**frame);
    }
    return out;
  }
  Blob buffer;
  TokenList tokens;
  FrameWriter writer;
};

IntervalSet set_of(std::initializer_list<Interval> intervals) {
  IntervalSet set;
  for (const Interval& i : intervals) set.insert(i.begin, i.end);
  return set;
}

const AckToken kAckToken{.path = PathId{3}, .space = SpaceId::application, .largest = PacketNumber{20}};

TEST(FrameWriter, StartsEmpty) {
  TokenList tokens;
  tokens.count = 5;
  Blob buffer(10);
  const FrameWriter writer(buffer, EncryptionLevel::handshake, PathId{3}, tokens);
  EXPECT_EQ(tokens.count, 0U);
  EXPECT_EQ(writer.size(), 0U);
  EXPECT_EQ(writer.remaining(), 10U);
  EXPECT_EQ(writer.level(), EncryptionLevel::handshake);
  EXPECT_EQ(writer.path(), PathId{3});
  EXPECT_FALSE(writer.ack_eliciting());
  EXPECT_FALSE(writer.in_flight());
  EXPECT_TRUE(writer.probing_only());
}

TEST(FrameWriter, WritesFramesWithAndWithoutTokens) {
  Packet p(100);
  EXPECT_TRUE(p.writer.write(PingFrame{}));
  EXPECT_TRUE(p.writer.write(MaxDataFrame{9}, MaxDataToken{9}));
  EXPECT_EQ(to_hex(p.written()), "011009");
  ASSERT_EQ(p.tokens.count, 1U);
  EXPECT_EQ(std::get<MaxDataToken>(p.tokens.items[0]).maximum, 9U);
}

TEST(FrameWriter, RefusesWhatDoesNotFitAndChangesNothing) {
  Packet p(1);
  EXPECT_FALSE(p.writer.write(MaxDataFrame{9}, MaxDataToken{9}));
  EXPECT_EQ(p.writer.size(), 0U);
  EXPECT_EQ(p.tokens.count, 0U);
  EXPECT_FALSE(p.writer.ack_eliciting());
  EXPECT_TRUE(p.writer.write(PingFrame{}));
  EXPECT_FALSE(p.writer.write(PingFrame{}));
}

TEST(FrameWriter, RefusesWhenTheTokensAreFull) {
  Packet p(1000);
  for (std::size_t i = 0; i < kMaxTokensPacket; ++i) {
    EXPECT_TRUE(p.writer.write(MaxDataFrame{i}, MaxDataToken{i}));
  }
  const std::size_t size = p.writer.size();
  EXPECT_FALSE(p.writer.write(MaxDataFrame{9}, MaxDataToken{9}));
  EXPECT_FALSE(p.writer.write_stream(StreamId{4}, 0, 10, false));
  EXPECT_FALSE(p.writer.write_crypto(0, 10));
  EXPECT_FALSE(p.writer.write_datagram(10, {}));
  EXPECT_FALSE(p.writer.write_ack(std::nullopt, set_of({{1, 2}}), 0, {}, 10, kAckToken));
  EXPECT_EQ(p.writer.size(), size);
  EXPECT_EQ(p.tokens.view().size(), kMaxTokensPacket);
  EXPECT_TRUE(p.writer.write(PingFrame{})) << "a frame without token needs no slot";
}

TEST(FrameWriter, AcksAndClosesAreNeitherElicitingNorInFlight) {  // RFC 9002 §2
  Packet p(100);
  EXPECT_TRUE(p.writer.write_ack(std::nullopt, set_of({{1, 2}}), 0, {}, 10, kAckToken));
  EXPECT_TRUE(p.writer.write(ConnectionCloseFrame{}));
  EXPECT_FALSE(p.writer.ack_eliciting());
  EXPECT_FALSE(p.writer.in_flight());
  EXPECT_FALSE(p.writer.probing_only());
}

TEST(FrameWriter, PaddingIsInFlightAndElicitsNothing) {
  Packet p(100);
  EXPECT_TRUE(p.writer.write(PaddingFrame{10}));
  EXPECT_FALSE(p.writer.ack_eliciting());
  EXPECT_TRUE(p.writer.in_flight());
  EXPECT_TRUE(p.writer.probing_only());
}

TEST(FrameWriter, ProbesStayProbesUntilAnythingElse) {  // RFC 9000 §9.1
  Packet p(100);
  EXPECT_TRUE(p.writer.write(PathChallengeFrame{}) && p.writer.write(PathResponseFrame{}));
  EXPECT_TRUE(p.writer.probing_only());
  EXPECT_TRUE(p.writer.ack_eliciting());
  EXPECT_TRUE(p.writer.in_flight());
  EXPECT_TRUE(p.writer.write(PingFrame{}));
  EXPECT_FALSE(p.writer.probing_only());
}

// --- ACK

TEST(WriteAck, WritesRangesFromTheTop) {  // RFC 9000 §19.3.1
  Packet p(100);
  ASSERT_TRUE(p.writer.write_ack(std::nullopt, set_of({{5, 8}, {10, 14}, {15, 21}}), 7, {}, 10, kAckToken));
  // 15..20, gap of one (14), 10..13, gap of two (8, 9), 5..7.
  EXPECT_EQ(to_hex(p.written()), "021407020500030102");
  EXPECT_EQ(std::get<AckToken>(p.tokens.items[0]).largest, PacketNumber{20});
}

TEST(WriteAck, WritesPathAckWithEcn) {  // draft-21 §4.1
  Packet p(100);
  const EcnCounts ecn{.ect0 = 1, .ect1 = 2, .ce = 3};
  ASSERT_TRUE(p.writer.write_ack(PathId{5}, set_of({{10, 21}}), 0, ecn, 10, kAckToken));
  EXPECT_EQ(to_hex(p.written()), "3f051400000a010203");
}

TEST(WriteAck, HonoursTheCapOnRanges) {
  const IntervalSet received = set_of({{1, 2}, {3, 4}, {5, 6}, {7, 8}});
  for (std::size_t cap = 1; cap <= 6; ++cap) {
    Packet p(100);
    ASSERT_TRUE(p.writer.write_ack(std::nullopt, received, 0, {}, cap, kAckToken));
    EXPECT_EQ(std::get<AckFrame>(p.frames().at(0)).range_count, std::min<std::size_t>(cap, 4) - 1);
  }
  Packet p(100);
  EXPECT_FALSE(p.writer.write_ack(std::nullopt, received, 0, {}, 0, kAckToken));
}

TEST(WriteAck, KeepsTheHighestRangesThatFit) {
  IntervalSet received;
  for (std::uint64_t i = 0; i < 200; ++i) received.insert(1000 + 3 * i, 1000 + 3 * i + 1);
  std::size_t most = 0;
  for (std::size_t room = 0; room <= 420; ++room) {
    Packet p(room);
    if (!p.writer.write_ack(PathId{1}, received, 0, EcnCounts{}, 1000, kAckToken)) {
      EXPECT_LT(room, 10U);  // type, path, largest 2, delay, count, first range, three counts
      continue;
    }
    const auto frames = p.frames();
    ASSERT_EQ(frames.size(), 1U);
    const auto& ack = std::get<AckFrame>(frames[0]);
    EXPECT_EQ(ack.largest, PacketNumber{1597});
    EXPECT_GE(ack.range_count, most) << "more room never carries less";
    EXPECT_LT(room - p.writer.size(), 3U + (ack.range_count == 199 ? room : 0))
        << "no range that would fit is left out";
    most = ack.range_count;
    std::uint64_t expected = 1597;
    for_each_range(ack, [&](PacketNumber smallest, PacketNumber largest) {
      EXPECT_EQ(smallest, PacketNumber{expected});
      EXPECT_EQ(largest, PacketNumber{expected});
      expected -= 3;
    });
  }
  EXPECT_EQ(most, 199U);
}

TEST(WriteAck, HasNothingToSayAboutNothing) {
  Packet p(100);
  EXPECT_FALSE(p.writer.write_ack(std::nullopt, {}, 0, {}, 10, kAckToken));
  EXPECT_EQ(p.writer.size(), 0U);
}

// --- STREAM, CRYPTO, DATAGRAM

TEST(WriteStream, TakesEverythingWhereThereIsRoom) {
  Packet p(100);
  const auto data = p.writer.write_stream(StreamId{4}, 0, 5, true);
  ASSERT_TRUE(data);
  ASSERT_EQ(data->size(), 5U);
  std::memcpy(data->data(), "hello", 5);
  EXPECT_EQ(to_hex(p.written()), "0b040568656c6c6f");
  const auto& token = std::get<StreamToken>(p.tokens.items[0]);
  EXPECT_EQ(token.id, StreamId{4});
  EXPECT_EQ(token.offset, 0U);
  EXPECT_EQ(token.length, 5U);
  EXPECT_TRUE(token.fin);
  EXPECT_TRUE(p.writer.ack_eliciting() && p.writer.in_flight());
}

TEST(WriteStream, CutsToTheRoomAndLeavesFinForLater) {
  for (std::size_t room = 0; room < 300; ++room) {
    Packet p(room);
    const auto data = p.writer.write_stream(StreamId{68}, 70'000, 1000, true);
    if (!data) {
      EXPECT_LT(room, 9U);  // type, id 2, offset 4, length, one byte
      EXPECT_EQ(p.writer.size(), 0U);
      EXPECT_EQ(p.tokens.count, 0U);
      continue;
    }
    const auto frames = p.frames();
    ASSERT_EQ(frames.size(), 1U);
    const auto& stream = std::get<StreamFrame>(frames[0]);
    EXPECT_EQ(stream.offset, 70'000U);
    EXPECT_EQ(stream.data.size(), data->size());
    EXPECT_EQ(stream.data.data(), data->data());
    EXPECT_FALSE(stream.fin);
    EXPECT_FALSE(std::get<StreamToken>(p.tokens.items[0]).fin);
    EXPECT_EQ(std::get<StreamToken>(p.tokens.items[0]).length, data->size());
    EXPECT_LE(p.writer.remaining(), 1U) << "at most the byte that a shorter length would have saved";
  }
}

TEST(WriteStream, SendsABareFin) {
  Packet p(100);
  const auto data = p.writer.write_stream(StreamId{4}, 10, 0, true);
  ASSERT_TRUE(data);
  EXPECT_TRUE(data->empty());
  EXPECT_EQ(to_hex(p.written()), "0f040a00");
}

TEST(WriteStream, RefusesAFrameThatSaysNothing) {
  Packet p(100);
  EXPECT_FALSE(p.writer.write_stream(StreamId{4}, 10, 0, false));
  EXPECT_EQ(p.writer.size(), 0U);
}

TEST(WriteStream, FillsTheRoomExactly) {
  Packet p(3 + 63);
  const auto data = p.writer.write_stream(StreamId{4}, 0, 63, true);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->size(), 63U);
  EXPECT_EQ(p.writer.remaining(), 0U);
  EXPECT_TRUE(std::get<StreamToken>(p.tokens.items[0]).fin);
}

TEST(WriteCrypto, CutsToTheRoom) {
  Packet p(20, EncryptionLevel::handshake);
  const auto data = p.writer.write_crypto(100, 1000);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->size(), 16U);  // type, offset 2, length
  const auto& token = std::get<CryptoToken>(p.tokens.items[0]);
  EXPECT_EQ(token.level, EncryptionLevel::handshake);
  EXPECT_EQ(token.offset, 100U);
  EXPECT_EQ(token.length, 16U);
  EXPECT_FALSE(p.writer.write_crypto(116, 1000));
}

TEST(WriteCrypto, NeverWritesNothing) {
  Packet p(20, EncryptionLevel::initial);
  EXPECT_FALSE(p.writer.write_crypto(0, 0));
}

TEST(WriteDatagram, IsWholeOrNotAtAll) {  // RFC 9221 §5: datagrams are not fragmented
  Packet p(10);
  EXPECT_FALSE(p.writer.write_datagram(9, DatagramToken{1}));
  const auto data = p.writer.write_datagram(8, DatagramToken{2});
  ASSERT_TRUE(data);
  EXPECT_EQ(data->size(), 8U);
  EXPECT_EQ(p.writer.remaining(), 0U);
  EXPECT_EQ(std::get<DatagramToken>(p.tokens.items[0]).sequence, 2U);
  Packet empty(2);
  EXPECT_TRUE(empty.writer.write_datagram(0, {}));
}

}  // namespace
}  // namespace mpquic
