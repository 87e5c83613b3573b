#include "stack/redundancy/copy_lanes.h"

#include <gtest/gtest.h>

namespace mpquic {
namespace {

Copy copy(std::uint64_t sequence) { return {DatagramToken{sequence}, PathId{0}, Instant{}}; }
std::uint64_t sequence_of(const Copy& copy) { return std::get<DatagramToken>(copy.token).sequence; }

TEST(CopyLanes, KeepEachPathsOrder) {
  CopyLanes lanes;
  EXPECT_TRUE(lanes.empty());
  EXPECT_EQ(lanes.front(PathId{1}), nullptr);
  for (const std::uint64_t sequence : {1, 2, 3})
    for (const std::uint32_t path : {7U, 1U}) EXPECT_TRUE(lanes.push(PathId{path}, copy(10 * path + sequence)));
  EXPECT_FALSE(lanes.empty());
  for (const std::uint64_t sequence : {1, 2, 3}) {
    EXPECT_EQ(sequence_of(*lanes.front(PathId{1})), 10 + sequence);
    EXPECT_EQ(sequence_of(lanes.pop(PathId{1})), 10 + sequence);
    EXPECT_EQ(sequence_of(lanes.pop(PathId{7})), 70 + sequence);
  }
  EXPECT_TRUE(lanes.empty());
  lanes.erase(PathId{7});
  EXPECT_EQ(lanes.front(PathId{7}), nullptr);
}

TEST(CopyLanes, AreBounded) {
  CopyLanes lanes;
  for (std::size_t i = 0; i < CopyLanes::kMaxWaiting; ++i) EXPECT_TRUE(lanes.push(PathId{2}, copy(i)));
  EXPECT_FALSE(lanes.push(PathId{2}, copy(0)));
  EXPECT_TRUE(lanes.push(PathId{3}, copy(0))) << "a full lane is its own trouble";
  static_cast<void>(lanes.pop(PathId{2}));
  EXPECT_TRUE(lanes.push(PathId{2}, copy(0)));
}

}  // namespace
}  // namespace mpquic
