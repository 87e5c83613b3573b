// What LIA, OLIA and BALIA have in common: what joins and leaves a group, and NewReno where nothing is coupled.
#include "stack/cc/coupled.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "stack/base/rng.h"
#include "stack/cc/balia.h"
#include "stack/cc/lia.h"
#include "stack/cc/new_reno.h"
#include "stack/cc/olia.h"
#include "tests/support/heap.h"
#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;

class EveryCoupling : public testing::TestWithParam<const CouplingRule*> {
 protected:
  [[nodiscard]] std::unique_ptr<Coupled> make(std::size_t max_datagram_size = kDatagram) {
    return std::make_unique<Coupled>(*GetParam(), max_datagram_size, group);
  }
  CouplingGroup group;
};
INSTANTIATE_TEST_SUITE_P(Rules, EveryCoupling, testing::Values(&lia::kRule, &olia::kRule, &balia::kRule),
                         [](const auto& named) { return std::string(named.param->name); });

/// Grows in slow start to `window`, then loses a packet: congestion avoidance from half of it.
void halve_from(Coupled& controller, std::uint64_t window, Duration rtt) {
  acknowledge(controller, {.bytes = window - controller.window().value(), .rtt = rtt});
  ASSERT_EQ(controller.window().value(), window);
  lose(controller, kStart, kStart);
}
/// One round trip's acknowledgements, datagram by datagram.
void acknowledge_window(CongestionController& controller, Instant now, Duration rtt) {
  for (std::uint64_t left = controller.window().value(); left > 0;) {
    const std::uint64_t bytes = std::min(left, kDatagram);
    acknowledge(controller, {.now = now, .bytes = bytes, .sent = now - rtt / 2, .rtt = rtt});
    left -= bytes;
  }
}

TEST_P(EveryCoupling, AloneItIsNewReno) {
  SeededRng rng(7);
  const auto coupled = make();
  NewReno reno(kDatagram);
  const auto both = [&](auto&& action) {
    action(*coupled);
    action(reno);
  };
  Instant now = kStart;
  for (int i = 0; i < 20'000; ++i, now += milliseconds(1)) {
    const std::uint64_t dice = rng.next() % 1000;
    const Instant sent = now - milliseconds(static_cast<int>(rng.next() % 60));
    const std::uint64_t bytes = 1 + rng.next() % 5000;
    if (dice < 10) {
      both([&](auto& c) { lose(c, sent, now, dice % 2 == 0); });
    } else if (dice < 11) {
      both([&](auto& c) { c.on_persistent_congestion(now); });
    } else if (dice < 12) {
      both([&](auto& c) { c.reset(); });
    } else if (dice < 14) {
      both([&](auto& c) { c.on_max_datagram_size(1200 + bytes % 300); });
    } else {
      both([&](auto& c) {
        acknowledge(c, {.now = now, .bytes = bytes, .sent = sent, .application_limited = dice > 950});
      });
    }
    ASSERT_EQ(coupled->window(), reno.window()) << i;
    ASSERT_EQ(coupled->slow_start_threshold(), reno.slow_start_threshold()) << i;
  }
}

