#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/interval_set.h"
#include "stack/stream/chunked_buffer.h"

namespace mpquic {

/// What a stream has to deliver: acknowledged below acked_end(), then a mixture of acknowledged, lost and in flight up
/// to sent_end(), then unsent up to end(). Lost and acknowledged ranges are disjoint.
class SendBuffer {
 public:
  explicit SendBuffer(ChunkPool& pool) : buffer_(pool) {}

  void reset();
  void append(Bytes data);
  void copy_out(std::uint64_t offset, MutableBytes out) const { buffer_.read(offset, out); }
  /// [offset, offset + length) goes out: for the first time, or again. Returns how many bytes were new.
  std::uint64_t on_written(std::uint64_t offset, std::uint64_t length);
  void on_acked(std::uint64_t offset, std::uint64_t length);
  /// Only what is not acknowledged counts as lost.
  void on_lost(std::uint64_t offset, std::uint64_t length);

  [[nodiscard]] std::uint64_t acked_end() const { return acked_end_; }
  [[nodiscard]] std::uint64_t sent_end() const { return sent_end_; }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::uint64_t held() const { return end_ - acked_end_; }
  [[nodiscard]] std::uint64_t unsent() const { return end_ - sent_end_; }
  [[nodiscard]] bool has_lost() const { return !lost_.empty(); }
  /// The lowest lost range. Requires has_lost().
  [[nodiscard]] Interval lowest_lost() const { return lost_.intervals().front(); }
  /// The first unacknowledged byte of the range, which was sent; its end if there is none.
  [[nodiscard]] std::uint64_t first_outstanding(std::uint64_t offset, std::uint64_t length) const;

 private:
  ChunkedBuffer buffer_;
  IntervalSet lost_;
  std::uint64_t acked_end_ = 0;
  std::uint64_t sent_end_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace mpquic
