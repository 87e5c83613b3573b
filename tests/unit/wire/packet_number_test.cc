#include "stack/wire/packet_number.h"

#include <gtest/gtest.h>

namespace mpquic {
namespace {

TEST(PacketNumberLength, FollowsTheRfcExamples) {  // RFC 9000 appendix A.2
  EXPECT_EQ(packet_number_length(PacketNumber{0xac5c02}, PacketNumber{0xabe8b3}), 2U);
  EXPECT_EQ(packet_number_length(PacketNumber{0xace8fe}, PacketNumber{0xabe8b3}), 3U);
}

TEST(PacketNumberLength, CoversMoreThanTwiceTheUnacknowledgedRange) {  // RFC 9000 §17.1
  EXPECT_EQ(packet_number_length(PacketNumber{0}, std::nullopt), 1U);
  EXPECT_EQ(packet_number_length(PacketNumber{126}, std::nullopt), 1U);
  EXPECT_EQ(packet_number_length(PacketNumber{127}, std::nullopt), 2U);
  EXPECT_EQ(packet_number_length(PacketNumber{127}, PacketNumber{0}), 1U);
  EXPECT_EQ(packet_number_length(PacketNumber{128}, PacketNumber{0}), 2U);
  EXPECT_EQ(packet_number_length(PacketNumber{(1 << 15) - 1}, PacketNumber{0}), 2U);
  EXPECT_EQ(packet_number_length(PacketNumber{1 << 15}, PacketNumber{0}), 3U);
  EXPECT_EQ(packet_number_length(PacketNumber{1 << 23}, PacketNumber{0}), 4U);
}

TEST(PacketNumberLength, NeverExceedsFourBytes) {
  EXPECT_EQ(packet_number_length(PacketNumber{kMaxVarint}, std::nullopt), 4U);
}

TEST(TruncatePacketNumber, KeepsTheLowBytes) {
  EXPECT_EQ(truncate(PacketNumber{0xac5c02}, 2), 0x5c02U);
  EXPECT_EQ(truncate(PacketNumber{0xace8fe}, 3), 0xace8feU);
  EXPECT_EQ(truncate(PacketNumber{0x1234567890}, 4), 0x34567890U);
  EXPECT_EQ(truncate(PacketNumber{0x1ff}, 1), 0xffU);
}

TEST(ExpandPacketNumber, FollowsTheRfcExample) {  // RFC 9000 appendix A.3
  EXPECT_EQ(expand_packet_number(0x9b32, 2, PacketNumber{0xa82f30ea}), PacketNumber{0xa82f9b32});
}

TEST(ExpandPacketNumber, StartsAtZero) {
  EXPECT_EQ(expand_packet_number(0, 1, std::nullopt), PacketNumber{0});
  EXPECT_EQ(expand_packet_number(200, 1, std::nullopt), PacketNumber{200});
  EXPECT_EQ(expand_packet_number(0xffffffff, 4, std::nullopt), PacketNumber{0xffffffff});
}

TEST(ExpandPacketNumber, CrossesTheWindowBothWays) {
  EXPECT_EQ(expand_packet_number(0x01, 1, PacketNumber{0x1fe}), PacketNumber{0x201});
  EXPECT_EQ(expand_packet_number(0xfe, 1, PacketNumber{0x201}), PacketNumber{0x1fe});
}

TEST(ExpandPacketNumber, ChoosesTheHalfWindowAheadInclusively) {
  // Expected 0x200: 0x180 is half a window behind, 0x280 half a window ahead.
  EXPECT_EQ(expand_packet_number(0x80, 1, PacketNumber{0x1ff}), PacketNumber{0x280});
  EXPECT_EQ(expand_packet_number(0x81, 1, PacketNumber{0x1ff}), PacketNumber{0x181});
  // Expected 0x280: 0x200 is exactly half a window behind, 0x300 ahead.
  EXPECT_EQ(expand_packet_number(0x00, 1, PacketNumber{0x27f}), PacketNumber{0x300});
  EXPECT_EQ(expand_packet_number(0x01, 1, PacketNumber{0x27f}), PacketNumber{0x201});
}

TEST(ExpandPacketNumber, StaysBelowTwoToThe62) {
  const PacketNumber last{kMaxVarint};
  for (std::size_t length = 1; length <= 4; ++length) {
    EXPECT_EQ(expand_packet_number(truncate(last, length), length, PacketNumber{kMaxVarint - 1}), last);
    EXPECT_LE(expand_packet_number(0, length, last).value(), kMaxVarint);
    EXPECT_LE(expand_packet_number(1, length, last).value(), kMaxVarint);
  }
}

}  // namespace
}  // namespace mpquic
