#include "stack/datagram/byte_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "stack/base/check.h"

namespace mpquic {

void ByteRing::push(Bytes data) {
  if (data.empty()) return;
  if (data.size() > capacity_ - size_) grow(size_ + data.size());
  const std::size_t tail = (head_ + size_) & (capacity_ - 1);
  const std::size_t run = std::min(data.size(), capacity_ - tail);
  std::memcpy(bytes_.get() + tail, data.data(), run);
  std::memcpy(bytes_.get(), data.data() + run, data.size() - run);
  size_ += data.size();
}

void ByteRing::peek(MutableBytes out, std::size_t skip) const {
  MPQUIC_CHECK(skip <= size_ && out.size() <= size_ - skip);
  if (out.empty()) return;
  const std::size_t first = (head_ + skip) & (capacity_ - 1);
  const std::size_t run = std::min(out.size(), capacity_ - first);
  std::memcpy(out.data(), bytes_.get() + first, run);
  std::memcpy(out.data() + run, bytes_.get(), out.size() - run);
}

void ByteRing::drop(std::size_t count) {
  MPQUIC_CHECK(count <= size_);
  if (count == 0) return;
  size_ -= count;
  head_ = size_ == 0 ? 0 : (head_ + count) & (capacity_ - 1);
}

void ByteRing::trim() {
  if (size_ > 0) return;
  bytes_.reset();
  capacity_ = 0;
  head_ = 0;
}

void ByteRing::grow(std::size_t least) {
  const std::size_t capacity = std::bit_ceil(std::max(least, kInitialCapacity));
  auto bigger = std::make_unique_for_overwrite<std::byte[]>(capacity);
  peek({bigger.get(), size_});
  bytes_ = std::move(bigger);
  capacity_ = capacity;
  head_ = 0;
}

}  // namespace mpquic
