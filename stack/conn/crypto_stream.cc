#include "stack/conn/crypto_stream.h"

#include <algorithm>

namespace mpquic {

void CryptoStream::push(Bytes data) { out_.insert(out_.end(), data.begin(), data.end()); }

Interest CryptoStream::interest() const {
  if (!lost_.empty()) return Interest::lost_data;
  return out_next_ < out_base_ + out_.size() ? Interest::new_data : Interest::none;
}

void CryptoStream::write_range(FrameWriter& writer, std::uint64_t& offset, std::uint64_t end) {
  while (offset < end) {
    const auto room = writer.write_crypto(offset, static_cast<std::size_t>(end - offset));
    if (!room || room->empty()) return;
    const auto from = out_.begin() + static_cast<std::ptrdiff_t>(offset - out_base_);
    std::copy_n(from, room->size(), room->begin());
    offset += room->size();
  }
}

void CryptoStream::write_frames(FrameWriter& writer) {
  while (!lost_.empty()) {
    const Interval range = lost_.intervals().front();
    std::uint64_t offset = range.begin;
    write_range(writer, offset, range.end);
    lost_.erase(range.begin, offset);
    if (offset < range.end) return;
  }
  write_range(writer, out_next_, out_base_ + out_.size());
}

void CryptoStream::on_acked(const CryptoToken& token) {
  if (token.offset + token.length > out_next_) return;  // discarded meanwhile
  acked_.insert(token.offset, token.offset + token.length);
  lost_.erase(token.offset, token.offset + token.length);
  // Keep bytes only from the first gap on.
  if (acked_.empty() || acked_.intervals().front().begin > out_base_) return;
  const std::uint64_t done = acked_.intervals().front().end;
  if (done <= out_base_) return;
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(done - out_base_));
  out_base_ = done;
  if (out_.empty()) out_.shrink_to_fit();
}

void CryptoStream::on_lost(const CryptoToken& token) {
  if (token.offset + token.length > out_next_) return;  // discarded meanwhile
  lost_.insert(token.offset, token.offset + token.length);
  for (const Interval& range : acked_.intervals()) lost_.erase(range.begin, range.end);
}

void CryptoStream::resend_unacked() {
  if (out_next_ == out_base_) return;
  lost_.insert(out_base_, out_next_);
  for (const Interval& range : acked_.intervals()) lost_.erase(range.begin, range.end);
}

Result<void> CryptoStream::on_frame(const CryptoFrame& frame) {
  const std::uint64_t end = frame.offset + frame.data.size();
  if (end <= in_base_) return {};
  if (end - in_base_ > kMaxCryptoBuffer)
    return fail(error::kCryptoBufferExceeded, "CRYPTO data too far ahead", frame_type::kCrypto);
  const std::uint64_t begin = std::max(frame.offset, in_base_);
  if (in_.size() < end - in_begin_) in_.resize(end - in_begin_);
  const Bytes fresh = frame.data.subspan(static_cast<std::size_t>(begin - frame.offset));
  std::copy(fresh.begin(), fresh.end(), in_.begin() + static_cast<std::ptrdiff_t>(begin - in_begin_));
  present_.insert(begin, end);
  if (present_.interval_count() > kMaxCryptoRanges)
    return fail(error::kCryptoBufferExceeded, "CRYPTO data in too many pieces", frame_type::kCrypto);
  return {};
}

Bytes CryptoStream::readable() const {
  if (present_.empty() || present_.intervals().front().begin > in_base_) return {};
  const std::uint64_t end = present_.intervals().front().end;
  return Bytes(in_).subspan(static_cast<std::size_t>(in_base_ - in_begin_), static_cast<std::size_t>(end - in_base_));
}

void CryptoStream::consume(std::size_t n) {
  in_base_ += n;
  present_.erase_below(in_base_);
  // Bytes move only once at least as many are gone, so that many small frames cost no more than a large one.
  const std::uint64_t gone = in_base_ - in_begin_;
  if (gone < in_.size() - gone) return;
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(gone));
  in_begin_ = in_base_;
  if (in_.empty()) in_.shrink_to_fit();
}

void CryptoStream::discard() { *this = CryptoStream{}; }

}  // namespace mpquic
