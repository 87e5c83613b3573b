#include "stack/base/interval_set.h"

#include <gtest/gtest.h>

#include <set>

#include "stack/base/rng.h"

namespace mpquic {
namespace {

using Intervals = std::vector<Interval>;

Intervals intervals(const IntervalSet& set) { return {set.intervals().begin(), set.intervals().end()}; }

IntervalSet set_of(const Intervals& given) {
  IntervalSet set;
  for (const Interval& i : given) set.insert(i.begin, i.end);
  return set;
}

TEST(IntervalSet, MergesWhatTouches) {
  IntervalSet set;
  EXPECT_EQ(set.insert(5, 10), 5U);
  EXPECT_EQ(set.insert(10, 12), 2U);
  EXPECT_EQ(set.insert(3, 5), 2U);
  EXPECT_EQ(intervals(set), (Intervals{{3, 12}}));
}

TEST(IntervalSet, KeepsApartWhatDoesNotTouch) {
  EXPECT_EQ(intervals(set_of({{10, 11}, {5, 6}, {20, 21}, {12, 13}})),
            (Intervals{{5, 6}, {10, 11}, {12, 13}, {20, 21}}));
}

TEST(IntervalSet, CountsOnlyWhatIsNew) {
  IntervalSet set = set_of({{0, 4}, {8, 12}});
  EXPECT_EQ(set.insert(2, 10), 4U);
  EXPECT_EQ(set.insert(0, 12), 0U);
  EXPECT_EQ(set.insert(11, 15), 3U);
  EXPECT_EQ(intervals(set), (Intervals{{0, 15}}));
}

TEST(IntervalSet, AnInsertMayBridgeManyGaps) {
  IntervalSet set = set_of({{0, 1}, {2, 3}, {4, 5}, {6, 7}, {100, 101}});
  EXPECT_EQ(set.insert(1, 6), 3U);
  EXPECT_EQ(intervals(set), (Intervals{{0, 7}, {100, 101}}));
}

TEST(IntervalSet, EmptyRangesChangeNothing) {
  IntervalSet set = set_of({{3, 5}});
  EXPECT_EQ(set.insert(7, 7), 0U);
  EXPECT_EQ(set.insert(9, 8), 0U);
  set.erase(4, 4);
  set.erase(5, 3);
  EXPECT_EQ(intervals(set), (Intervals{{3, 5}}));
  EXPECT_TRUE(set.covers(100, 100));
}

TEST(IntervalSet, ErasesFromEitherEndAndTheMiddle) {
  IntervalSet set = set_of({{0, 10}});
  set.erase(4, 6);
  EXPECT_EQ(intervals(set), (Intervals{{0, 4}, {6, 10}}));
  set.erase(3, 7);
  EXPECT_EQ(intervals(set), (Intervals{{0, 3}, {7, 10}}));
  set.erase_below(1);
  set.erase(9, 100);
  EXPECT_EQ(intervals(set), (Intervals{{1, 3}, {7, 9}}));
  set.erase(0, 100);
  EXPECT_TRUE(set.empty());
}

TEST(IntervalSet, ErasingAGapChangesNothing) {
  IntervalSet set = set_of({{0, 3}, {6, 9}});
  set.erase(3, 6);
  set.erase(20, 30);
  EXPECT_EQ(intervals(set), (Intervals{{0, 3}, {6, 9}}));
}

TEST(IntervalSet, AnswersMembership) {
  const IntervalSet set = set_of({{2, 5}, {8, 9}});
  EXPECT_FALSE(set.contains(1));
  EXPECT_TRUE(set.contains(2));
  EXPECT_TRUE(set.contains(4));
  EXPECT_FALSE(set.contains(5));
  EXPECT_TRUE(set.covers(2, 5));
  EXPECT_FALSE(set.covers(2, 6));
  EXPECT_FALSE(set.covers(4, 9));
  EXPECT_EQ(set.min(), 2U);
  EXPECT_EQ(set.max(), 8U);
  EXPECT_EQ(set.interval_count(), 2U);
}

TEST(IntervalSet, ForgetsTheLowest) {
  IntervalSet set = set_of({{2, 5}, {8, 9}});
  set.pop_lowest();
  EXPECT_EQ(intervals(set), (Intervals{{8, 9}}));
  set.clear();
  EXPECT_TRUE(set.empty());
}

TEST(IntervalSet, AgreesWithASetOfIntegers) {
  constexpr std::uint64_t kUniverse = 120;
  SeededRng rng(20);
  IntervalSet set;
  std::set<std::uint64_t> model;
  for (int step = 0; step < 5000; ++step) {
    const std::uint64_t begin = rng.below(kUniverse);
    const std::uint64_t end = begin + rng.below(12);
    if (rng.below(2) == 0) {
      std::uint64_t added = 0;
      for (std::uint64_t v = begin; v < end; ++v) added += model.insert(v).second ? 1 : 0;
      ASSERT_EQ(set.insert(begin, end), added);
    } else {
      for (std::uint64_t v = begin; v < end; ++v) model.erase(v);
      set.erase(begin, end);
    }
    std::set<std::uint64_t> contents;
    std::uint64_t previous_end = 0;
    bool first = true;
    for (const Interval& i : set.intervals()) {
      ASSERT_LT(i.begin, i.end);
      ASSERT_TRUE(first || i.begin > previous_end) << "disjoint, not even adjacent";
      for (std::uint64_t v = i.begin; v < i.end; ++v) contents.insert(v);
      previous_end = i.end;
      first = false;
    }
    ASSERT_EQ(contents, model) << "step " << step;
  }
}

}  // namespace
}  // namespace mpquic
