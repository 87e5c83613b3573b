#include "stack/stream/send_buffer.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic {

void SendBuffer::reset() {
  buffer_.clear(0);
  lost_.clear();
  acked_end_ = 0;
  sent_end_ = 0;
  end_ = 0;
}

void SendBuffer::append(Bytes data) {
  buffer_.write(end_, data);
  end_ += data.size();
}

std::uint64_t SendBuffer::on_written(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t end = offset + length;
  MPQUIC_DCHECK(end <= end_);
  if (offset < sent_end_) lost_.erase(offset, end);
  const std::uint64_t added = end > sent_end_ ? end - sent_end_ : 0;
  sent_end_ += added;
  return added;
}

void SendBuffer::on_acked(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t begin = std::max(offset, acked_end_);
  const std::uint64_t end = offset + length;
  MPQUIC_DCHECK(end <= sent_end_);
  if (begin >= end) return;
  if (!lost_.empty()) lost_.erase(begin, end);
  acked_end_ = buffer_.advance(acked_end_, begin, end);
  if (acked_end_ == end_) {
    buffer_.clear(end_);
  } else {
    buffer_.drop_below(acked_end_);
  }
}

void SendBuffer::on_lost(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t end = offset + length;
  MPQUIC_DCHECK(end <= sent_end_);
  for (std::uint64_t at = buffer_.first_unmarked(std::max(offset, acked_end_), end); at < end;) {
    const std::uint64_t run_end = buffer_.first_marked(at, end);
    lost_.insert(at, run_end);
    at = buffer_.first_unmarked(run_end, end);
  }
}

std::uint64_t SendBuffer::first_outstanding(std::uint64_t offset, std::uint64_t length) const {
  const std::uint64_t end = offset + length;
  const std::uint64_t begin = std::max(offset, acked_end_);
  return begin < end ? buffer_.first_unmarked(begin, end) : end;
}

}  // namespace mpquic
