#include "stack/stream/chunk_pool.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"

namespace mpquic {

std::unique_ptr<Chunk> ChunkPool::take() {
  ++in_use_;
  std::unique_ptr<Chunk> chunk;
  if (spare_.empty()) {
    chunk = std::make_unique_for_overwrite<Chunk>();
  } else {
    chunk = std::move(spare_.back());
    spare_.pop_back();
  }
  if (std::exchange(chunk->marked, false)) chunk->marks.fill(0);
  return chunk;
}

void ChunkPool::give_back(std::unique_ptr<Chunk> chunk) {
  MPQUIC_DCHECK(in_use_ > 0);
  --in_use_;
  spare_.push_back(std::move(chunk));
}

void ChunkPool::trim() {
  const std::size_t kept = std::min(spare_.size(), in_use_ + kReserve);
  spare_.resize(kept);
  spare_.shrink_to_fit();
}

}  // namespace mpquic
