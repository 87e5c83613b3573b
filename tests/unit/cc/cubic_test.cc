#include "stack/cc/cubic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stack/base/rng.h"
#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;

/// Grows in slow start to `datagrams`, then loses a packet at kStart.
void reduce_from(Cubic& cubic, std::uint64_t datagrams) {
  const std::uint64_t bytes = datagrams * kDatagram;
  acknowledge(cubic, {.bytes = bytes - cubic.window().value()});
  ASSERT_EQ(cubic.window().value(), bytes);
  lose(cubic, kStart, kStart);
}

TEST(CubeRoot, IsExact) {
  SeededRng rng(1);
  for (int i = 0; i < 2000; ++i) {
    const unsigned __int128 root = rng.next() >> (22 + i % 40);
    EXPECT_EQ(integer_cube_root(root * root * root), static_cast<std::uint64_t>(root));
    if (root == 0) continue;
    EXPECT_EQ(integer_cube_root(root * root * root - 1), static_cast<std::uint64_t>(root - 1));
    EXPECT_EQ(integer_cube_root(root * root * root + 1), static_cast<std::uint64_t>(root));
  }
  EXPECT_EQ(integer_cube_root(0), 0U);
  EXPECT_EQ(integer_cube_root(7), 1U);
  EXPECT_EQ(integer_cube_root(8), 2U);
  EXPECT_EQ(integer_cube_root(~static_cast<unsigned __int128>(0)), 6981463658331U);
}

