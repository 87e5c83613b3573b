#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace mpquic {

/// 16 KiB of stream data and one mark per byte. A mark says "received" in a reassembler and "acknowledged" in a send
/// buffer. Marks cost one eighth of memory, and buy that any pattern of gaps, from a peer or from several paths of
/// unequal delay, takes bounded memory and constant time: no list of ranges that an attacker could make long.
struct Chunk {
  static constexpr std::size_t kBytes = 16384;
  static constexpr std::size_t kMarkWords = kBytes / 64;
  std::array<std::byte, kBytes> bytes;
  std::array<std::uint64_t, kMarkWords> marks;
  bool marked = true;  // any mark may be set: they are cleared before the chunk is used again
};

/// The chunks of one connection. Keeps what it ever needed until trim(), so that steady transfers do not allocate
/// however full the buffers are; the flow control windows bound it.
class ChunkPool {
 public:
  static constexpr std::size_t kReserve = 2;

  ChunkPool() = default;
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  /// Bytes are uninitialised, marks are clear.
  [[nodiscard]] std::unique_ptr<Chunk> take();
  void give_back(std::unique_ptr<Chunk> chunk);
  /// The connection is quiet: frees all spare chunks but as many as are in use, and kReserve.
  void trim();
  [[nodiscard]] std::size_t in_use() const { return in_use_; }
  [[nodiscard]] std::size_t spare() const { return spare_.size(); }
  [[nodiscard]] std::size_t memory() const { return (in_use_ + spare_.size()) * sizeof(Chunk); }

 private:
  std::vector<std::unique_ptr<Chunk>> spare_;
  std::size_t in_use_ = 0;
};

}  // namespace mpquic
