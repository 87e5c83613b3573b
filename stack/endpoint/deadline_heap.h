#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "stack/base/time.h"

namespace mpquic {

/// Deadlines of many connections, each named by a small index: set, clear and find the earliest in O(log n), without
/// allocation once it has seen the largest index.
class DeadlineHeap {
 public:
  /// Sets, moves or (nullopt) clears the deadline of `index`.
  void set(std::uint32_t index, Deadline deadline) {
    if (index >= position_.size()) position_.resize(index + 1, kAbsent);
    const std::uint32_t at = position_[index];
    if (!deadline) {
      if (at != kAbsent) remove(at);
      return;
    }
    if (at == kAbsent) {
      heap_.push_back({*deadline, index});
      position_[index] = static_cast<std::uint32_t>(heap_.size() - 1);
      sift_up(heap_.size() - 1);
    } else if (heap_[at].when != *deadline) {
      heap_[at].when = *deadline;
      sift_up(at);
      sift_down(position_[index]);
    }
  }
  [[nodiscard]] Deadline earliest() const { return heap_.empty() ? Deadline{} : Deadline{heap_.front().when}; }
  /// The index whose deadline is earliest. Requires one.
  [[nodiscard]] std::uint32_t earliest_index() const { return heap_.front().index; }

 private:
  struct Entry {
    Instant when;
    std::uint32_t index = 0;
    // Equal times go by index, so that the order does not depend on history.
    [[nodiscard]] bool before(const Entry& o) const { return when != o.when ? when < o.when : index < o.index; }
  };
  static constexpr std::uint32_t kAbsent = std::numeric_limits<std::uint32_t>::max();

  void place(std::size_t at, Entry entry) {
    heap_[at] = entry;
    position_[entry.index] = static_cast<std::uint32_t>(at);
  }
  void sift_up(std::size_t at) {
    const Entry moving = heap_[at];
    while (at > 0 && moving.before(heap_[(at - 1) / 2])) {
      place(at, heap_[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
    place(at, moving);
  }
  void sift_down(std::size_t at) {
    const Entry moving = heap_[at];
    for (;;) {
      std::size_t child = 2 * at + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
      if (!heap_[child].before(moving)) break;
      place(at, heap_[child]);
      at = child;
    }
    place(at, moving);
  }
  void remove(std::size_t at) {
    position_[heap_[at].index] = kAbsent;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    place(at, last);
    sift_up(at);
    sift_down(position_[last.index]);
  }

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> position_;
};

}  // namespace mpquic
