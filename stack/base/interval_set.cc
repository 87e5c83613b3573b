#include "stack/base/interval_set.h"

namespace mpquic {

std::uint64_t IntervalSet::insert(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return 0;
  if (intervals_.empty() || begin > intervals_.back().end) {
    intervals_.push_back({begin, end});
    return end - begin;
  }
  if (begin == intervals_.back().end) {
    intervals_.back().end = end;
    return end - begin;
  }
  // First interval that touches or follows [begin, end).
  const auto first = std::lower_bound(intervals_.begin(), intervals_.end(), begin,
                                      [](const Interval& i, std::uint64_t b) { return i.end < b; });
  auto last = first;
  std::uint64_t present = 0;
  Interval merged{begin, end};
  while (last != intervals_.end() && last->begin <= end) {
    present += std::min(last->end, end) > std::max(last->begin, begin)
                   ? std::min(last->end, end) - std::max(last->begin, begin)
                   : 0;
    merged.begin = std::min(merged.begin, last->begin);
    merged.end = std::max(merged.end, last->end);
    ++last;
  }
  if (first == last) {
    intervals_.insert(first, merged);
  } else {
    *first = merged;
    intervals_.erase(first + 1, last);
  }
  return end - begin - present;
}

void IntervalSet::erase(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  auto it = std::lower_bound(intervals_.begin(), intervals_.end(), begin,
                             [](const Interval& i, std::uint64_t b) { return i.end <= b; });
  if (it == intervals_.end() || it->begin >= end) return;
  if (it->begin < begin && it->end > end) {  // a hole inside one interval
    const Interval right{end, it->end};
    it->end = begin;
    intervals_.insert(it + 1, right);
    return;
  }
  if (it->begin < begin) {
    it->end = begin;
    ++it;
  }
  const auto first_gone = it;
  while (it != intervals_.end() && it->end <= end) ++it;
  if (it != intervals_.end() && it->begin < end) it->begin = end;
  intervals_.erase(first_gone, it);
}

bool IntervalSet::contains(std::uint64_t value) const { return covers(value, value + 1); }

bool IntervalSet::covers(std::uint64_t begin, std::uint64_t end) const {
  if (begin >= end) return true;
  const auto it = std::lower_bound(intervals_.begin(), intervals_.end(), begin,
                                   [](const Interval& i, std::uint64_t b) { return i.end <= b; });
  return it != intervals_.end() && it->begin <= begin && it->end >= end;
}

}  // namespace mpquic
