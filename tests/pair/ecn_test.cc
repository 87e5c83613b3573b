// ECN against what networks do to it (RFC 9000 §13.4.2).
#include <gtest/gtest.h>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

TEST(EcnPaths, ACleanPathKeepsMarking) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.transfer(false, 200'000));
  std::size_t marked = 0;
  std::size_t bare = 0;
  pair.filter = [&](InFlight& d) {
    if (d.to_server) ++(d.ecn == Ecn::ect0 ? marked : bare);
    return true;
  };
  ASSERT_TRUE(pair.transfer(false, 200'000));
  EXPECT_GT(marked, 100U);
  EXPECT_EQ(bare, 0U);
}

TEST(EcnPaths, ANetworkThatDropsMarkedPacketsIsCrossedUnmarked) {
  for (const bool both_ways : {false, true}) {
    Pair pair;
    std::size_t dropped = 0;
    pair.filter = [&](InFlight& d) {
      if (d.ecn == Ecn::not_ect || (!d.to_server && !both_ways)) return true;
      ++dropped;
      return false;
    };
    ASSERT_TRUE(pair.connect()) << both_ways;
    const std::size_t until_connected = dropped;
    EXPECT_GT(until_connected, 0U);
    EXPECT_TRUE(pair.transfer(false, 300'000)) << both_ways;
    EXPECT_TRUE(pair.transfer(true, 300'000)) << both_ways;
    EXPECT_LE(dropped, 40U) << "the tests of two sides, and no more";
  }
}

TEST(EcnPaths, ANetworkThatClearsTheMarksEndsThem) {  // §13.4.2.1: counts that do not add up
  Pair pair;
  bool settled = false;
  std::size_t marked = 0;
  pair.filter = [&](InFlight& d) {
    if (settled && d.to_server && d.ecn != Ecn::not_ect) ++marked;
    d.ecn = Ecn::not_ect;
    return true;
  };
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.transfer(false, 100'000));
  settled = true;
  ASSERT_TRUE(pair.transfer(false, 100'000));
  EXPECT_EQ(marked, 0U);
}

}  // namespace
}  // namespace mpquic::test
