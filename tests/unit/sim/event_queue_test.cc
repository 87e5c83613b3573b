#include "sim/base/event_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "stack/base/rng.h"

namespace mpquic::sim {
namespace {

using std::chrono::milliseconds;

Instant at(int ms) { return Instant{} + milliseconds(ms); }
SimEvent event(std::uint64_t payload) { return {.kind = EventKind::script, .target = 0, .payload = payload}; }

TEST(EventQueue, IsOrderedByTime) {
  EventQueue queue;
  queue.post(at(3), event(3));
  queue.post(at(1), event(1));
  queue.post(at(2), event(2));
  for (std::uint64_t expected = 1; expected <= 3; ++expected) EXPECT_EQ(queue.pop()->payload, expected);
  EXPECT_FALSE(queue.pop().has_value());
}

TEST(EventQueue, EqualTimesFireInTheOrderOfTheirPosting) {
  EventQueue queue;
  for (std::uint64_t i = 0; i < 100; ++i) queue.post(at(5), event(i));
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(queue.pop()->payload, i);
}

TEST(EventQueue, TheClockMovesWithTheEvents) {
  EventQueue queue;
  queue.post(at(7), event(0));
  EXPECT_EQ(queue.now(), at(0));
  EXPECT_EQ(queue.next_time(), at(7));
  static_cast<void>(queue.pop());
  EXPECT_EQ(queue.now(), at(7));
}

TEST(EventQueue, NothingFiresInThePast) {
  EventQueue queue;
  queue.post(at(10), event(0));
  static_cast<void>(queue.pop());
  queue.post(at(3), event(1));
  static_cast<void>(queue.pop());
  EXPECT_EQ(queue.now(), at(10));
}

TEST(EventQueue, ATimerHasOneFiringThatMoves) {
  EventQueue queue;
  const TimerId timer = queue.make_timer(event(9));
  queue.arm(timer, at(5));
  queue.arm(timer, at(8));
  queue.post(at(6), event(1));
  EXPECT_EQ(queue.pop()->payload, 1u);
  EXPECT_EQ(queue.pop()->payload, 9u);
  EXPECT_EQ(queue.now(), at(8));
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.armed(timer));
}

TEST(EventQueue, ADisarmedTimerDoesNotFire) {
  EventQueue queue;
  const TimerId timer = queue.make_timer(event(9));
  queue.disarm(timer);
  queue.arm(timer, at(5));
  queue.disarm(timer);
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, ArmingForTheSameTimeKeepsThePlaceInLine) {
  EventQueue queue;
  const TimerId timer = queue.make_timer(event(1));
  queue.arm(timer, at(5));
  queue.post(at(5), event(2));
  queue.arm(timer, at(5));
  EXPECT_EQ(queue.pop()->payload, 1u);
}

TEST(EventQueue, RandomOperationsAgreeWithASortedList) {
  struct Expected {
    Instant at;
    std::uint64_t order;
    std::uint64_t payload;
    bool operator<(const Expected& o) const { return at != o.at ? at < o.at : order < o.order; }
  };
  SeededRng rng(42);
  EventQueue queue;
  std::vector<TimerId> timers;
  for (std::uint64_t i = 0; i < 20; ++i) timers.push_back(queue.make_timer(event(i)));
  std::vector<Expected> model;
  std::uint64_t order = 0;
  const auto forget = [&](std::uint64_t payload) {
    std::erase_if(model, [&](const Expected& e) { return e.payload == payload; });
  };
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    const Instant when = queue.now() + milliseconds(1 + rng.below(50));
    const std::uint64_t timer = rng.below(timers.size());
    switch (rng.below(4)) {
      case 0:
        queue.post(when, event(1000 + step));
        model.push_back({when, order++, 1000 + step});
        break;
      case 1: {
        const auto same =
            std::ranges::any_of(model, [&](const Expected& e) { return e.payload == timer && e.at == when; });
        queue.arm(timers[timer], when);
        if (same) break;
        forget(timer);
        model.push_back({when, order++, timer});
        break;
      }
      case 2:
        queue.disarm(timers[timer]);
        forget(timer);
        break;
      default: {
        const auto got = queue.pop();
        ASSERT_EQ(got.has_value(), !model.empty());
        if (!got) break;
        const auto first = std::ranges::min_element(model, std::less<>{});
        ASSERT_EQ(got->payload, first->payload);
        ASSERT_EQ(queue.now(), first->at);
        model.erase(first);
      }
    }
  }
}

}  // namespace
}  // namespace mpquic::sim
