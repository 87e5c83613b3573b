#include "stack/wire/cursor.h"

#include <gtest/gtest.h>

#include "tests/unit/wire/wire_testing.h"

namespace mpquic {
namespace {

using testing::hex;
using testing::to_hex;

TEST(ByteReader, ReadsIntegersInNetworkByteOrder) {
  const auto bytes = hex("01 0203 04050607 08090a0b0c0d0e0f");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read_u8(), 0x01);
  EXPECT_EQ(reader.read_u16(), 0x0203);
  EXPECT_EQ(reader.read_u32(), 0x04050607U);
  EXPECT_EQ(reader.read_u64(), 0x08090a0b0c0d0e0fU);
  EXPECT_TRUE(reader.empty());
  EXPECT_EQ(reader.position(), bytes.size());
}

TEST(ByteReader, AFailedReadChangesNothing) {
  const auto bytes = hex("c00102");
  ByteReader reader(bytes);
  EXPECT_FALSE(reader.read_u32());
  EXPECT_FALSE(reader.read_u64());
  EXPECT_FALSE(reader.read_varint());
  EXPECT_FALSE(reader.read_bytes(4));
  EXPECT_FALSE(reader.read_array<4>());
  EXPECT_FALSE(reader.read_prefixed_bytes());
  EXPECT_EQ(reader.position(), 0U);
  EXPECT_EQ(reader.remaining(), 3U);
}

TEST(ByteReader, NothingCanBeReadFromNothing) {
  ByteReader reader(Bytes{});
  EXPECT_TRUE(reader.empty());
  EXPECT_FALSE(reader.read_u8());
  EXPECT_FALSE(reader.read_varint());
  EXPECT_TRUE(reader.read_bytes(0));
  EXPECT_TRUE(reader.read_rest().empty());
}

TEST(ByteReader, ReadsPrefixedBytes) {
  const auto bytes = hex("02aabb 00 01");
  ByteReader reader(bytes);
  EXPECT_EQ(to_hex(*reader.read_prefixed_bytes()), "aabb");
  EXPECT_TRUE(reader.read_prefixed_bytes()->empty());
  EXPECT_FALSE(reader.read_prefixed_bytes());  // one byte announced, none there
  EXPECT_EQ(reader.position(), 4U);
}

TEST(ByteReader, AnEnormousLengthDoesNotWrapAround) {
  const auto bytes = hex("ffffffffffffffff 00");
  ByteReader reader(bytes);
  EXPECT_FALSE(reader.read_prefixed_bytes());
  EXPECT_FALSE(reader.read_bytes(UINT64_MAX));
  EXPECT_EQ(reader.position(), 0U);
}

TEST(ByteReader, GivesRangesAndTheRest) {
  const auto bytes = hex("0001020304");
  ByteReader reader(bytes);
  ASSERT_TRUE(reader.read_bytes(3));
  EXPECT_EQ(to_hex(reader.between(1, 3)), "0102");
  EXPECT_EQ(to_hex(reader.rest()), "0304");
  EXPECT_EQ(to_hex(reader.read_rest()), "0304");
  EXPECT_TRUE(reader.empty());
}

TEST(ByteWriter, WritesIntegersInNetworkByteOrder) {
  std::array<std::byte, 32> out{};
  ByteWriter writer(out);
  EXPECT_TRUE(writer.write_u8(0x01) && writer.write_u16(0x0203) && writer.write_u32(0x04050607) &&
              writer.write_u64(0x08090a0b0c0d0e0f) && writer.write_varint(15'293));
  EXPECT_EQ(to_hex(writer.written()), "0102030405060708090a0b0c0d0e0f7bbd");
}

TEST(ByteWriter, AWriteThatDoesNotFitChangesNothing) {
  std::array<std::byte, 3> out{std::byte{9}, std::byte{9}, std::byte{9}};
  ByteWriter writer(out);
  EXPECT_FALSE(writer.write_u32(1));
  EXPECT_FALSE(writer.write_u64(1));
  EXPECT_FALSE(writer.write_varint(kMaxVarint2 + 1));
  EXPECT_FALSE(writer.write_varint4(1));
  EXPECT_FALSE(writer.write_bytes(hex("01020304")));
  EXPECT_FALSE(writer.write_prefixed_bytes(hex("010203")));
  EXPECT_FALSE(writer.write_zeros(4));
  EXPECT_FALSE(writer.reserve(4));
  EXPECT_EQ(writer.size(), 0U);
  EXPECT_EQ(to_hex(out), "090909");
}

TEST(ByteWriter, FillsToTheLastByte) {
  std::array<std::byte, 3> out{};
  ByteWriter writer(out);
  EXPECT_TRUE(writer.write_prefixed_bytes(hex("0102")));
  EXPECT_EQ(writer.remaining(), 0U);
  EXPECT_FALSE(writer.write_u8(0));
  EXPECT_TRUE(writer.write_bytes({}));
  EXPECT_EQ(to_hex(out), "020102");
}

TEST(ByteWriter, PatchesALengthField) {
  std::array<std::byte, 4> out{};
  ByteWriter writer(out);
  ASSERT_TRUE(writer.write_u8(0xaa) && writer.write_varint2(0));
  writer.patch_varint2(1, 1182);
  EXPECT_EQ(to_hex(writer.written()), "aa449e");  // RFC 9001 A.2 has this Length
}

TEST(ByteWriter, WritesFixedSizeVarints) {
  std::array<std::byte, 6> out{};
  ByteWriter writer(out);
  EXPECT_TRUE(writer.write_varint2(37) && writer.write_varint4(37));
  EXPECT_EQ(to_hex(writer.written()), "402580000025");
}

TEST(ByteWriter, TruncateTakesWritesBack) {
  std::array<std::byte, 4> out{};
  ByteWriter writer(out);
  ASSERT_TRUE(writer.write_u16(0x0102));
  const std::size_t mark = writer.size();
  ASSERT_TRUE(writer.write_u16(0x0304));
  writer.truncate(mark);
  ASSERT_TRUE(writer.write_zeros(1));
  EXPECT_EQ(to_hex(writer.written()), "010200");
}

TEST(ByteWriter, ReservesRoomForTheCaller) {
  std::array<std::byte, 4> out{};
  ByteWriter writer(out);
  ASSERT_TRUE(writer.write_u8(1));
  const auto hole = writer.reserve(2);
  ASSERT_TRUE(hole);
  EXPECT_EQ(hole->size(), 2U);
  EXPECT_EQ(hole->data(), out.data() + 1);
  EXPECT_EQ(writer.remaining(), 1U);
}

}  // namespace
}  // namespace mpquic
