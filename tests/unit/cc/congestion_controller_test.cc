// What every controller must do, whatever its growth: RFC 9002 §7.
#include "stack/cc/congestion_controller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "stack/cc/coupling.h"
#include "stack/cc/window.h"
#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;

class EveryController : public testing::TestWithParam<std::string_view> {
 protected:
  [[nodiscard]] std::uint64_t window() const { return controller->window().value(); }
  CouplingGroup group;
  std::unique_ptr<CongestionController> controller = make_congestion_controller(GetParam(), kDatagram, group);
};
INSTANTIATE_TEST_SUITE_P(Registry, EveryController, testing::ValuesIn(congestion_controller_names()),
                         [](const auto& named) { return std::string(named.param); });

TEST(Registry, KnowsNothingElse) {
  CouplingGroup group;
  EXPECT_EQ(make_congestion_controller("reno-ish", kDatagram, group), nullptr);
  EXPECT_EQ(make_congestion_controller("", kDatagram, group), nullptr);
  EXPECT_TRUE(std::ranges::count(congestion_controller_names(), "cubic") == 1);
}

TEST(InitialWindow, FollowsTheDatagramSize) {  // RFC 9002 §7.2
  EXPECT_EQ(initial_window(1200), 12000U);
  EXPECT_EQ(initial_window(1472), 14720U);
  EXPECT_EQ(initial_window(1500), 14720U);
  EXPECT_EQ(initial_window(9000), 18000U);
  EXPECT_EQ(minimum_window(1200), 2400U);
}

TEST_P(EveryController, StartsInSlowStartAtTheInitialWindow) {
  EXPECT_EQ(controller->name(), GetParam());
  EXPECT_EQ(window(), 12000U);
  EXPECT_TRUE(controller->in_slow_start());
}

TEST_P(EveryController, SlowStartGrowsByWhatIsAcknowledged) {  // RFC 9002 §7.3.1
  acknowledge(*controller, {.bytes = 6000});
  EXPECT_EQ(window(), 18000U);
}

TEST_P(EveryController, DoesNotGrowWhenApplicationLimited) {  // RFC 9002 §7.8
  acknowledge(*controller, {.bytes = 6000, .application_limited = true});
  EXPECT_EQ(window(), 12000U);
  lose(*controller, kStart, kStart);
  const std::uint64_t reduced = window();
  acknowledge(
      *controller,
      {.now = kStart + seconds(1), .bytes = 6000, .sent = kStart + milliseconds(900), .application_limited = true});
  EXPECT_EQ(window(), reduced);
}

TEST_P(EveryController, ReducesOncePerRecoveryEpoch) {  // RFC 9002 §7.3.2
  lose(*controller, kStart, kStart + milliseconds(100));
  const std::uint64_t reduced = window();
  EXPECT_LT(reduced, 12000U);
  EXPECT_EQ(controller->slow_start_threshold().value(), reduced);
  EXPECT_FALSE(controller->in_slow_start());
  lose(*controller, kStart + milliseconds(100), kStart + milliseconds(150));
  EXPECT_EQ(window(), reduced) << "sent before the epoch began";
  lose(*controller, kStart + milliseconds(101), kStart + milliseconds(250));
  EXPECT_LT(window(), reduced) << "sent in the epoch: a new one";
}

TEST_P(EveryController, DoesNotGrowDuringRecovery) {  // RFC 9002 §7.3.2
  lose(*controller, kStart, kStart + milliseconds(100));
  const std::uint64_t reduced = window();
  acknowledge(*controller, {.now = kStart + milliseconds(150), .bytes = 6000, .sent = kStart + milliseconds(100)});
  EXPECT_EQ(window(), reduced);
  for (int i = 1; i <= 30; ++i) {
    acknowledge(*controller, {.now = kStart + milliseconds(200) * i, .sent = kStart + milliseconds(100 + i)});
  }
  EXPECT_GT(window(), reduced);
}

TEST_P(EveryController, CongestionMarksReduceLikeLosses) {  // RFC 9002 §7.1
  CouplingGroup other_group;
  const auto other = make_congestion_controller(GetParam(), kDatagram, other_group);
  lose(*controller, kStart, kStart, true);
  lose(*other, kStart, kStart, false);
  EXPECT_EQ(window(), other->window().value());
}

TEST_P(EveryController, NeverFallsBelowTwoDatagrams) {  // RFC 9002 §7.2
  for (int i = 0; i < 50; ++i) lose(*controller, kStart + seconds(i), kStart + seconds(i));
  EXPECT_EQ(window(), 2400U);
}

TEST_P(EveryController, PersistentCongestionCollapsesTheWindow) {  // RFC 9002 §7.6.2
  lose(*controller, kStart, kStart + milliseconds(100));
  const std::uint64_t threshold = controller->slow_start_threshold().value();
  controller->on_persistent_congestion(kStart + milliseconds(100));
  EXPECT_EQ(window(), 2400U);
  EXPECT_EQ(controller->slow_start_threshold().value(), threshold);
  EXPECT_TRUE(controller->in_slow_start());
  acknowledge(*controller, {.now = kStart + milliseconds(120), .bytes = 1200, .sent = kStart + milliseconds(50)});
  EXPECT_EQ(window(), 3600U) << "the recovery epoch is over";
}

TEST_P(EveryController, PacesTwiceTheWindowInSlowStartAndFiveQuartersLater) {  // RFC 9002 §7.7
  const RttSample rtt{.latest = milliseconds(100), .smoothed = milliseconds(100), .min = milliseconds(100)};
  EXPECT_EQ(controller->pacing_rate(rtt).bits_per_second(), 2 * 12000 * 8 * 10U);
  lose(*controller, kStart, kStart);
  EXPECT_EQ(controller->pacing_rate(rtt).bits_per_second(), window() * 5 / 4 * 8 * 10U);
  EXPECT_EQ(controller->pacing_rate(RttSample{}), Bandwidth{});
}

TEST_P(EveryController, ResetStartsOver) {  // RFC 9000 §9.4
  acknowledge(*controller, {.bytes = 6000});
  lose(*controller, kStart, kStart);
  controller->reset();
  EXPECT_EQ(window(), 12000U);
  EXPECT_TRUE(controller->in_slow_start());
  acknowledge(*controller, {.bytes = 1200});
  EXPECT_EQ(window(), 13200U);
}

TEST_P(EveryController, LargerDatagramsRaiseTheMinimum) {
  for (int i = 0; i < 50; ++i) lose(*controller, kStart + seconds(i), kStart + seconds(i));
  controller->on_max_datagram_size(1452);
  EXPECT_EQ(window(), 2904U);
}

TEST_P(EveryController, TheWindowIsBounded) {
  for (int i = 0; i < 10; ++i) acknowledge(*controller, {.bytes = kMaxWindow});
  EXPECT_EQ(window(), kMaxWindow);
}

}  // namespace
}  // namespace mpquic
