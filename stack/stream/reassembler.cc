#include "stack/stream/reassembler.h"

#include <algorithm>

namespace mpquic {

void Reassembler::reset() {
  buffer_.clear(0);
  contiguous_end_ = 0;
}

void Reassembler::insert(std::uint64_t offset, Bytes data) {
  const std::uint64_t end = offset + data.size();
  if (data.empty() || end <= contiguous_end_) return;
  if (offset < contiguous_end_) {
    data = data.subspan(static_cast<std::size_t>(contiguous_end_ - offset));
    offset = contiguous_end_;
  }
  if (std::max(offset, contiguous_end_) >= buffer_.marked_end()) {  // nothing ahead, the usual case
    buffer_.write(offset, data);
  } else {
    insert_absent(offset, data);
  }
  contiguous_end_ = buffer_.advance(contiguous_end_, offset, end);
}

void Reassembler::insert_absent(std::uint64_t offset, Bytes data) {
  const std::uint64_t end = offset + data.size();
  for (std::uint64_t at = buffer_.first_unmarked(offset, end); at < end;) {
    const std::uint64_t hole_end = buffer_.first_marked(at, end);
    buffer_.write(at, data.subspan(static_cast<std::size_t>(at - offset), static_cast<std::size_t>(hole_end - at)));
    at = buffer_.first_unmarked(hole_end, end);
  }
}

std::size_t Reassembler::pop(std::size_t count) {
  const std::uint64_t held = contiguous_end_ - buffer_.begin();
  count = static_cast<std::size_t>(std::min<std::uint64_t>(held, count));
  const std::uint64_t next = buffer_.begin() + count;
  if (next == contiguous_end_ && buffer_.marked_end() <= next) {
    buffer_.clear(next);
  } else {
    buffer_.drop_below(next);
  }
  return count;
}

}  // namespace mpquic
