#include "sim/peers/byte_queue.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic::peers {

ChunkStore::Chunk ChunkStore::take() {
  if (free_.empty()) return std::make_unique_for_overwrite<std::array<std::byte, kChunkSize>>();
  Chunk chunk = std::move(free_.back());
  free_.pop_back();
  return chunk;
}

void ChunkStore::give_back(Chunk chunk) {
  if (free_.size() < kMaxFree) free_.push_back(std::move(chunk));
}

void ByteQueue::append(Bytes data) {
  while (!data.empty()) {
    const auto used = static_cast<std::size_t>(end_ - base_);
    if (used == chunks_.size() * ChunkStore::kChunkSize) chunks_.push_back(store_->take());
    const std::size_t offset = used % ChunkStore::kChunkSize;
    const std::size_t amount = std::min(data.size(), ChunkStore::kChunkSize - offset);
    std::copy_n(data.begin(), amount, chunks_.back()->begin() + static_cast<std::ptrdiff_t>(offset));
    end_ += amount;
    data = data.subspan(amount);
  }
}

Bytes ByteQueue::at(std::uint64_t offset) const {
  MPQUIC_DCHECK(offset >= begin_ && offset <= end_);
  if (offset == end_) return {};
  const auto position = static_cast<std::size_t>(offset - base_);
  const std::size_t within = position % ChunkStore::kChunkSize;
  const std::size_t amount =
      std::min<std::size_t>(ChunkStore::kChunkSize - within, static_cast<std::size_t>(end_ - offset));
  return Bytes(*chunks_[position / ChunkStore::kChunkSize]).subspan(within, amount);
}

void ByteQueue::release(std::uint64_t offset) {
  begin_ = std::clamp(offset, begin_, end_);
  while (!chunks_.empty() && begin_ - base_ >= ChunkStore::kChunkSize) {
    store_->give_back(chunks_.pop_front());
    base_ += ChunkStore::kChunkSize;
  }
}

}  // namespace mpquic::peers
