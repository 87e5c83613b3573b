#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mpquic {

/// Half-open: [begin, end).
struct Interval {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const Interval&) const = default;
};

/// A set of integers as sorted, disjoint, non-adjacent intervals. Keeps its capacity, so a warmed-up set does not
/// allocate. Appending at the top is O(1); anything else is linear in the number of gaps, which callers bound.
class IntervalSet {
 public:
  /// Adds [begin, end). Returns how many integers were new.
  std::uint64_t insert(std::uint64_t begin, std::uint64_t end);
  /// Removes [begin, end).
  void erase(std::uint64_t begin, std::uint64_t end);
  void erase_below(std::uint64_t bound) { erase(0, bound); }
  /// Forgets the lowest interval.
  void pop_lowest() { intervals_.erase(intervals_.begin()); }
  void clear() { intervals_.clear(); }
  /// Room for this many intervals without allocating.
  void reserve(std::size_t intervals) { intervals_.reserve(intervals); }

  [[nodiscard]] bool contains(std::uint64_t value) const;
  /// Whether all of [begin, end) is in the set. True for an empty range.
  [[nodiscard]] bool covers(std::uint64_t begin, std::uint64_t end) const;
  [[nodiscard]] bool empty() const { return intervals_.empty(); }
  [[nodiscard]] std::size_t interval_count() const { return intervals_.size(); }
  /// Ascending.
  [[nodiscard]] std::span<const Interval> intervals() const { return intervals_; }
  [[nodiscard]] std::uint64_t max() const { return intervals_.back().end - 1; }
  [[nodiscard]] std::uint64_t min() const { return intervals_.front().begin; }
  bool operator==(const IntervalSet&) const = default;

 private:
  std::vector<Interval> intervals_;
};

}  // namespace mpquic
