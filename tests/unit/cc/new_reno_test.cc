#include "stack/cc/new_reno.h"

#include <gtest/gtest.h>

#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;

TEST(NewReno, HalvesOnLoss) {  // RFC 9002 §7.3.2, §B.1
  NewReno reno(kDatagram);
  lose(reno, kStart, kStart);
  EXPECT_EQ(reno.window(), ByteCount{6000});
}

TEST(NewReno, GrowsByOneDatagramPerWindow) {  // RFC 9002 §7.3.3
  NewReno reno(kDatagram);
  lose(reno, kStart, kStart);
  Instant now = kStart;
  std::uint64_t expected = 6000;
  for (int round = 0; round < 20; ++round) {
    now += milliseconds(100);
    for (std::uint64_t left = expected; left > 0;) {  // in ACKs of odd sizes: remainders must not get lost
      const std::uint64_t bytes = std::min<std::uint64_t>(left, 701);
      acknowledge(reno, {.now = now, .bytes = bytes, .sent = now - milliseconds(1)});
      left -= bytes;
    }
    // Within a round the window grows a little, which slows the growth itself.
    EXPECT_GE(reno.window().value(), expected + kDatagram * 8 / 10);
    EXPECT_LE(reno.window().value(), expected + kDatagram);
    expected = reno.window().value();
  }
}

TEST(NewReno, KeepsItsReductionWhenTheLossWasSpurious) {
  NewReno reno(kDatagram);
  lose(reno, kStart, kStart);
  reno.on_spurious_congestion(kStart);
  EXPECT_EQ(reno.window(), ByteCount{6000});
}

}  // namespace
}  // namespace mpquic
