#include "stack/wire/varint.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/unit/wire/wire_testing.h"

namespace mpquic {
namespace {

using testing::hex;
using testing::to_hex;

struct Sample {
  const char* encoded;
  std::uint64_t value;
};

// RFC 9000 appendix A.1.
constexpr std::array kSamples = {
    Sample{"c2197c5eff14e88c", 151'288'809'941'952'652U},
    Sample{"9d7f3e7d", 494'878'333},
    Sample{"7bbd", 15'293},
    Sample{"25", 37},
};

std::string shortest(std::uint64_t value) {
  std::array<std::byte, kMaxVarintSize> out{};
  const std::size_t size = varint_size(value);
  write_varint_sized(out.data(), value, size);
  return to_hex(Bytes(out).first(size));
}

TEST(Varint, ReadsTheRfcSamples) {
  for (const Sample& sample : kSamples) {
    const auto bytes = hex(sample.encoded);
    const auto read = read_varint(bytes);
    ASSERT_TRUE(read) << sample.encoded;
    EXPECT_EQ(read->value, sample.value);
    EXPECT_EQ(read->size, bytes.size());
  }
}

TEST(Varint, WritesTheRfcSamples) {
  for (const Sample& sample : kSamples) EXPECT_EQ(shortest(sample.value), sample.encoded);
}

TEST(Varint, ReadsALongerEncodingThanNeeded) {  // RFC 9000 A.1: 0x4025 is 37, too
  const auto bytes = hex("4025");
  const auto read = read_varint(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->value, 37U);
  EXPECT_EQ(read->size, 2U);
}

TEST(Varint, SizeChangesAtEachPowerOfTheTable) {  // RFC 9000 §16, table 4
  EXPECT_EQ(varint_size(0), 1U);
  EXPECT_EQ(varint_size(63), 1U);
  EXPECT_EQ(varint_size(64), 2U);
  EXPECT_EQ(varint_size(16'383), 2U);
  EXPECT_EQ(varint_size(16'384), 4U);
  EXPECT_EQ(varint_size(1'073'741'823), 4U);
  EXPECT_EQ(varint_size(1'073'741'824), 8U);
  EXPECT_EQ(varint_size(kMaxVarint), 8U);
}

TEST(Varint, RoundTripsBothSidesOfEachBoundary) {
  for (const std::uint64_t value : {std::uint64_t{0}, kMaxVarint1, kMaxVarint1 + 1, kMaxVarint2, kMaxVarint2 + 1,
                                    kMaxVarint4, kMaxVarint4 + 1, kMaxVarint}) {
    const auto bytes = hex(shortest(value));
    const auto read = read_varint(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->value, value);
    EXPECT_EQ(read->size, bytes.size());
  }
}

TEST(Varint, EveryTruncationIsNoInteger) {
  for (const Sample& sample : kSamples) {
    const auto bytes = hex(sample.encoded);
    for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(read_varint(Bytes(bytes).first(n)));
  }
}

TEST(Varint, LeavesWhatFollowsAlone) {
  const auto bytes = hex("25ff");
  EXPECT_EQ(read_varint(bytes)->size, 1U);
}

TEST(Varint, WritesInTheSizeAskedFor) {
  std::array<std::byte, kMaxVarintSize> out{};
  write_varint_sized(out.data(), 37, 2);
  EXPECT_EQ(to_hex(Bytes(out).first(2)), "4025");
  write_varint_sized(out.data(), 37, 4);
  EXPECT_EQ(to_hex(Bytes(out).first(4)), "80000025");
  write_varint_sized(out.data(), 37, 8);
  EXPECT_EQ(to_hex(out), "c000000000000025");
}

}  // namespace
}  // namespace mpquic
