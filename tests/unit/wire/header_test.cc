#include "stack/wire/header.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/wire_testing.h"
#include "tests/vectors/rfc9001.h"

namespace mpquic {
namespace {

using testing::blob;
using testing::cid;
using testing::hex;
using testing::to_hex;
using Blob = testing::Blob;

constexpr std::size_t kShortCid = 8;

Blob padded(std::string_view text, std::size_t size) {
  Blob bytes = hex(text);
  bytes.resize(size);
  return bytes;
}

DropReason reason_of(Blob bytes, std::size_t short_cid = kShortCid) {
  const auto packet = parse_packet(bytes, short_cid);
  EXPECT_FALSE(packet) << to_hex(bytes);
  return packet ? DropReason::count_ : packet.error();
}

TEST(ParsePacket, ReadsTheRfcClientInitial) {  // RFC 9001 A.2
  Blob datagram = padded(rfc9001::kClientInitialProtectedHeader, 1200);
  const auto packet = parse_packet(datagram, kShortCid);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->type, PacketType::initial);
  EXPECT_EQ(packet->version, kVersion1);
  EXPECT_EQ(packet->dcid, cid(rfc9001::kClientDestinationId));
  EXPECT_TRUE(packet->scid.empty());
  EXPECT_TRUE(packet->token.empty());
  EXPECT_EQ(packet->packet_number_offset, 18U);
  EXPECT_EQ(packet->consumed, 1200U);
  EXPECT_EQ(packet->bytes.data(), datagram.data());
  EXPECT_EQ(packet->bytes.size(), 1200U);
  EXPECT_TRUE(packet->fixed_bit);
}

TEST(ParsePacket, ReadsTheRfcRetry) {  // RFC 9001 A.4
  Blob datagram = hex(rfc9001::kRetry);
  const auto packet = parse_packet(datagram, kShortCid);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->type, PacketType::retry);
  EXPECT_EQ(packet->scid, cid(rfc9001::kServerSourceId));
  EXPECT_EQ(as_text(packet->token), "token");
  EXPECT_EQ(to_hex(packet->retry_integrity_tag), rfc9001::kRetryTag);
  EXPECT_EQ(packet->consumed, datagram.size());
}

TEST(ParsePacket, ReadsTheRfcShortHeader) {  // RFC 9001 A.5
  Blob datagram = hex(rfc9001::kShortPacket);
  const auto packet = parse_packet(datagram, 0);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->type, PacketType::one_rtt);
  EXPECT_TRUE(packet->dcid.empty());
  EXPECT_EQ(packet->packet_number_offset, 1U);
  EXPECT_EQ(packet->bytes.size(), datagram.size());
}

TEST(ParsePacket, TakesShortConnectionIdsOfOurLength) {
  Blob datagram = hex("40 0102030405060708 aa");
  const auto packet = parse_packet(datagram, 8);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->dcid, cid("0102030405060708"));
  EXPECT_EQ(packet->packet_number_offset, 9U);
}

TEST(ParsePacket, GoesOnWithTheNextCoalescedPacket) {  // RFC 9000 §12.2
  // Initial (2 bytes after Length), Handshake (3), 0-RTT (1), 1-RTT: each with dcid 01.
  Blob datagram =
      hex("c0 00000001 0101 00 00 02 aabb  e0 00000001 0101 00 03 aabbcc  d0 00000001 0101 00 01 aa  40 01 aabb");
  MutableBytes rest(datagram);
  std::vector<PacketType> types;
  while (!rest.empty()) {
    const auto packet = parse_packet(rest, 1);
    ASSERT_TRUE(packet);
    ASSERT_EQ(packet->consumed, packet->bytes.size());
    EXPECT_EQ(packet->dcid, cid("01"));
    types.push_back(packet->type);
    rest = rest.subspan(packet->consumed);
  }
  EXPECT_EQ(types,
            (std::vector{PacketType::initial, PacketType::handshake, PacketType::zero_rtt, PacketType::one_rtt}));
}

TEST(ParsePacket, ReadsATokenOfAnInitial) {
  Blob datagram = hex("c0 00000001 00 00 03 746f6b 01 aa");
  const auto packet = parse_packet(datagram, kShortCid);
  ASSERT_TRUE(packet);
  EXPECT_EQ(as_text(packet->token), "tok");
}

