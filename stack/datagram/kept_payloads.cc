#include "stack/datagram/kept_payloads.h"

#include <utility>

#include "stack/base/check.h"

namespace mpquic {

void KeptPayloads::add(std::uint64_t sequence, Bytes payload, std::uint16_t copies) {
  MPQUIC_CHECK(has_room(payload.size()) && (entries_.empty() || entries_.back().sequence < sequence));
  if (entries_.size() == kMaxEntries) {
    static_cast<void>(entries_.pop_front());
    --released_;
  }
  entries_.push_back({.sequence = sequence,
                      .at = bytes_begin_ + bytes_.size(),
                      .length = static_cast<std::uint32_t>(payload.size()),
                      .waiting = copies,
                      .in_flight = 1});
  bytes_.push(payload);
}

std::size_t KeptPayloads::place_of(std::uint64_t sequence) const {
  std::size_t low = 0;
  for (std::size_t high = entries_.size(); low < high;) {
    const std::size_t middle = low + (high - low) / 2;
    if (entries_[middle].sequence < sequence)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const KeptPayloads::Entry* KeptPayloads::find(std::uint64_t sequence) const {
  const std::size_t place = place_of(sequence);
  return place < entries_.size() && entries_[place].sequence == sequence ? &entries_[place] : nullptr;
}

KeptPayloads::Entry* KeptPayloads::find(std::uint64_t sequence) {
  const std::size_t place = place_of(sequence);
  return place < entries_.size() && entries_[place].sequence == sequence ? &entries_[place] : nullptr;
}

const KeptPayloads::Entry* KeptPayloads::awaited(std::uint64_t sequence) const {
  const Entry* entry = find(sequence);
  return entry != nullptr && entry->waiting > 0 && !entry->acked ? entry : nullptr;
}

void KeptPayloads::copy_payload(const Entry& entry, MutableBytes out) const {
  MPQUIC_DCHECK(entry.waiting > 0 && entry.at >= bytes_begin_);
  bytes_.peek(out, static_cast<std::size_t>(entry.at - bytes_begin_));
}

void KeptPayloads::on_copy_sent(std::uint64_t sequence) {
  Entry* entry = find(sequence);
  MPQUIC_CHECK(entry != nullptr && entry->waiting > 0);
  --entry->waiting;
  ++entry->in_flight;
  release();
}

KeptPayloads::Fate KeptPayloads::on_copy_dropped(std::uint64_t sequence) {
  Entry* entry = find(sequence);
  MPQUIC_CHECK(entry != nullptr && entry->waiting > 0);
  --entry->waiting;
  return fate_after_loss(*entry);
}

KeptPayloads::Fate KeptPayloads::on_acked(std::uint64_t sequence) {
  Entry* entry = find(sequence);
  if (entry == nullptr || entry->in_flight == 0) return Fate::unknown;
  --entry->in_flight;
  const bool first = !std::exchange(entry->acked, true);
  release();
  return first ? Fate::settled : Fate::open;
}

KeptPayloads::Fate KeptPayloads::on_lost(std::uint64_t sequence) {
  Entry* entry = find(sequence);
  if (entry == nullptr || entry->in_flight == 0) return Fate::unknown;
  --entry->in_flight;
  return fate_after_loss(*entry);
}

KeptPayloads::Fate KeptPayloads::fate_after_loss(const Entry& entry) {
  const bool lost = !entry.acked && entry.in_flight == 0 && entry.waiting == 0;
  release();
  return lost ? Fate::settled : Fate::open;
}

void KeptPayloads::release() {
  while (released_ < entries_.size() && entries_[released_].waiting == 0) {
    const std::size_t length = entries_[released_++].length;
    bytes_.drop(length);
    bytes_begin_ += length;
  }
  while (released_ > 0 && entries_.front().in_flight == 0) {
    static_cast<void>(entries_.pop_front());
    --released_;
  }
}

void KeptPayloads::trim() {
  entries_.trim();
  bytes_.trim();
}

}  // namespace mpquic
