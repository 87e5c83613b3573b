#pragma once

#include <cstdint>
#include <memory>

#include "stack/base/bytes.h"
#include "stack/base/ring_buffer.h"
#include "stack/stream/chunk_pool.h"

namespace mpquic {

/// Bytes at stream offsets from begin() on, in chunks on a fixed grid, each byte with a mark. Chunks exist only where
/// something was written. Invariant: slot i of the ring covers the grid cell `first_cell_ + i`.
class ChunkedBuffer {
 public:
  explicit ChunkedBuffer(ChunkPool& pool) : pool_(&pool) {}
  ChunkedBuffer(const ChunkedBuffer&) = delete;
  ChunkedBuffer& operator=(const ChunkedBuffer&) = delete;
  ~ChunkedBuffer() { clear(0); }

  /// Everything below is gone.
  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  /// Copies `data` to `offset`, at or above begin().
  void write(std::uint64_t offset, Bytes data);
  /// What was written in [offset, end), as much of it as lies in one place. Valid until the next call that changes
  /// anything.
  [[nodiscard]] Bytes piece(std::uint64_t offset, std::uint64_t end) const;
  /// Copies what was written at `offset` before.
  void read(std::uint64_t offset, MutableBytes out) const;
  /// Forgets everything below `offset`, and with it every chunk that ends there or before.
  void drop_below(std::uint64_t offset);
  /// Forgets all bytes and marks. begin() becomes `offset`.
  void clear(std::uint64_t offset);

  /// Marks [begin, end), which must have been written.
  void mark(std::uint64_t begin, std::uint64_t end);
  /// The first offset in [from, to) whose mark is set, or `to`.
  [[nodiscard]] std::uint64_t first_marked(std::uint64_t from, std::uint64_t to) const { return scan(from, to, false); }
  /// The first offset in [from, to) whose mark is clear, or `to`.
  [[nodiscard]] std::uint64_t first_unmarked(std::uint64_t from, std::uint64_t to) const {
    return scan(from, to, true);
  }
  /// `frontier` is where an unbroken prefix ends. Gives where it ends once [begin, end) is added to it; what does not
  /// touch the prefix is marked, to be found when the prefix reaches it.
  [[nodiscard]] std::uint64_t advance(std::uint64_t frontier, std::uint64_t begin, std::uint64_t end);
  /// No mark is set at or above this offset.
  [[nodiscard]] std::uint64_t marked_end() const { return marked_end_; }

 private:
  [[nodiscard]] Chunk& chunk_for(std::uint64_t offset);
  [[nodiscard]] const Chunk* find_chunk(std::uint64_t offset) const;
  /// Skips marks that equal `skipped`.
  [[nodiscard]] std::uint64_t scan(std::uint64_t from, std::uint64_t to, bool skipped) const;

  ChunkPool* pool_;
  RingBuffer<std::unique_ptr<Chunk>> cells_;
  std::uint64_t first_cell_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t marked_end_ = 0;
};

}  // namespace mpquic
