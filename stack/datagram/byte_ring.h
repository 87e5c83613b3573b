#pragma once

#include <cstddef>
#include <memory>

#include "stack/base/bytes.h"

namespace mpquic {

/// A queue of bytes on one power-of-two array, which is made at the first push and grows by doubling. Bytes may wrap
/// around its end, so nothing is ever moved or wasted.
class ByteRing {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  void push(Bytes data);
  /// Copies out.size() bytes from the `skip`-th on, which must be there.
  void peek(MutableBytes out, std::size_t skip = 0) const;
  void drop(std::size_t count);
  /// Gives the memory back if the queue is empty.
  void trim();

 private:
  static constexpr std::size_t kInitialCapacity = 4096;
  void grow(std::size_t least);

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mpquic
