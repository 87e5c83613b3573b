#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <tuple>

#include "stack/base/interval_set.h"

namespace mpquic {
namespace {

using OffsetSet = std::set<std::uint64_t>;
constexpr std::uint64_t kUniverse = 80;

/// (insert?, begin, length)
using Step = std::tuple<bool, std::uint64_t, std::uint64_t>;

std::vector<Step> any_steps() {
  return *rc::gen::container<std::vector<Step>>(rc::gen::tuple(rc::gen::arbitrary<bool>(),
                                                               rc::gen::inRange<std::uint64_t>(0, kUniverse),
                                                               rc::gen::inRange<std::uint64_t>(0, 20)));
}

void apply(const Step& step, IntervalSet& set, OffsetSet& model) {
  const auto& [insert, begin, length] = step;
  std::uint64_t added = 0;
  for (std::uint64_t v = begin; v < begin + length; ++v) {
    if (insert) {
      added += model.insert(v).second ? 1 : 0;
    } else {
      model.erase(v);
    }
  }
  if (insert) {
    RC_ASSERT(set.insert(begin, begin + length) == added);
  } else {
    set.erase(begin, begin + length);
  }
}

RC_GTEST_PROP(BaseIntervalSet, AgreesWithASetOfIntegers, ()) {
  IntervalSet set;
  OffsetSet model;
  for (const Step& step : any_steps()) {
    apply(step, set, model);
    RC_ASSERT(set.empty() == model.empty());
    for (std::uint64_t v = 0; v < kUniverse + 20; ++v) RC_ASSERT(set.contains(v) == model.contains(v));
    if (!model.empty()) {
      RC_ASSERT(set.min() == *model.begin());
      RC_ASSERT(set.max() == *model.rbegin());
    }
  }
}

RC_GTEST_PROP(BaseIntervalSet, IsAlwaysSortedAndMaximallyMerged, ()) {
  IntervalSet set;
  OffsetSet model;
  for (const Step& step : any_steps()) {
    apply(step, set, model);
    const auto intervals = set.intervals();
    for (std::size_t i = 0; i < intervals.size(); ++i) {
      RC_ASSERT(intervals[i].begin < intervals[i].end);
      if (i > 0) RC_ASSERT(intervals[i - 1].end < intervals[i].begin);
    }
  }
}

RC_GTEST_PROP(BaseIntervalSet, CoversExactlyTheRangesThatItHasWhole, ()) {
  IntervalSet set;
  OffsetSet model;
  for (const Step& step : any_steps()) apply(step, set, model);
  for (std::uint64_t begin = 0; begin < kUniverse; begin += 3) {
    for (std::uint64_t end = begin; end < begin + 12; ++end) {
      bool whole = true;
      for (std::uint64_t v = begin; v < end; ++v) whole = whole && model.contains(v);
      RC_ASSERT(set.covers(begin, end) == whole);
    }
  }
}

RC_GTEST_PROP(BaseIntervalSet, DoesNotDependOnTheOrderOfInsertion, ()) {
  auto steps = any_steps();
  for (auto& step : steps) std::get<0>(step) = true;
  IntervalSet forward;
  IntervalSet backward;
  OffsetSet model;
  for (const Step& step : steps) apply(step, forward, model);
  model.clear();
  for (auto it = steps.rbegin(); it != steps.rend(); ++it) apply(*it, backward, model);
  RC_ASSERT(forward == backward);
}

}  // namespace
}  // namespace mpquic
