#pragma once

#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/stream/chunked_buffer.h"

namespace mpquic {

/// Turns byte ranges in any order, overlapping and repeated, into one sequence. Where copies of a byte differ, the
/// first one that arrived counts (RFC 9000 §2.2 leaves the choice). Memory is bounded by the flow control window that
/// callers enforce, whatever the pattern of gaps: see Chunk. So nothing that was acknowledged ever has to be refused.
class Reassembler {
 public:
  explicit Reassembler(ChunkPool& pool) : buffer_(pool) {}

  /// Starts over with offset 0.
  void reset();
  void insert(std::uint64_t offset, Bytes data);
  /// The bytes at read_offset(), as many as lie in one place; none where the first has not arrived. Valid until the
  /// next call of anything else.
  [[nodiscard]] Bytes front() const { return buffer_.piece(buffer_.begin(), contiguous_end_); }
  /// Forgets so many bytes, in order, or as many as there are; how many.
  std::size_t pop(std::size_t count);

  [[nodiscard]] std::uint64_t read_offset() const { return buffer_.begin(); }
  /// Everything below has arrived.
  [[nodiscard]] std::uint64_t contiguous_end() const { return contiguous_end_; }

 private:
  void insert_absent(std::uint64_t offset, Bytes data);

  ChunkedBuffer buffer_;
  std::uint64_t contiguous_end_ = 0;
};

}  // namespace mpquic
