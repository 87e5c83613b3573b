#include "stack/stream/chunked_buffer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "stack/base/check.h"

namespace mpquic {
namespace {

constexpr std::uint64_t kWordBits = 64;

constexpr std::uint64_t cell_of(std::uint64_t offset) { return offset / Chunk::kBytes; }
constexpr std::size_t within(std::uint64_t offset) { return static_cast<std::size_t>(offset % Chunk::kBytes); }
/// How far from `offset` its cell goes, but not beyond `length`.
constexpr std::size_t run_in_cell(std::uint64_t offset, std::uint64_t length) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(length, Chunk::kBytes - within(offset)));
}

/// What follows is mostly wanted next, by the next packet, and lies beyond the nearer caches when there is much in
/// flight.
template <int kWrite>
void prefetch_after(const std::byte* end, std::size_t run, std::size_t left_in_cell) {
  constexpr std::size_t kCacheLine = 64;
  constexpr std::size_t kMost = 4096;
  const std::size_t ahead = std::min({run, left_in_cell, kMost});
  for (std::size_t at = 0; at < ahead; at += kCacheLine) __builtin_prefetch(end + at, kWrite);
}

void set_marks(Chunk& chunk, std::size_t begin, std::size_t end) {
  if (begin == end) return;
  chunk.marked = true;
  const std::size_t first = begin / kWordBits;
  const std::size_t last = (end - 1) / kWordBits;
  const std::uint64_t head = ~std::uint64_t{0} << (begin % kWordBits);
  const std::uint64_t tail = ~std::uint64_t{0} >> (kWordBits - 1 - (end - 1) % kWordBits);
  if (first == last) {
    chunk.marks[first] |= head & tail;
    return;
  }
  chunk.marks[first] |= head;
  std::fill(chunk.marks.begin() + first + 1, chunk.marks.begin() + last, ~std::uint64_t{0});
  chunk.marks[last] |= tail;
}

/// The first position in [begin, end) whose mark differs from `skipped`, or `end`.
std::size_t scan_marks(const Chunk& chunk, std::size_t begin, std::size_t end, bool skipped) {
  if (begin == end) return end;
  const std::uint64_t flip = skipped ? ~std::uint64_t{0} : 0;
  std::size_t word = begin / kWordBits;
  const std::size_t last = (end - 1) / kWordBits;
  std::uint64_t wanted = (chunk.marks[word] ^ flip) & ~std::uint64_t{0} << (begin % kWordBits);
  if (wanted == 0) {  // a packet's worth of marks at a time
    const auto any = [&](std::size_t i) { return chunk.marks[i] ^ flip; };
    while (word + 4 <= last && (any(word + 1) | any(word + 2) | any(word + 3) | any(word + 4)) == 0) word += 4;
  }
  while (wanted == 0 && word < last) wanted = chunk.marks[++word] ^ flip;
  return wanted == 0 ? end : std::min(end, word * kWordBits + static_cast<std::size_t>(std::countr_zero(wanted)));
}

}  // namespace

void ChunkedBuffer::write(std::uint64_t offset, Bytes data) {
  MPQUIC_DCHECK(offset >= begin_);
  while (!data.empty()) {
    const std::size_t run = run_in_cell(offset, data.size());
    std::byte* const out = chunk_for(offset).bytes.data() + within(offset);
    std::memcpy(out, data.data(), run);
    prefetch_after<1>(out + run, run, Chunk::kBytes - within(offset) - run);
    offset += run;
    data = data.subspan(run);
  }
}

Bytes ChunkedBuffer::piece(std::uint64_t offset, std::uint64_t end) const {
  if (offset >= end) return {};
  const Chunk* chunk = find_chunk(offset);
  MPQUIC_CHECK(chunk != nullptr);
  return Bytes(chunk->bytes).subspan(within(offset), run_in_cell(offset, end - offset));
}

void ChunkedBuffer::read(std::uint64_t offset, MutableBytes out) const {
  while (!out.empty()) {
    const Bytes run = piece(offset, offset + out.size());
    std::memcpy(out.data(), run.data(), run.size());
    prefetch_after<0>(run.data() + run.size(), run.size(), Chunk::kBytes - within(offset) - run.size());
    offset += run.size();
    out = out.subspan(run.size());
  }
}

void ChunkedBuffer::drop_below(std::uint64_t offset) {
  MPQUIC_DCHECK(offset >= begin_);
  begin_ = offset;
  const std::uint64_t cell = cell_of(offset);
  for (; first_cell_ < cell && !cells_.empty(); ++first_cell_) {
    if (auto chunk = cells_.pop_front()) pool_->give_back(std::move(chunk));
  }
  first_cell_ = cell;
}

void ChunkedBuffer::clear(std::uint64_t offset) {
  while (!cells_.empty()) {
    if (auto chunk = cells_.pop_front()) pool_->give_back(std::move(chunk));
  }
  begin_ = offset;
  first_cell_ = cell_of(offset);
  marked_end_ = 0;
}

void ChunkedBuffer::mark(std::uint64_t begin, std::uint64_t end) {
  marked_end_ = std::max(marked_end_, end);
  while (begin < end) {
    const std::size_t run = run_in_cell(begin, end - begin);
    set_marks(chunk_for(begin), within(begin), within(begin) + run);
    begin += run;
  }
}

std::uint64_t ChunkedBuffer::advance(std::uint64_t frontier, std::uint64_t begin, std::uint64_t end) {
  if (begin > frontier) {
    mark(begin, end);
    return frontier;
  }
  frontier = std::max(frontier, end);
  return frontier < marked_end_ ? first_unmarked(frontier, marked_end_) : frontier;
}

Chunk& ChunkedBuffer::chunk_for(std::uint64_t offset) {
  const std::size_t slot = static_cast<std::size_t>(cell_of(offset) - first_cell_);
  while (cells_.size() <= slot) cells_.push_back(nullptr);
  if (cells_[slot] == nullptr) cells_[slot] = pool_->take();
  return *cells_[slot];
}

const Chunk* ChunkedBuffer::find_chunk(std::uint64_t offset) const {
  const std::uint64_t slot = cell_of(offset) - first_cell_;
  return slot < cells_.size() ? cells_[static_cast<std::size_t>(slot)].get() : nullptr;
}

std::uint64_t ChunkedBuffer::scan(std::uint64_t from, std::uint64_t to, bool skipped) const {
  while (from < to) {
    const std::size_t run = run_in_cell(from, to - from);
    const Chunk* chunk = find_chunk(from);
    if (chunk == nullptr) {  // nothing was written here: all clear
      if (skipped) return from;
      from += run;
      continue;
    }
    const std::size_t found = scan_marks(*chunk, within(from), within(from) + run, skipped);
    if (found < within(from) + run) return from + (found - within(from));
    from += run;
  }
  return to;
}

}  // namespace mpquic