TEST_P(EveryCoupling, PathsWithoutASampleAreNotCoupled) {
  const auto measured = make();
  const auto fresh = make();
  halve_from(*measured, 24'000, milliseconds(100));
  EXPECT_EQ(fresh->coupling(), std::nullopt);
  ASSERT_TRUE(measured->coupling());
  EXPECT_EQ(measured->coupling()->total_window, ByteCount{12'000});
  acknowledge(*measured, {.now = kStart + seconds(1), .bytes = 12'000, .sent = kStart + milliseconds(900)});
  EXPECT_EQ(measured->window(), ByteCount{13'200}) << "as NewReno";
  acknowledge(*fresh, {.application_limited = true});
  ASSERT_TRUE(fresh->coupling());
  EXPECT_EQ(measured->coupling()->total_window, ByteCount{25'200});
}

TEST_P(EveryCoupling, GrowthIsSharedUntilTheOtherPathIsGone) {
  const auto first = make();
  auto second = make();
  halve_from(*first, 48'000, milliseconds(100));
  halve_from(*second, 48'000, milliseconds(100));
  // Equal paths: a quarter of a datagram each, with all three.
  acknowledge(*first, {.now = kStart + seconds(1), .bytes = 24'000, .sent = kStart + milliseconds(900)});
  EXPECT_EQ(first->window(), ByteCount{24'300});
  second->set_active(false);
  EXPECT_EQ(second->coupling(), std::nullopt);
  acknowledge(*first, {.now = kStart + seconds(2), .bytes = 24'300, .sent = kStart + milliseconds(1900)});
  EXPECT_EQ(first->window(), ByteCount{25'500}) << "a failed path holds nothing back";
  second->set_active(true);
  EXPECT_EQ(first->coupling()->total_window, ByteCount{49'500});
  second->reset();
  EXPECT_EQ(first->coupling()->total_window, ByteCount{25'500}) << "another network: no sample yet";
  second.reset();
  EXPECT_EQ(first->coupling()->total_window, ByteCount{25'500});
}

TEST_P(EveryCoupling, GrowthIsInDatagramsOfThePath) {
  const auto first = make(1200);
  const auto second = make(1452);
  halve_from(*first, 48'000, milliseconds(100));
  halve_from(*second, 48'000, milliseconds(100));
  acknowledge(*second, {.now = kStart + seconds(1), .bytes = 24'000, .sent = kStart + milliseconds(900)});
  EXPECT_EQ(second->window(), ByteCount{24'363});
}

TEST_P(EveryCoupling, SmallAcknowledgementsAddUp) {  // lesson 3: the increase was truncated to 0
  const auto first = make();
  const auto second = make();
  acknowledge(*first, {.bytes = 48'000, .application_limited = true});  // the best path: OLIA's alpha stays 0
  halve_from(*first, 48'000, milliseconds(100));
  halve_from(*second, 48'000, milliseconds(100));
  for (int i = 0; i < 240; ++i)  // 1200 * 100 / 24000 / 4 = 1.25 bytes each
    acknowledge(*first, {.now = kStart + seconds(1), .bytes = 100, .sent = kStart + milliseconds(900)});
  EXPECT_NEAR(static_cast<double>(first->window().value()), 24'298, 3);
}

TEST_P(EveryCoupling, AFlowOfOneConnectionDoesNotReduceTheOthers) {
  const auto first = make();
  const auto second = make();
  halve_from(*first, 48'000, milliseconds(100));
  halve_from(*second, 48'000, milliseconds(100));
  lose(*first, kStart + milliseconds(1), kStart + milliseconds(50));
  EXPECT_EQ(first->window(), ByteCount{12'000});
  EXPECT_EQ(second->window(), ByteCount{24'000});
}

TEST_P(EveryCoupling, HyStartEndsTheInitialSlowStartOnGrowingDelay) {  // RFC 9406
  const auto controller = make();
  Instant now = kStart;
  for (int round = 0; round < 12 && controller->in_slow_start(); ++round) {
    const Duration rtt = round < 3 ? milliseconds(50) : milliseconds(80);
    for (int i = 0; i < 10 && controller->in_slow_start(); ++i) {
      now += milliseconds(5);
      acknowledge(*controller, {.now = now, .sent = now - rtt, .rtt = rtt});
    }
  }
  EXPECT_FALSE(controller->in_slow_start());
  EXPECT_EQ(controller->slow_start_threshold(), controller->window());
}

TEST_P(EveryCoupling, AcknowledgementsAndLossesAllocateNothing) {
  const auto first = make();
  const auto second = make();
  halve_from(*first, 48'000, milliseconds(100));
  halve_from(*second, 36'000, milliseconds(30));
  const std::size_t before = test::allocation_count();
  for (int i = 1; i < 50; ++i) {
    acknowledge_window(*first, kStart + seconds(i), milliseconds(100));
    lose(*second, kStart + seconds(i), kStart + seconds(i));
    static_cast<void>(first->coupling());
  }
  EXPECT_EQ(test::allocation_count(), before);
}

// --- OLIA's negative alpha

/// A path with the larger window, and one that is better: more bytes between losses and a tenth of the RTT.
struct WorseAndBetter {
  CouplingGroup group;
  Coupled worse;
  Coupled better{olia::kRule, kDatagram, group};

  explicit WorseAndBetter(std::size_t datagram_of_worse = kDatagram) : worse(olia::kRule, datagram_of_worse, group) {
    acknowledge(better, {.bytes = 1'000'000, .rtt = milliseconds(10), .application_limited = true});
    acknowledge(worse, {.bytes = 1, .rtt = milliseconds(100), .application_limited = true});
  }
};

TEST(OliaController, ShrinksWhereABetterPathHasTheSmallerWindow) {
  WorseAndBetter paths;
  halve_from(paths.worse, 120'000, milliseconds(100));
  halve_from(paths.better, 24'000, milliseconds(10));
  EXPECT_EQ(paths.worse.coupling()->alpha_millionths, -500'000);
  EXPECT_EQ(paths.better.coupling()->alpha_millionths, 500'000);
  // x = 6e5 and 1.2e6: 1/9 - 1/2 of a datagram.
  acknowledge(paths.worse, {.now = kStart + seconds(1), .bytes = 60'000, .sent = kStart + milliseconds(900)});
  EXPECT_EQ(paths.worse.window(), ByteCount{60'000 - 467}) << "-466.7, rounded down";
  EXPECT_FALSE(paths.worse.in_slow_start()) << "a shrinking window is no reason to double";
  EXPECT_EQ(paths.worse.slow_start_threshold(), paths.worse.window());
}

TEST(OliaController, NeverShrinksBelowTwoDatagrams) {  // RFC 9002 §7.2
  WorseAndBetter paths(1452);
  for (int i = 0; i < 20; ++i) {
    lose(paths.better, kStart + seconds(i), kStart + seconds(i));
    lose(paths.worse, kStart + seconds(i), kStart + seconds(i));
  }
  acknowledge(paths.better, {.now = kStart + seconds(30), .bytes = 2'000'000, .rtt = milliseconds(10)});
  ASSERT_EQ(paths.better.window(), ByteCount{2400});
  for (int i = 0; i < 100; ++i) {
    acknowledge(paths.worse, {.now = kStart + seconds(40 + i), .bytes = 2904, .sent = kStart + seconds(39 + i)});
    ASSERT_EQ(paths.worse.coupling()->alpha_millionths, -500'000);
    ASSERT_EQ(paths.worse.window(), ByteCount{2904});
  }
}

TEST(OliaController, AnEpochIsOneLoss) {  // lesson 3: predecessors halved, and would count, for each packet
  CouplingGroup group;
  Coupled small(olia::kRule, kDatagram, group);
  Coupled large(olia::kRule, kDatagram, group);
  halve_from(large, 80'000, milliseconds(50));  // l = 68000
  acknowledge(small, {.bytes = 70'000, .rtt = milliseconds(50), .application_limited = true});
  lose(small, kStart, kStart + milliseconds(10));
  lose(small, kStart + milliseconds(1), kStart + milliseconds(11));
  lose(small, kStart + milliseconds(2), kStart + milliseconds(12));
  EXPECT_EQ(small.window(), ByteCount{6000});
  EXPECT_EQ(small.coupling()->alpha_millionths, 500'000) << "l = 70000, between the last two losses";
  lose(small, kStart + milliseconds(11), kStart + milliseconds(60));
  EXPECT_EQ(small.coupling()->alpha_millionths, 0) << "a second epoch, with nothing in between";
}

}  // namespace
}  // namespace mpquic
