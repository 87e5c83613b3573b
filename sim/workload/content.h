// What the workloads transfer: bytes that anyone can recompute from (key, offset), at the speed of memcpy. Each 64 KiB
// segment is a window into one random table, at a start that depends on the key and the segment's number; so bytes
// from another stream, another offset or another run do not match.
#pragma once

#include <cstdint>
#include <vector>

#include "stack/base/bytes.h"

namespace mpquic::sim {

/// Distinguishes streams, directions and workloads.
using ContentKey = std::uint64_t;

class Content {
 public:
  explicit Content(std::uint64_t seed);
  /// The longest run of bytes at `offset` that is contiguous here, at most `limit`. Valid as long as this object.
  [[nodiscard]] Bytes at(ContentKey key, std::uint64_t offset, std::uint64_t limit) const;
  /// Index of the first byte that differs from what belongs at `offset`, or data.size().
  [[nodiscard]] std::size_t first_mismatch(ContentKey key, std::uint64_t offset, Bytes data) const;

 private:
  static constexpr std::size_t kSegment = 64 * 1024;
  std::vector<std::byte> table_;
};

}  // namespace mpquic::sim
