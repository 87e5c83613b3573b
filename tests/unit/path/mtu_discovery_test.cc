#include "stack/path/mtu_discovery.h"

#include <gtest/gtest.h>

#include "tests/unit/path/path_fixture.h"

namespace mpquic {
namespace {

using namespace path_test;

MtuConfig search_up_to(std::size_t maximum) { return {.discover = true, .initial = 1200, .maximum = maximum}; }

/// Lets `mtu` search a path that carries `limit` bytes. Returns the number of probes.
int search(MtuDiscovery& mtu, std::size_t limit, Instant now) {
  int probes = 0;
  while (const auto size = mtu.probe_size()) {
    mtu.on_probe_sent(*size);
    if (*size <= limit) {
      static_cast<void>(mtu.on_probe_acked(*size, now));
    } else {
      mtu.on_probe_lost(*size, now);
    }
    if (++probes > 100) break;
  }
  return probes;
}

TEST(MtuDiscovery, StartsAtTheBase) {  // RFC 9000 §14.1
  EXPECT_EQ(MtuDiscovery({.discover = true, .initial = 500, .maximum = 1500}).current(), 1200U);
}

TEST(MtuDiscovery, FindsTheMaximumWithOneProbe) {
  MtuDiscovery mtu(search_up_to(1452));
  EXPECT_EQ(search(mtu, 1500, kStart), 1);
  EXPECT_EQ(mtu.current(), 1452U);
  EXPECT_FALSE(mtu.next_deadline()) << "nothing left to raise";
}

TEST(MtuDiscovery, FindsAnOddLimitWithinTheGranularity) {
  for (const std::size_t limit : {1200U, 1250U, 1333U, 1400U, 1451U}) {
    MtuDiscovery mtu(search_up_to(1452));
    EXPECT_LE(search(mtu, limit, kStart), 24) << limit;
    EXPECT_LE(mtu.current(), limit);
    EXPECT_GT(mtu.current() + MtuDiscovery::kSearchGranularity, limit);
  }
}

TEST(MtuDiscovery, PeersLimitBoundsTheSearch) {  // RFC 9000 §18.2, max_udp_payload_size
  MtuDiscovery mtu(search_up_to(9000));
  mtu.set_peer_limit(1300);
  static_cast<void>(search(mtu, 9000, kStart));
  EXPECT_EQ(mtu.current(), 1300U);
}

TEST(MtuDiscovery, OneLostProbeDecidesNothing) {  // RFC 8899 §5.1.2: MAX_PROBES
  MtuDiscovery mtu(search_up_to(1452));
  mtu.on_probe_sent(1452);
  EXPECT_FALSE(mtu.probe_size()) << "one at a time";
  mtu.on_probe_lost(1452, kStart);
  EXPECT_EQ(mtu.probe_size(), 1452U);
}

TEST(MtuDiscovery, SwitchedOffItNeverProbes) {
  EXPECT_FALSE(MtuDiscovery({.discover = false, .initial = 1200, .maximum = 1452}).probe_size());
}

TEST(MtuDiscovery, SearchesAgainAfterTenMinutes) {  // RFC 8899 §5.1.1: PMTU_RAISE_TIMER
  MtuDiscovery mtu(search_up_to(1452));
  static_cast<void>(search(mtu, 1300, kStart));
  ASSERT_EQ(mtu.next_deadline(), kStart + std::chrono::minutes(10));
  mtu.on_deadline(kStart + std::chrono::minutes(10));
  EXPECT_EQ(mtu.probe_size(), 1452U);
  EXPECT_FALSE(mtu.next_deadline());
}

TEST(MtuDiscovery, LossesOfBigPacketsAreABlackHole) {  // RFC 8899 §4.3, lesson 16
  MtuDiscovery mtu(search_up_to(1452));
  static_cast<void>(search(mtu, 1452, kStart));
  bool fell = false;
  int losses = 0;
  for (std::uint64_t n = 10; !fell && n < 100; ++n, ++losses) {
    mtu.on_acked(200, PacketNumber{n});  // small packets pass all the while
    fell = mtu.on_packet_lost(PacketNumber{n}, 1452);
  }
  EXPECT_TRUE(fell);
  EXPECT_EQ(losses, MtuDiscovery::kBlackHoleLosses);
  EXPECT_EQ(mtu.current(), 1200U);
  EXPECT_EQ(mtu.probe_size(), 1452U) << "and search again";
}

TEST(MtuDiscovery, CongestionLossIsNoBlackHole) {
  MtuDiscovery mtu(search_up_to(1452));
  static_cast<void>(search(mtu, 1452, kStart));
  for (std::uint64_t n = 0; n < 1000; n += 20) {
    mtu.on_acked(1452, PacketNumber{n + 19});  // big packets sent later arrive
    for (std::uint64_t i = 0; i < 19; ++i) EXPECT_FALSE(mtu.on_packet_lost(PacketNumber{n + i}, 1452));
  }
  EXPECT_EQ(mtu.current(), 1452U);
}

TEST(MtuDiscovery, LossesOfSmallPacketsAreNoBlackHole) {
  MtuDiscovery mtu(search_up_to(1452));
  static_cast<void>(search(mtu, 1452, kStart));
  for (std::uint64_t n = 0; n < 100; ++n) EXPECT_FALSE(mtu.on_packet_lost(PacketNumber{n}, 1200));
}

TEST(MtuDiscovery, RefusedProbeIsNotRepeated) {  // EMSGSIZE
  MtuDiscovery mtu(search_up_to(1452));
  mtu.on_probe_sent(1452);
  EXPECT_FALSE(mtu.on_too_big(kStart));
  ASSERT_TRUE(mtu.probe_size());
  EXPECT_LT(*mtu.probe_size(), 1452U);
}

TEST(MtuDiscovery, RefusedDatagramLowersTheSize) {
  MtuDiscovery mtu(search_up_to(1452));
  static_cast<void>(search(mtu, 1452, kStart));
  EXPECT_TRUE(mtu.on_too_big(kStart));
  EXPECT_EQ(mtu.current(), 1200U);
  static_cast<void>(search(mtu, 9000, kStart));
  EXPECT_EQ(mtu.current(), 1451U);
  EXPECT_FALSE(MtuDiscovery(search_up_to(1200)).on_too_big(kStart)) << "1200 is the floor";
}

TEST(MtuDiscovery, AnswerToAnAbandonedProbeIsIgnored) {
  MtuDiscovery mtu(search_up_to(1452));
  mtu.on_probe_sent(1452);
  static_cast<void>(mtu.fall_back());
  EXPECT_FALSE(mtu.on_probe_acked(1452, kStart));
  EXPECT_EQ(mtu.current(), 1200U);
}

}  // namespace
}  // namespace mpquic
