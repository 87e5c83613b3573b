#include "stack/wire/frame_decode.h"

#include <gtest/gtest.h>

#include "stack/wire/frame_encode.h"
#include "stack/wire/frame_rules.h"
#include "tests/unit/wire/frame_samples.h"
#include "tests/vectors/rfc9001.h"

namespace mpquic {
namespace {

using testing::Blob;
using testing::FrameSample;
using testing::hex;
using testing::same;
using testing::to_hex;

constexpr FrameOptions kAll{
    .multipath = true, .address_advertisement = true, .datagram = true, .numbered_datagram = true};
constexpr std::array kLevels = {EncryptionLevel::initial, EncryptionLevel::zero_rtt, EncryptionLevel::handshake,
                                EncryptionLevel::one_rtt};

/// The error that the first frame of `bytes` gives; code kNoError if none.
TransportError error_of(const Blob& bytes, EncryptionLevel level = EncryptionLevel::one_rtt,
                        FrameOptions options = kAll) {
  FrameDecoder decoder(bytes, level, options);
  const auto frame = decoder.next();
  if (!frame || *frame) return {};
  EXPECT_FALSE(decoder.next()) << "nothing follows an error";
  EXPECT_FALSE(frame->error().reason.empty());
  return frame->error();
}
std::uint64_t code_of(const Blob& bytes, EncryptionLevel level = EncryptionLevel::one_rtt,
                      FrameOptions options = kAll) {
  return error_of(bytes, level, options).code;
}

/// The only frame of `bytes`.
Frame only(const Blob& bytes) {
  FrameDecoder decoder(bytes, EncryptionLevel::one_rtt, kAll);
  const auto frame = decoder.next();
  EXPECT_TRUE(frame && *frame) << to_hex(bytes);
  EXPECT_FALSE(decoder.next());
  return frame && *frame ? **frame : Frame{};
}

TEST(FrameDecode, ReadsEveryFrame) {
  for (const FrameSample& sample : testing::frame_samples()) {
    EXPECT_TRUE(same(only(sample.bytes), sample.frame)) << sample.name;
  }
}

TEST(FrameDecode, EveryTruncationIsAFrameEncodingError) {  // RFC 9000 §20.1
  for (const FrameSample& sample : testing::frame_samples()) {
    if (std::holds_alternative<PaddingFrame>(sample.frame)) continue;  // a shorter run is a run
    for (std::size_t n = 1; n < sample.bytes.size(); ++n) {
      const Blob cut(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(code_of(cut), error::kFrameEncodingError) << sample.name << " cut to " << n;
    }
  }
}

TEST(FrameDecode, ErrorsNameTheFrameType) {
  EXPECT_EQ(error_of(hex("10")).frame_type, frame_type::kMaxData);
  EXPECT_EQ(error_of(hex("7e75 05")).frame_type, frame_type::kPathAbandon);
  EXPECT_EQ(error_of(hex("1e"), EncryptionLevel::initial).frame_type, frame_type::kHandshakeDone);
  EXPECT_EQ(error_of(hex("0f 00")).frame_type, 0x0fU);
}

TEST(FrameDecode, ReadsFramesInOrderUntilTheEnd) {
  const Blob bytes = hex("01 0000 06 00 01 aa 1004 0a 04 01 bb 08 08 cccc");
  FrameDecoder decoder(bytes, EncryptionLevel::one_rtt, {});
  std::vector<std::size_t> kinds;
  while (const auto frame = decoder.next()) {
    ASSERT_TRUE(*frame);
    kinds.push_back((*frame)->index());
  }
  const std::vector<std::size_t> expected = {Frame(PingFrame{}).index(),   Frame(PaddingFrame{}).index(),
                                             Frame(CryptoFrame{}).index(), Frame(MaxDataFrame{}).index(),
                                             Frame(StreamFrame{}).index(), Frame(StreamFrame{}).index()};
  EXPECT_EQ(kinds, expected);
}

TEST(FrameDecode, ReadsTheRfcServerInitial) {  // RFC 9001 A.3: ACK of packet 0, and 90 bytes of CRYPTO
  const Blob payload = hex(rfc9001::kServerInitialPayload);
  FrameDecoder decoder(payload, EncryptionLevel::initial, {});
  const auto first = decoder.next();
  ASSERT_TRUE(first && *first && std::holds_alternative<AckFrame>(**first));
  EXPECT_EQ(std::get<AckFrame>(**first).largest, PacketNumber{0});
  const auto second = decoder.next();
  ASSERT_TRUE(second && *second && std::holds_alternative<CryptoFrame>(**second));
  EXPECT_EQ(std::get<CryptoFrame>(**second).data.size(), 90U);
  EXPECT_FALSE(decoder.next());
}

TEST(FrameDecode, AnEmptyPacketIsAProtocolViolation) {  // RFC 9000 §12.4
  EXPECT_EQ(code_of({}), error::kProtocolViolation);
}

TEST(FrameDecode, AnUnknownTypeIsAFrameEncodingError) {  // RFC 9000 §12.4
  for (const char* type : {"1f", "20", "2f", "32", "3d", "4044", "7e74", "7e7d", "ffffffffffffffff"}) {
    EXPECT_EQ(code_of(hex(type)), error::kFrameEncodingError) << type;
    EXPECT_EQ(code_of(hex(type), EncryptionLevel::initial), error::kFrameEncodingError) << type;
  }
}

TEST(FrameDecode, ATypeMustBeInItsShortestForm) {  // RFC 9000 §12.4
  for (const char* type :
       {"4001", "80000001", "c000000000000001", "4008 04", "403e 00 00 00 00 00", "80003e75 05 00"}) {
    EXPECT_EQ(code_of(hex(type)), error::kProtocolViolation) << type;
  }
}

TEST(FrameDecode, RefusesEachFrameWhereTheTableForbidsIt) {  // RFC 9000 table 3, draft-21 §4
  for (const FrameSample& sample : testing::frame_samples()) {
    const FrameRule* const rule = find_frame_rule(type_of(sample.frame));
    for (const EncryptionLevel level : kLevels) {
      const auto expected = rule->allows(level) ? error::kNoError : error::kProtocolViolation;
      EXPECT_EQ(code_of(sample.bytes, level), expected) << sample.name << " at " << static_cast<int>(level);
    }
  }
}

TEST(FrameDecode, MultipathFramesNeedNegotiation) {  // draft-21 §2.1, RFC 9000 §12.4
  constexpr FrameOptions kWithout{
      .multipath = false, .address_advertisement = true, .datagram = true, .numbered_datagram = true};
  for (const FrameSample& sample : testing::frame_samples()) {
    const bool multipath = find_frame_rule(type_of(sample.frame))->extension == FrameExtension::multipath;
    EXPECT_EQ(code_of(sample.bytes, EncryptionLevel::one_rtt, kWithout),
              multipath ? error::kFrameEncodingError : error::kNoError)
        << sample.name;
    if (multipath) {  // the packet type is the first objection
      EXPECT_EQ(code_of(sample.bytes, EncryptionLevel::handshake, kWithout), error::kProtocolViolation) << sample.name;
    }
  }
}

TEST(FrameDecode, AddressFramesAreUnknownUnlessNegotiated) {
  constexpr FrameOptions kWithout{.multipath = true, .address_advertisement = false, .datagram = true};
  for (const char* bytes : {"4040 01 02 04 c0000201 01bb", "4041 06 02", "4042 05 00 00"}) {
    EXPECT_EQ(code_of(hex(bytes), EncryptionLevel::one_rtt, kWithout), error::kFrameEncodingError);
    EXPECT_EQ(code_of(hex(bytes), EncryptionLevel::initial, kWithout), error::kFrameEncodingError);
    EXPECT_EQ(code_of(hex(bytes), EncryptionLevel::initial), error::kProtocolViolation);
    EXPECT_EQ(code_of(hex(bytes)), error::kNoError);
  }
}

TEST(FrameDecode, NumberedDatagramsAreUnknownUnlessAnnounced) {
  constexpr FrameOptions kWithout{.multipath = true, .address_advertisement = true, .datagram = true};
  for (const EncryptionLevel level : {EncryptionLevel::one_rtt, EncryptionLevel::initial})
    EXPECT_EQ(code_of(hex("4043 07 01 aa"), level, kWithout), error::kFrameEncodingError);
  const auto bytes = hex("4043 412c 02 aabb");
  const Frame frame = only(bytes);
  EXPECT_EQ(std::get<DatagramFrame>(frame).number, 300U);
  EXPECT_EQ(to_hex(std::get<DatagramFrame>(frame).data), "aabb");
  for (const char* cut : {"4043", "4043 41", "4043 07", "4043 07 02 aa"})
    EXPECT_EQ(code_of(hex(cut)), error::kFrameEncodingError) << cut;
}

TEST(FrameDecode, ADatagramThatWeDidNotOfferIsAProtocolViolation) {  // RFC 9221 §3
  EXPECT_EQ(code_of(hex("30 aa"), EncryptionLevel::one_rtt, {}), error::kProtocolViolation);
  EXPECT_EQ(code_of(hex("31 01 aa"), EncryptionLevel::one_rtt, {}), error::kProtocolViolation);
}

TEST(FrameDecode, AStreamWithoutLengthTakesTheRest) {  // RFC 9000 §19.8
  const auto bytes = hex("0d 04 05 aabbcc");
  const Frame frame = only(bytes);
  const auto& stream = std::get<StreamFrame>(frame);
  EXPECT_EQ(stream.offset, 5U);
  EXPECT_TRUE(stream.fin);
  EXPECT_EQ(to_hex(stream.data), "aabbcc");
  EXPECT_EQ(code_of(hex("08 04")), error::kNoError);  // no data at all
}

TEST(FrameDecode, ADatagramWithoutLengthTakesTheRest) {  // RFC 9221 §4
  const auto bytes = hex("30 aabbcc");
  const Frame frame = only(bytes);
  EXPECT_EQ(to_hex(std::get<DatagramFrame>(frame).data), "aabbcc");
  EXPECT_TRUE(std::get<DatagramFrame>(only(hex("30"))).data.empty());
}

TEST(FrameDecode, DataReferToThePacket) {
  const auto bytes = hex("0a 04 02 aabb");
  const Frame frame = only(bytes);
  EXPECT_EQ(std::get<StreamFrame>(frame).data.data(), bytes.data() + 3);
}

TEST(FrameDecode, ARunOfPaddingIsOneFrame) {
  Blob bytes(1000);
  EXPECT_EQ(std::get<PaddingFrame>(only(bytes)).length, 1000U);
  bytes.push_back(std::byte{0x01});
  FrameDecoder decoder(bytes, EncryptionLevel::initial, {});
  EXPECT_EQ(std::get<PaddingFrame>(**decoder.next()).length, 1000U);
  EXPECT_TRUE(std::holds_alternative<PingFrame>(**decoder.next()));
}

TEST(FrameDecode, StreamDataMustEndBelowTwoToThe62) {  // RFC 9000 §19.8
  EXPECT_EQ(code_of(hex("0e 04 fffffffffffffffe 01 aa")), error::kNoError);
  EXPECT_EQ(code_of(hex("0e 04 ffffffffffffffff 00")), error::kNoError);
  EXPECT_EQ(code_of(hex("0e 04 ffffffffffffffff 01 aa")), error::kFrameEncodingError);
  EXPECT_EQ(code_of(hex("0c 04 fffffffffffffffe aabb")), error::kFrameEncodingError);
}

TEST(FrameDecode, CryptoDataMustEndBelowTwoToThe62) {  // RFC 9000 §19.6
  EXPECT_EQ(code_of(hex("06 fffffffffffffffe 01 aa")), error::kNoError);
  EXPECT_EQ(code_of(hex("06 ffffffffffffffff 01 aa")), error::kFrameEncodingError);
}

TEST(FrameDecode, StreamLimitsEndAtTwoToThe60) {  // RFC 9000 §19.11, §19.14
  for (const char* type : {"12", "13", "16", "17"}) {
    EXPECT_EQ(code_of(hex(type + std::string("d000000000000000"))), error::kNoError) << type;
    EXPECT_EQ(code_of(hex(type + std::string("d000000000000001"))), error::kFrameEncodingError) << type;
  }
}

TEST(FrameDecode, ConnectionIdsHaveOneToTwentyBytes) {  // RFC 9000 §19.15
  const std::string token(32, 'a');
  for (const std::string start : {"18 01 00", "7e78 05 01 00"}) {
    EXPECT_EQ(code_of(hex(start + "00" + token)), error::kFrameEncodingError);
    EXPECT_EQ(code_of(hex(start + "01 bb" + token)), error::kNoError);
    EXPECT_EQ(code_of(hex(start + "14" + std::string(40, 'b') + token)), error::kNoError);
    EXPECT_EQ(code_of(hex(start + "15" + std::string(42, 'b') + token)), error::kFrameEncodingError);
    EXPECT_EQ(code_of(hex(start + "ff" + std::string(510, 'b') + token)), error::kFrameEncodingError);
  }
}

TEST(FrameDecode, RetirePriorToIsNotAboveTheSequence) {  // RFC 9000 §19.15
  const std::string rest = "01 bb" + std::string(32, 'a');
  EXPECT_EQ(code_of(hex("18 02 02" + rest)), error::kNoError);
  EXPECT_EQ(code_of(hex("18 02 03" + rest)), error::kFrameEncodingError);
  EXPECT_EQ(code_of(hex("7e78 05 02 03" + rest)), error::kFrameEncodingError);
}

TEST(FrameDecode, ATokenIsNotEmpty) {  // RFC 9000 §19.7
  EXPECT_EQ(code_of(hex("07 00")), error::kFrameEncodingError);
}

TEST(FrameDecode, PathIdsHave32Bits) {  // draft-21 §2.1, §4
  const std::string above = "c000000100000000";
  const std::string last = "c0000000ffffffff";
  const std::string new_id = "01 00 01 bb" + std::string(32, 'a');
  for (const auto& [type, rest] : {std::pair<std::string, std::string>{"3e", "00 00 00 00"},
                                   {"3f", "00 00 00 00 01 01 01"},
                                   {"7e78", new_id},
                                   {"7e79", "01"}}) {
    EXPECT_EQ(code_of(hex(type + last + rest)), error::kNoError) << type;
    EXPECT_EQ(code_of(hex(type + above + rest)), error::kProtocolViolation) << type;
  }
  // Where the wire width is kept, the owner of the limit objects.
  EXPECT_EQ(std::get<PathAbandonFrame>(only(hex("7e75" + above + "00"))).path, std::uint64_t{1} << 32);
}

TEST(FrameDecode, AddressesAreOfVersion4Or6) {
  EXPECT_EQ(code_of(hex("4040 01 02 05 c0000201 01bb")), error::kFrameEncodingError);
  EXPECT_EQ(code_of(hex("4040 01 02 00 c0000201 01bb")), error::kFrameEncodingError);
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_of(const Blob& bytes) {
  const Frame frame = only(bytes);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for_each_range(std::get<AckFrame>(frame), [&](PacketNumber smallest, PacketNumber largest) {
    ranges.emplace_back(smallest.value(), largest.value());
  });
  return ranges;
}

using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

TEST(AckRanges, AreVisitedFromTheTop) {  // RFC 9000 §19.3.1
  EXPECT_EQ(ranges_of(hex("02 00 00 00 00")), (Ranges{{0, 0}}));
  EXPECT_EQ(ranges_of(hex("02 14 00 00 05")), (Ranges{{15, 20}}));
  EXPECT_EQ(ranges_of(hex("02 14 00 02 05 00 03 01 02")), (Ranges{{15, 20}, {10, 13}, {5, 7}}));
  EXPECT_EQ(ranges_of(hex("3e 05 14 00 01 05 00 0d")), (Ranges{{15, 20}, {0, 13}}));
}

TEST(AckRanges, MayReachZeroButNotBelow) {  // RFC 9000 §19.3.1
  EXPECT_EQ(code_of(hex("02 05 00 00 05")), error::kNoError);
  EXPECT_EQ(code_of(hex("02 05 00 00 06")), error::kFrameEncodingError);
  EXPECT_EQ(code_of(hex("02 0a 00 01 02 06 00")), error::kNoError);             // gap down to 0
  EXPECT_EQ(code_of(hex("02 0a 00 01 02 07 00")), error::kFrameEncodingError);  // gap below
  EXPECT_EQ(code_of(hex("02 0a 00 01 02 05 01")), error::kNoError);
  EXPECT_EQ(code_of(hex("02 0a 00 01 02 05 02")), error::kFrameEncodingError);  // length below
  EXPECT_EQ(code_of(hex("02 0a 00 01 0a 00 00")), error::kFrameEncodingError);  // nothing below 0
  EXPECT_EQ(code_of(hex("02 0a 00 01 02 ffffffffffffffff 00")), error::kFrameEncodingError);
  EXPECT_EQ(code_of(hex("02 0a 00 01 02 00 ffffffffffffffff")), error::kFrameEncodingError);
}

TEST(AckRanges, ACountThatLiesIsAnEncodingError) {
  EXPECT_EQ(code_of(hex("02 14 00 ffffffffffffffff 05 00 01")), error::kFrameEncodingError);
  EXPECT_EQ(code_of(hex("02 14 00 02 05 00 01")), error::kFrameEncodingError);
}

TEST(AckRanges, CoverTheWholePacketNumberSpace) {
  EXPECT_EQ(ranges_of(hex("02 ffffffffffffffff 00 00 ffffffffffffffff")), (Ranges{{0, kMaxVarint}}));
}

}  // namespace
}  // namespace mpquic
