#include "stack/base/strong.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <type_traits>
#include <unordered_set>

#include "stack/base/ids.h"

namespace mpquic {
namespace {

template <class A, class B>
concept Addable = requires(A a, B b) { a + b; };
template <class A, class B>
concept Subtractable = requires(A a, B b) { a - b; };
template <class A, class B>
concept Comparable = requires(A a, B b) { a == b; };
template <class A>
concept Incrementable = requires(A a) { ++a; };

// What must not compile.
static_assert(!std::is_convertible_v<std::uint64_t, PacketNumber>, "construction is explicit");
static_assert(!std::is_convertible_v<PacketNumber, std::uint64_t>, "and so is leaving");
static_assert(!std::is_constructible_v<PacketNumber, PathId>);
static_assert(!std::is_assignable_v<StreamId&, PacketNumber>);
static_assert(!Comparable<StreamId, PacketNumber>);
static_assert(!Comparable<PacketNumber, std::uint64_t>);
static_assert(!Addable<PacketNumber, PacketNumber>, "identifiers have no arithmetic");
static_assert(!Subtractable<PacketNumber, PacketNumber>);
static_assert(!Incrementable<PacketNumber>);
static_assert(!Addable<ByteCount, std::uint64_t>, "amounts mix only with their own kind");
static_assert(!std::is_convertible_v<std::uint64_t, ByteCount>);

// What they cost.
static_assert(sizeof(PathId) == sizeof(std::uint32_t) && sizeof(PacketNumber) == sizeof(std::uint64_t));
static_assert(std::is_trivially_copyable_v<PacketNumber> && std::is_trivially_copyable_v<ByteCount>);

TEST(Strong, IsZeroByDefaultAndOrdered) {
  EXPECT_EQ(PacketNumber{}.value(), 0U);
  EXPECT_LT(PacketNumber{1}, PacketNumber{2});
  EXPECT_EQ(PacketNumber{7}, PacketNumber{7});
  EXPECT_NE(PathId{1}, PathId{2});
}

TEST(Strong, KnowsItsSuccessor) {
  EXPECT_EQ(PacketNumber{41}.next(), PacketNumber{42});
  EXPECT_EQ(PathId{UINT32_MAX - 1}.next(), PathId{UINT32_MAX});
}

TEST(Strong, Hashes) {
  std::unordered_set<StreamId> ids{StreamId{1}, StreamId{2}, StreamId{1}};
  EXPECT_EQ(ids.size(), 2U);
  EXPECT_TRUE(ids.contains(StreamId{2}));
}

TEST(Quantity, AddsSubtractsAndScales) {
  ByteCount bytes{100};
  bytes += ByteCount{20};
  bytes -= ByteCount{5};
  EXPECT_EQ(bytes, ByteCount{115});
  EXPECT_EQ(bytes + ByteCount{1}, ByteCount{116});
  EXPECT_EQ(bytes - ByteCount{15}, ByteCount{100});
  EXPECT_EQ(ByteCount{7} * 3, ByteCount{21});
  EXPECT_EQ(ByteCount{7} / 2, ByteCount{3});
}

TEST(Quantity, SaturatesAtZero) {
  EXPECT_EQ(saturating_sub(ByteCount{5}, ByteCount{3}), ByteCount{2});
  EXPECT_EQ(saturating_sub(ByteCount{3}, ByteCount{3}), ByteCount{0});
  EXPECT_EQ(saturating_sub(ByteCount{3}, ByteCount{5}), ByteCount{0});
}

}  // namespace
}  // namespace mpquic