TEST(ParsePacket, EveryTruncationIsMalformed) {
  const Blob whole = hex("c0 00000001 04 01020304 03 0a0b0c 02 dddd 4004 aabbccdd");
  Blob intact = whole;
  ASSERT_TRUE(parse_packet(intact, kShortCid));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(reason_of(Blob(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n))),
              DropReason::malformed_header)
        << n;
  }
}

TEST(ParsePacket, RefusesAShortHeaderWithoutPacketNumber) {
  EXPECT_EQ(reason_of(hex("40 0102030405060708")), DropReason::malformed_header);
  EXPECT_EQ(reason_of(hex("40 01020304050607")), DropReason::malformed_header);
}

TEST(ParsePacket, RefusesAnEmptyPayload) {
  EXPECT_EQ(reason_of(hex("e0 00000001 00 00 00")), DropReason::malformed_header);
}

TEST(ParsePacket, RefusesALengthBeyondTheDatagram) {
  EXPECT_EQ(reason_of(hex("e0 00000001 00 00 03 aabb")), DropReason::malformed_header);
  EXPECT_EQ(reason_of(hex("e0 00000001 00 00 ffffffffffffffff aabb")), DropReason::malformed_header);
}

TEST(ParsePacket, RefusesLongConnectionIdsInVersion1) {  // RFC 9000 §17.2
  const std::string id21(42, 'a');
  EXPECT_EQ(reason_of(hex("c0 00000001 15" + id21 + "00 00 01 aa")), DropReason::malformed_header);
  EXPECT_EQ(reason_of(hex("c0 00000001 00 15" + id21 + "00 01 aa")), DropReason::malformed_header);
  const std::string id20(40, 'a');
  Blob accepted = hex("c0 00000001 14" + id20 + "14" + id20 + "00 01 aa");
  EXPECT_TRUE(parse_packet(accepted, kShortCid));
}

TEST(ParsePacket, SaysThatAVersionIsUnsupported) {
  const std::string id255(510, 'b');
  EXPECT_EQ(reason_of(hex("c0 6b3343cf ff" + id255 + "01 cc 1234")), DropReason::unsupported_version);
}

TEST(ParsePacket, LeavesTheFixedBitToTheReceiver) {  // RFC 9287
  Blob long_form = hex("80 00000001 00 00 00 01 aa");
  Blob short_form = hex("00 aabb");
  EXPECT_FALSE(parse_packet(long_form, 0)->fixed_bit);
  EXPECT_FALSE(parse_packet(short_form, 0)->fixed_bit);
}

TEST(ParsePacket, RefusesARetryWithoutToken) {  // RFC 9000 §17.2.5.2
  EXPECT_EQ(reason_of(hex("f0 00000001 00 00 04a265ba2eff4d829058fb3f0f2496ba")), DropReason::malformed_header);
  EXPECT_EQ(reason_of(hex("f0 00000001 00 00 04a265ba2eff4d829058fb3f0f24")), DropReason::malformed_header);
}

TEST(ParsePacket, ReadsVersionNegotiation) {  // RFC 9000 §17.2.1
  Blob datagram = hex("80 00000000 01 0a 02 0b0c 00000001 6b3343cf");
  const auto packet = parse_packet(datagram, kShortCid);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->type, PacketType::version_negotiation);
  EXPECT_EQ(packet->version, kVersionNegotiation);
  EXPECT_EQ(packet->dcid, cid("0a"));
  EXPECT_EQ(packet->scid, cid("0b0c"));
  EXPECT_TRUE(lists_version(packet->supported_versions, 0x6b3343cf));
  EXPECT_TRUE(lists_version(packet->supported_versions, kVersion1));
  EXPECT_FALSE(lists_version(packet->supported_versions, 2));
}

TEST(ParsePacket, RefusesVersionNegotiationWithoutWholeVersions) {
  EXPECT_EQ(reason_of(hex("80 00000000 00 00")), DropReason::malformed_header);
  EXPECT_EQ(reason_of(hex("80 00000000 00 00 000000")), DropReason::malformed_header);
  EXPECT_EQ(reason_of(hex("80 00000000 00 00 0000000100")), DropReason::malformed_header);
}

TEST(ParseInvariants, ReadsLongConnectionIdsOfOtherVersions) {  // RFC 8999 §5.1
  const std::string id255(510, 'b');
  const Blob datagram = hex("c0 6b3343cf ff" + id255 + "01 cc 1234");
  const auto header = parse_invariants(datagram, kShortCid);
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->long_form);
  EXPECT_EQ(header->version, 0x6b3343cfU);
  EXPECT_EQ(header->dcid.size(), 255U);
  EXPECT_EQ(to_hex(header->scid), "cc");
}