TEST(CubicCurve, MatchesTheClosedForm) {  // RFC 9438 §4.2: W_cubic(t) = C * (t - K)^3 + W_max
  for (const double w_max : {20.0, 100.0, 1000.0, 50'000.0}) {
    const double epoch = w_max * 0.7;
    const double k = std::cbrt((w_max - epoch) / 0.4);
    const CubicCurve curve = CubicCurve::from(static_cast<std::uint64_t>(epoch * kDatagram),
                                              static_cast<std::uint64_t>(w_max * kDatagram), kDatagram);
    EXPECT_NEAR(static_cast<double>(curve.k), k * 1e6, 1.0);
    for (double t = 0; t < 3 * k; t += k / 16) {
      const double expected = (0.4 * std::pow(t - k, 3) + w_max) * kDatagram;
      const auto elapsed = Duration(static_cast<std::int64_t>(t * 1e9));
      EXPECT_NEAR(static_cast<double>(curve.at(elapsed)), expected, 2.0 + expected * 1e-6) << w_max << " at " << t;
    }
    EXPECT_NEAR(static_cast<double>(curve.at(Duration::zero())), epoch * kDatagram, 2.0 + epoch * kDatagram * 1e-6);
  }
}

TEST(CubicCurve, IsBoundedAtTheEndsOfTime) {
  const CubicCurve curve = CubicCurve::from(2400, kMaxWindow, kDatagram);
  EXPECT_GT(curve.k, 0U);
  EXPECT_EQ(curve.at(std::chrono::hours(24 * 365)), kMaxWindow);
  EXPECT_EQ(curve.at(Duration::min()), curve.at(Duration::zero()));
  EXPECT_EQ((CubicCurve{kDatagram, 2400, 1'000'000'000}.at(Duration::zero())), 0U);
}

TEST(Cubic, MultipliesByBetaOnLoss) {  // RFC 9438 §4.6
  Cubic cubic(kDatagram);
  reduce_from(cubic, 100);
  EXPECT_EQ(cubic.window(), ByteCount{84'000});
}

TEST(Cubic, FollowsTheCurveBackToItsPlateau) {  // RFC 9438 §4.2, §4.4, §4.5
  Cubic cubic(kDatagram);
  reduce_from(cubic, 1000);
  const CubicCurve curve = CubicCurve::from(700 * kDatagram, 1000 * kDatagram, kDatagram);
  const Duration rtt = milliseconds(100);
  const Instant begin = kStart + rtt;
  // A window of ACKs each round trip, one per datagram: the window must follow W_cubic closely.
  for (int round = 0; round < 130; ++round) {
    const std::uint64_t acks = cubic.window().value() / kDatagram;
    for (std::uint64_t i = 0; i < acks; ++i) {
      const Instant now = begin + rtt * round + rtt * static_cast<int>(i) / static_cast<int>(acks);
      acknowledge(cubic, {.now = now, .sent = now - milliseconds(50), .rtt = rtt});
    }
    const auto expected = static_cast<double>(curve.at(rtt * (round + 1)));
    EXPECT_NEAR(static_cast<double>(cubic.window().value()), expected, expected * 0.02) << round;
  }
  EXPECT_GT(cubic.window().value(), 1000 * kDatagram);
}

TEST(Cubic, GrowsAtMostByHalfInARoundTrip) {  // RFC 9438 §4.2: target <= 1.5 * cwnd
  Cubic cubic(kDatagram);
  reduce_from(cubic, 1000);
  acknowledge(cubic, {.now = kStart + milliseconds(10), .sent = kStart + milliseconds(1)});  // the stage begins
  const std::uint64_t before = cubic.window().value();
  acknowledge(cubic, {.now = kStart + seconds(100), .bytes = before, .sent = kStart + seconds(99)});
  EXPECT_LE(cubic.window().value(), before * 3 / 2);
  EXPECT_GT(cubic.window().value(), before * 14 / 10);
}

TEST(Cubic, IsRenoFriendlyOnShortPaths) {  // RFC 9438 §4.3
  Cubic cubic(kDatagram);
  reduce_from(cubic, 20);
  const std::uint64_t start = cubic.window().value();
  const Duration rtt = milliseconds(5);
  Instant now = kStart + rtt;
  // Below cwnd_prior: alpha = 9/17 of a datagram per round trip.
  for (int round = 0; round < 8; ++round, now += rtt) {
    acknowledge(cubic, {.now = now, .bytes = cubic.window().value(), .sent = now - milliseconds(1), .rtt = rtt});
  }
  EXPECT_NEAR(static_cast<double>(cubic.window().value()), static_cast<double>(start + 8 * kDatagram * 9 / 17), 20.0);
  // From cwnd_prior on: one datagram, as Reno.
  while (cubic.window().value() < 20 * kDatagram) {
    acknowledge(cubic, {.now = now, .bytes = cubic.window().value(), .sent = now - milliseconds(1), .rtt = rtt});
    now += rtt;
  }
  const std::uint64_t caught_up = cubic.window().value();
  acknowledge(cubic, {.now = now, .bytes = caught_up, .sent = now - milliseconds(1), .rtt = rtt});
  EXPECT_NEAR(static_cast<double>(cubic.window().value()), static_cast<double>(caught_up + kDatagram), 2.0);
}

TEST(Cubic, FastConvergenceLowersThePlateau) {  // RFC 9438 §4.7
  Cubic cubic(kDatagram);
  reduce_from(cubic, 100);                                            // W_max 100, window 70
  lose(cubic, kStart + milliseconds(1), kStart + milliseconds(200));  // W_max 70 * 0.85 = 59.5, window 49
  EXPECT_EQ(cubic.window(), ByteCount{58'800});
  // K = cbrt((59.5 - 49) / 0.4) = 2.97 s; without fast convergence cbrt((70 - 49) / 0.4) = 3.74 s.
  const Duration rtt = milliseconds(300);
  Instant now = kStart + milliseconds(500);
  const Instant plateau = now + milliseconds(2972);
  while (now < plateau) {
    acknowledge(cubic, {.now = now, .bytes = cubic.window().value(), .sent = now - milliseconds(100), .rtt = rtt});
    now += rtt;
  }
  EXPECT_NEAR(static_cast<double>(cubic.window().value()), 59.5 * kDatagram, 0.02 * 59.5 * kDatagram);
}

TEST(Cubic, TimeStandsStillWhileApplicationLimited) {  // RFC 9438 §5.8
  Cubic busy(kDatagram);
  Cubic idle(kDatagram);
  reduce_from(busy, 200);
  reduce_from(idle, 200);
  const auto run = [](Cubic& cubic, Instant from) {
    for (int round = 0; round < 20; ++round) {
      const Instant now = from + milliseconds(100) * round;
      acknowledge(cubic, {.now = now, .bytes = cubic.window().value(), .sent = now - milliseconds(1)});
    }
  };
  run(busy, kStart + milliseconds(100));
  run(idle, kStart + milliseconds(100));
  ASSERT_EQ(busy.window(), idle.window());
  const Instant later = kStart + milliseconds(2100);
  acknowledge(idle, {.now = later, .sent = later - milliseconds(1), .application_limited = true});
  run(busy, later);
  run(idle, later + seconds(30));
  EXPECT_EQ(busy.window(), idle.window());
}

TEST(Cubic, RestoresWhatASpuriousReductionTook) {  // RFC 9438 §4.9
  Cubic cubic(kDatagram);
  const ByteCount before = cubic.window();
  lose(cubic, kStart, kStart);
  ASSERT_LT(cubic.window(), before);
  cubic.on_spurious_congestion(kStart + milliseconds(10));
  EXPECT_EQ(cubic.window(), before);
  EXPECT_TRUE(cubic.in_slow_start());
  cubic.on_spurious_congestion(kStart + milliseconds(10));
  EXPECT_EQ(cubic.window(), before) << "once";
}

TEST(Cubic, KeepsReductionsThatWereReal) {  // RFC 9438 §4.9: neither marks nor persistent congestion are undone
  Cubic marked(kDatagram);
  lose(marked, kStart, kStart);
  lose(marked, kStart + milliseconds(1), kStart + milliseconds(50), true);
  const ByteCount reduced = marked.window();
  marked.on_spurious_congestion(kStart + milliseconds(60));
  EXPECT_EQ(marked.window(), reduced);

  Cubic collapsed(kDatagram);
  lose(collapsed, kStart, kStart);
  collapsed.on_persistent_congestion(kStart);
  collapsed.on_spurious_congestion(kStart);
  EXPECT_EQ(collapsed.window(), ByteCount{2400});
}

TEST(Cubic, StartsFromItsPlateauAfterPersistentCongestion) {  // RFC 9438 §4.8
  Cubic cubic(kDatagram);
  reduce_from(cubic, 100);
  cubic.on_persistent_congestion(kStart);
  const std::uint64_t threshold = cubic.slow_start_threshold().value();
  acknowledge(cubic, {.now = kStart + milliseconds(10), .bytes = threshold, .sent = kStart + milliseconds(1)});
  ASSERT_FALSE(cubic.in_slow_start());
  const std::uint64_t start = cubic.window().value();
  acknowledge(cubic, {.now = kStart + milliseconds(110), .bytes = start, .sent = kStart + milliseconds(20)});
  EXPECT_LE(cubic.window().value(), start + kDatagram) << "convex from K = 0: slow at first";
}

TEST(Cubic, HyStartEndsTheInitialSlowStartOnGrowingDelay) {  // RFC 9406
  Cubic cubic(kDatagram);
  Instant now = kStart;
  for (int round = 0; round < 12 && cubic.in_slow_start(); ++round) {
    const Duration rtt = round < 3 ? milliseconds(50) : milliseconds(80);
    for (int i = 0; i < 10 && cubic.in_slow_start(); ++i) {
      now += milliseconds(5);
      acknowledge(cubic, {.now = now, .sent = now - rtt, .rtt = rtt});
    }
  }
  EXPECT_FALSE(cubic.in_slow_start());
  EXPECT_EQ(cubic.slow_start_threshold(), cubic.window());
  EXPECT_LT(cubic.window().value(), 132 * kDatagram);
}

}  // namespace
}  // namespace mpquic
