// ECN against what networks do to it (RFC 9000 §13.4.2).
#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

struct Drops {
  bool up = false;
  bool down = false;
};
constexpr std::array kDropping{Drops{.up = true}, Drops{.down = true}, Drops{.up = true, .down = true}};

/// The network of the client's address `i` drops marked packets; `dropped` counts them.
Pair::Filter dropping_at(std::uint8_t i, Drops drops, std::size_t& dropped) {
  return [=, &dropped](InFlight& d) {
    const bool there = d.tuple.remote == Pair::client_address(i) || d.tuple.local == Pair::client_address(i);
    if (!there || d.ecn == Ecn::not_ect || !(d.to_server ? drops.up : drops.down)) return true;
    ++dropped;
    return false;
  };
}

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

TEST(EcnPaths, ASecondPathThatDropsMarkedPacketsIsValidatedAndUsed) {  // §8.2.1, §A.4: challenges are repeated unmarked
  for (const Drops drops : kDropping) {
    Pair pair;
    ASSERT_TRUE(pair.connect());
    std::size_t dropped = 0;
    pair.filter = dropping_at(1, drops, dropped);
    ASSERT_TRUE(pair.client->open_path(pair.client_handle, Pair::tuple(1), pair.now));
    const auto both = [&] {
      const auto ours = pair.paths(false);
      const auto theirs = pair.paths(true);
      return ours.size() == 2 && ours[1].validated && theirs.size() == 2 && theirs[1].validated;
    };
    EXPECT_TRUE(pair.run_until(both, 3s)) << drops.up << drops.down;
    EXPECT_TRUE(pair.transfer(false, 500'000));
    EXPECT_TRUE(pair.transfer(true, 500'000));
    EXPECT_GT(pair.paths(false)[1].stream_bytes_sent, 20'000U);
    EXPECT_GT(pair.paths(true)[1].stream_bytes_sent, 20'000U);
    EXPECT_LE(dropped, 2U) << "a challenge of each side is the test";
  }
}

TEST(EcnPaths, APathMigratesToANetworkThatDropsMarkedPackets) {  // §9.4, §13.4.2
  for (const Drops drops : kDropping) {
    Pair pair;
    ASSERT_TRUE(pair.connect());
    ASSERT_TRUE(pair.transfer(false, 200'000));
    ASSERT_TRUE(pair.transfer(true, 200'000));  // marks are known to pass where the path was
    std::size_t dropped = 0;
    pair.filter = dropping_at(2, drops, dropped);
    ASSERT_TRUE(pair.client->migrate_path(pair.client_handle, kInitialPath, Pair::client_address(2), pair.now));
    EXPECT_TRUE(pair.run_until([&] { return pair.paths(false)[0].tuple == Pair::tuple(2); }, 3s));
    EXPECT_TRUE(pair.transfer(false, 500'000));
    EXPECT_TRUE(pair.transfer(true, 500'000));
    EXPECT_LE(dropped, 2U);
  }
}

TEST(EcnPaths, AcknowledgementsOfTheLastNetworkDoNotVouchForTheNext) {  // §9.4
  Pair pair;
  ASSERT_TRUE(pair.connect());
  std::size_t dropped = 0;
  pair.filter = dropping_at(2, kDropping.back(), dropped);
  // Plenty of marked packets are under way while the path moves.
  const auto stream = pair.client->open_stream(pair.client_handle, Directionality::unidirectional);
  ASSERT_TRUE(stream);
  ASSERT_TRUE(pair.client->write(pair.client_handle, *stream, std::vector<std::byte>(200'000), false));
  pair.run_for(20ms);
  ASSERT_TRUE(pair.client->migrate_path(pair.client_handle, kInitialPath, Pair::client_address(2), pair.now));
  EXPECT_TRUE(pair.run_until([&] { return pair.paths(false)[0].tuple == Pair::tuple(2); }, 3s));
  EXPECT_TRUE(pair.transfer(true, 100'000));
  EXPECT_LE(dropped, 2U);
}

TEST(EcnPaths, MarksComeBackWhereAChallengeWasLostByChance) {  // what is acknowledged has passed
  Pair pair;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.transfer(false, 100'000));
  // The first answer comes late: the challenge is repeated, unmarked, and both turn out to have arrived.
  bool delayed = false;
  pair.filter = [&](InFlight& d) {
    if (d.tuple.local == Pair::client_address(1) && !d.to_server && !std::exchange(delayed, true)) d.arrives += 1200ms;
    return true;
  };
  ASSERT_TRUE(pair.open_paths(2));
  ASSERT_TRUE(pair.transfer(false, 500'000));
  std::size_t bare = 0;
  std::size_t marked = 0;
  pair.filter = [&](InFlight& d) {
    if (d.to_server && d.tuple.remote == Pair::client_address(1)) ++(d.ecn == Ecn::ect0 ? marked : bare);
    return true;
  };
  ASSERT_TRUE(pair.transfer(false, 500'000));
  EXPECT_GT(marked, 20U);
  EXPECT_EQ(bare, 0U);
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