TEST(ParseInvariants, ReadsAShortHeader) {
  const Blob datagram = hex("40 0102 ff");
  const auto header = parse_invariants(datagram, 2);
  ASSERT_TRUE(header);
  EXPECT_FALSE(header->long_form);
  EXPECT_EQ(to_hex(header->dcid), "0102");
}

TEST(ParseInvariants, RefusesWhatIsTooShort) {
  EXPECT_FALSE(parse_invariants({}, 0));
  EXPECT_FALSE(parse_invariants(hex("40 01"), 2));
  EXPECT_FALSE(parse_invariants(hex("c0 000000"), 2));
  EXPECT_FALSE(parse_invariants(hex("c0 00000001 02 01"), 2));
  EXPECT_FALSE(parse_invariants(hex("c0 00000001 01 01"), 2));
}

TEST(WriteLongHeader, WritesTheRfcClientInitial) {  // RFC 9001 A.2
  Blob packet(1200);
  ByteWriter out(packet);
  const LongHeader header{.type = PacketType::initial, .dcid = cid(rfc9001::kClientDestinationId)};
  const auto layout = write_long_header(out, header, {.value = 2, .length = 4});
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->size, header_size(header, 4));
  EXPECT_EQ(layout->packet_number_offset, 18U);
  patch_length(packet, *layout);
  EXPECT_EQ(to_hex(out.written()), rfc9001::kClientInitialHeader);
}

TEST(WriteLongHeader, WritesTheRfcServerInitial) {  // RFC 9001 A.3
  Blob packet(20 + rfc9001::kServerInitialPayload.size() / 2 + 16);
  ByteWriter out(packet);
  const LongHeader header{.type = PacketType::initial, .scid = cid(rfc9001::kServerSourceId)};
  const auto layout = write_long_header(out, header, {.value = 1, .length = 2});
  ASSERT_TRUE(layout);
  patch_length(packet, *layout);
  EXPECT_EQ(to_hex(out.written()), rfc9001::kServerInitialHeader);
}

TEST(WriteLongHeader, RoundTripsEveryTypeBehindOtherBytes) {
  const Blob token = hex("746f6b656e");
  for (const PacketType type : {PacketType::initial, PacketType::zero_rtt, PacketType::handshake}) {
    Blob buffer(100);
    ByteWriter out(buffer);
    ASSERT_TRUE(out.write_zeros(10));  // an earlier packet of the datagram
    const LongHeader header{.type = type,
                            .dcid = cid("0102030405"),
                            .scid = cid("0a0b0c"),
                            .token = type == PacketType::initial ? Bytes(token) : Bytes{},
                            .fixed_bit = false};
    const auto layout = write_long_header(out, header, {.value = 0x0a0b0c, .length = 3});
    ASSERT_TRUE(layout);
    EXPECT_EQ(layout->size, header_size(header, 3));
    ASSERT_TRUE(out.write_zeros(20));
    const MutableBytes packet = out.written().subspan(10);
    patch_length(packet, *layout);

    const auto parsed = parse_packet(MutableBytes(buffer).subspan(10), 0);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->type, type);
    EXPECT_EQ(parsed->dcid, header.dcid);
    EXPECT_EQ(parsed->scid, header.scid);
    EXPECT_EQ(blob(parsed->token), blob(header.token));
    EXPECT_FALSE(parsed->fixed_bit);
    EXPECT_EQ(parsed->packet_number_offset, layout->packet_number_offset);
    EXPECT_EQ(parsed->consumed, packet.size());
    EXPECT_EQ(to_hex(Bytes(packet).subspan(layout->packet_number_offset, 3)), "0a0b0c");
    EXPECT_EQ(std::to_integer<int>(packet[0]) & first_byte::kPacketNumberLength, 2);
  }
}

TEST(WriteLongHeader, IsAllOrNothing) {
  const LongHeader header{.dcid = cid("01"), .scid = cid("02"), .token = {}};
  Blob buffer(header_size(header, 4));
  for (std::size_t n = 0; n < buffer.size(); ++n) {
    ByteWriter out(MutableBytes(buffer).first(n));
    EXPECT_FALSE(write_long_header(out, header, {.value = 1, .length = 4}));
    EXPECT_EQ(out.size(), 0U);
  }
  ByteWriter out(buffer);
  EXPECT_TRUE(write_long_header(out, header, {.value = 1, .length = 4}));
  EXPECT_EQ(out.remaining(), 0U);
}

