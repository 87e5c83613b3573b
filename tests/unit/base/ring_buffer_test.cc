#include "stack/base/ring_buffer.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>

#include "stack/base/rng.h"

namespace mpquic {
namespace {

TEST(RingBuffer, IsFirstInFirstOut) {
  RingBuffer<int> ring;
  EXPECT_TRUE(ring.empty());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ring.push_back(i), i);
  EXPECT_EQ(ring.size(), 5U);
  EXPECT_EQ(ring.front(), 0);
  EXPECT_EQ(ring.back(), 4);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ring.pop_front(), i);
  EXPECT_TRUE(ring.empty());
}

TEST(RingBuffer, KeepsOrderWhileItGrowsAcrossTheSeam) {
  RingBuffer<int> ring;
  for (int i = 0; i < 16; ++i) ring.push_back(i);
  for (int i = 0; i < 10; ++i) static_cast<void>(ring.pop_front());
  for (int i = 16; i < 60; ++i) ring.push_back(i);  // wraps, then doubles twice
  ASSERT_EQ(ring.size(), 50U);
  for (std::size_t i = 0; i < ring.size(); ++i) EXPECT_EQ(ring[i], static_cast<int>(i) + 10);
}

TEST(RingBuffer, PushesACopyOfWhatLiesInIt) {
  RingBuffer<std::string> ring;
  ring.push_back(std::string(40, 'a'));
  while (ring.size() < 100) ring.push_back(ring.front());  // also while it grows
  for (std::size_t i = 0; i < ring.size(); ++i) EXPECT_EQ(ring[i], std::string(40, 'a'));
}

TEST(RingBuffer, AppendsASlotToBeFilled) {
  RingBuffer<int> ring;
  for (int i = 0; i < 40; ++i) ring.append() = i;
  for (int i = 0; i < 40; ++i) EXPECT_EQ(ring.pop_front(), i);
}

TEST(RingBuffer, PopsAtEitherEnd) {
  RingBuffer<int> ring;
  for (int i = 0; i < 4; ++i) ring.push_back(i);
  EXPECT_EQ(ring.pop_back(), 3);
  EXPECT_EQ(ring.pop_front(), 0);
  EXPECT_EQ(ring.size(), 2U);
  EXPECT_EQ(ring.back(), 2);
}

TEST(RingBuffer, HoldsMoveOnlyThings) {
  RingBuffer<std::unique_ptr<int>> ring;
  for (int i = 0; i < 40; ++i) ring.push_back(std::make_unique<int>(i));
  for (int i = 0; i < 40; ++i) EXPECT_EQ(*ring.pop_front(), i);
}

TEST(RingBuffer, ReleasesWhatItNoLongerHolds) {
  const auto shared = std::make_shared<int>(1);
  RingBuffer<std::shared_ptr<int>> ring;
  for (int i = 0; i < 3; ++i) ring.push_back(shared);
  EXPECT_EQ(shared.use_count(), 4);
  static_cast<void>(ring.pop_front());
  EXPECT_EQ(shared.use_count(), 3);
  static_cast<void>(ring.pop_back());
  EXPECT_EQ(shared.use_count(), 2);
  ring.clear();
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_TRUE(ring.empty());
}

TEST(RingBuffer, AgreesWithADeque) {
  SeededRng rng(11);
  RingBuffer<std::uint64_t> ring;
  std::deque<std::uint64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t choice = rng.below(100);
    if (choice < 52) {
      model.push_back(rng.next());
      ring.push_back(model.back());
    } else if (!model.empty() && choice < 80) {
      ASSERT_EQ(ring.pop_front(), model.front());
      model.pop_front();
    } else if (!model.empty()) {
      ASSERT_EQ(ring.pop_back(), model.back());
      model.pop_back();
    }
    ASSERT_EQ(ring.size(), model.size());
    if (!model.empty()) {
      const std::size_t i = rng.below(model.size());
      ASSERT_EQ(ring[i], model[i]);
    }
  }
}

}  // namespace
}  // namespace mpquic
