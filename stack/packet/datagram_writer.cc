#include "stack/packet/datagram_writer.h"

#include <algorithm>
#include <cstring>

#include "stack/base/check.h"
#include "stack/crypto/header_protection.h"

namespace mpquic {

bool DatagramWriter::begin_datagram(std::size_t max_size, std::size_t min_size) {
  const bool open_is_empty = size_ == datagram_begin_;
  std::size_t segment = segment_size_;
  if (!open_is_empty) {
    if (segment == 0) segment = size_;
    if (datagram_size() < segment) return false;
  }
  const std::size_t count = full_datagrams_ + (open_is_empty ? 0 : 1);
  const std::size_t limit = segment == 0 ? max_size : std::min(segment, max_size);
  if (count == kMaxDatagrams || limit < min_size || limit == 0 || buffer_.size() - size_ < limit) return false;
  full_datagrams_ = count;
  segment_size_ = segment;
  datagram_begin_ = size_;
  datagram_end_ = size_ + limit;
  return true;
}

void DatagramWriter::commit(EncryptionLevel level, std::size_t size, std::size_t packet_number_offset) {
  MPQUIC_CHECK(can_commit() && size <= datagram_end_ - size_);
  pending_[pending_count_++] = {level, static_cast<std::uint32_t>(size_), static_cast<std::uint32_t>(size),
                                static_cast<std::uint32_t>(packet_number_offset)};
  size_ += size;
}

void DatagramWriter::flush(KeyRing& keys) {
  std::span<const PendingProtection> rest = std::span(pending_).first(pending_count_);
  while (!rest.empty()) {
    const auto same_level = [&](const PendingProtection& packet) { return packet.level == rest.front().level; };
    const auto run = static_cast<std::size_t>(std::ranges::find_if_not(rest, same_level) - rest.begin());
    const std::size_t batch = std::min(run, kMaxMaskBatch);
    protect(keys, rest.first(batch));
    rest = rest.subspan(batch);
  }
  pending_count_ = 0;
  datagram_end_ = size_;
}

void DatagramWriter::protect(KeyRing& keys, std::span<const PendingProtection> packets) {
  std::array<HeaderSample, kMaxMaskBatch> samples;
  std::array<HeaderMask, kMaxMaskBatch> masks;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const std::size_t sample = packets[i].offset + packets[i].packet_number_offset + kHeaderProtectionSampleOffset;
    std::memcpy(samples[i].data(), buffer_.data() + sample, samples[i].size());
  }
  keys.write_masks(packets.front().level, std::span(samples).first(packets.size()),
                   std::span(masks).first(packets.size()));
  for (std::size_t i = 0; i < packets.size(); ++i)
    apply_header_mask(masks[i], buffer_.subspan(packets[i].offset, packets[i].size), packets[i].packet_number_offset);
}

}  // namespace mpquic
