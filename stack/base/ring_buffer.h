#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

#include "stack/base/check.h"

namespace mpquic {

/// A double-ended queue on one power-of-two array: grows by doubling, shrinks only by trim(), so a warmed-up queue
/// does not allocate. Indices count from the front.
template <class T>
class RingBuffer {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T& operator[](std::size_t i) { return slots_[(head_ + i) & (slots_.size() - 1)]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return slots_[(head_ + i) & (slots_.size() - 1)]; }
  [[nodiscard]] T& front() { return (*this)[0]; }
  [[nodiscard]] const T& front() const { return (*this)[0]; }
  [[nodiscard]] T& back() { return (*this)[size_ - 1]; }
  [[nodiscard]] const T& back() const { return (*this)[size_ - 1]; }

  T& push_back(const T& value) {
    if (size_ == slots_.size()) return push_back(T(value));  // it may lie in here
    return append() = value;
  }
  T& push_back(T&& value) { return append() = std::move(value); }
  /// A slot at the end for the caller to fill: it holds what its last user left.
  T& append() {
    if (size_ == slots_.size()) grow();
    return slots_[(head_ + size_++) & (slots_.size() - 1)];
  }
  T pop_front() {
    MPQUIC_DCHECK(size_ > 0);
    T value = std::move(slots_[head_]);
    head_ = (head_ + 1) & (slots_.size() - 1);
    --size_;
    return value;
  }
  T pop_back() {
    MPQUIC_DCHECK(size_ > 0);
    --size_;
    return std::move(slots_[(head_ + size_) & (slots_.size() - 1)]);
  }
  void clear() {
    while (!empty()) static_cast<void>(pop_front());
    head_ = 0;
  }
  /// Gives back the memory that what is queued does not need.
  void trim() {
    const std::size_t needed = empty() ? 0 : std::bit_ceil(std::max(size_, kInitialCapacity));
    if (needed < slots_.size()) resize(needed);
  }

 private:
  void grow() { resize(slots_.empty() ? kInitialCapacity : slots_.size() * 2); }
  void resize(std::size_t capacity) {
    std::vector<T> moved(capacity);
    for (std::size_t i = 0; i < size_; ++i) moved[i] = std::move((*this)[i]);
    slots_ = std::move(moved);
    head_ = 0;
  }
  static constexpr std::size_t kInitialCapacity = 16;

  std::vector<T> slots_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mpquic
