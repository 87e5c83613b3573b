// A byte stream in fixed chunks at stable addresses: ngtcp2 sends from where the application's bytes were copied once,
// and may read them again until they are acknowledged.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/ring_buffer.h"

namespace mpquic::peers {

/// Free chunks, shared by the streams of a connection.
class ChunkStore {
 public:
  static constexpr std::size_t kChunkSize = 32 * 1024;
  using Chunk = std::unique_ptr<std::array<std::byte, kChunkSize>>;

  [[nodiscard]] Chunk take();
  void give_back(Chunk chunk);

 private:
  static constexpr std::size_t kMaxFree = 512;
  std::vector<Chunk> free_;
};

class ByteQueue {
 public:
  explicit ByteQueue(ChunkStore& store) : store_(&store) {}

  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }

  void append(Bytes data);
  /// The contiguous bytes at `offset`, empty at the end. Requires begin() <= offset <= end().
  [[nodiscard]] Bytes at(std::uint64_t offset) const;
  /// Forgets everything below `offset`.
  void release(std::uint64_t offset);

 private:
  ChunkStore* store_;
  RingBuffer<ChunkStore::Chunk> chunks_;
  std::uint64_t base_ = 0;  // offset of the first byte of the first chunk, a multiple of kChunkSize
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace mpquic::peers