TEST(WriteShortHeader, WritesTheRfcShortHeader) {  // RFC 9001 A.5
  Blob buffer(10);
  ByteWriter out(buffer);
  const auto layout = write_short_header(out, {}, {.value = truncate(PacketNumber{654'360'564}, 3), .length = 3});
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->size, 4U);
  EXPECT_EQ(layout->packet_number_offset, 1U);
  EXPECT_EQ(to_hex(out.written()), rfc9001::kShortHeader);
}

TEST(WriteShortHeader, SetsEachBit) {  // RFC 9000 §17.3.1
  const auto first = [](const ShortHeader& header, std::size_t length) {
    Blob buffer(10);
    ByteWriter out(buffer);
    EXPECT_TRUE(write_short_header(out, header, {.value = 0, .length = length}));
    return std::to_integer<int>(buffer[0]);
  };
  EXPECT_EQ(first({}, 1), 0x40);
  EXPECT_EQ(first({}, 4), 0x43);
  EXPECT_EQ(first({.spin = true}, 1), 0x60);
  EXPECT_EQ(first({.key_phase = true}, 1), 0x44);
  EXPECT_EQ(first({.fixed_bit = false}, 2), 0x01);
}

TEST(WriteShortHeader, IsAllOrNothing) {
  Blob buffer(4);
  ByteWriter out(buffer);
  EXPECT_FALSE(write_short_header(out, {.dcid = cid("010203")}, {.value = 1, .length = 1}));
  EXPECT_EQ(out.size(), 0U);
  EXPECT_TRUE(write_short_header(out, {.dcid = cid("0102")}, {.value = 1, .length = 1}));
}

TEST(WriteVersionNegotiation, EchoesLongConnectionIds) {  // RFC 9000 §17.2.1
  const Blob dcid(255, std::byte{0xab});
  const Blob scid = hex("01");
  const std::array<std::uint32_t, 2> versions = {kVersion1, 0x1a2a3a4a};
  Blob buffer(600);
  ByteWriter out(buffer);
  ASSERT_TRUE(write_version_negotiation(out, {.dcid = dcid, .scid = scid, .versions = versions, .unused = 0x15}));
  const auto header = parse_invariants(out.written(), 0);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->version, kVersionNegotiation);
  EXPECT_EQ(blob(header->dcid), dcid);
  EXPECT_EQ(blob(header->scid), scid);
  EXPECT_EQ(to_hex(out.written().last(8)), "000000011a2a3a4a");
  EXPECT_EQ(std::to_integer<int>(buffer[0]), 0xd5);
}

TEST(WriteVersionNegotiation, IsAllOrNothing) {
  const std::array<std::uint32_t, 1> versions = {kVersion1};
  Blob buffer(10);
  ByteWriter out(buffer);
  EXPECT_FALSE(write_version_negotiation(out, {.dcid = {}, .scid = {}, .versions = versions}));
  EXPECT_EQ(out.size(), 0U);
}

TEST(WriteRetry, WritesTheRfcRetryButForItsTag) {  // RFC 9001 A.4
  Blob buffer(100);
  ByteWriter out(buffer);
  ASSERT_TRUE(write_retry(
      out, {.dcid = {}, .scid = cid(rfc9001::kServerSourceId), .token = as_bytes("token"), .unused = 0x0f}));
  EXPECT_EQ(to_hex(out.written()) + std::string(rfc9001::kRetryTag), rfc9001::kRetry);
}

TEST(WriteRetry, IsAllOrNothing) {
  Blob buffer(10);
  ByteWriter out(buffer);
  EXPECT_FALSE(write_retry(out, {.dcid = {}, .scid = {}, .token = as_bytes("token")}));
  EXPECT_EQ(out.size(), 0U);
}

TEST(PacketTypes, MapToEncryptionLevelsAndBack) {
  for (const EncryptionLevel level :
       {EncryptionLevel::initial, EncryptionLevel::zero_rtt, EncryptionLevel::handshake, EncryptionLevel::one_rtt}) {
    EXPECT_EQ(level_of(packet_type_of(level)), level);
  }
  EXPECT_FALSE(level_of(PacketType::retry));
  EXPECT_FALSE(level_of(PacketType::version_negotiation));
}

}  // namespace
}  // namespace mpquic
