// Packets lately declared lost, kept for a while so that a late acknowledgement shows the loss to have been spurious.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ranges>

#include "stack/base/ids.h"
#include "stack/base/ring_buffer.h"
#include "stack/base/time.h"
#include "stack/recovery/loss.h"

namespace mpquic {

/// Packet numbers come in ascending order, because loss detection works from the oldest packet up.
class RecentLosses {
 public:
  static constexpr std::size_t kMaxRemembered = 256;
  /// A loss that nobody acknowledged for this many PTOs was real.
  static constexpr int kMemoryPtos = 3;

  struct Entry {
    PacketNumber number;
    Instant declared;
    LossTrigger trigger = LossTrigger::packet_threshold;
    bool spurious = false;
  };

  void add(PacketNumber number, LossTrigger trigger, Instant now);
  /// Forgets losses declared before `horizon`: they were real.
  void expire(Instant horizon);
  /// Calls fn(const Entry&) for every remembered loss within [first, last], and forgets it.
  template <class Fn>
  void on_acked(std::uint64_t first, std::uint64_t last, Fn&& fn) {
    // Ranges are mostly newer than all losses. Others are looked up: an ACK may have hundreds of them.
    if (entries_.empty() || entries_.back().number.value() < first) return;
    const auto is_below = [&](std::size_t i) { return entries_[i].number.value() < first; };
    std::size_t i = *std::ranges::partition_point(std::views::iota(std::size_t{0}, entries_.size()), is_below);
    for (; i < entries_.size() && entries_[i].number.value() <= last; ++i) {
      Entry& entry = entries_[i];
      if (entry.spurious) continue;
      entry.spurious = true;
      --pending_;
      fn(static_cast<const Entry&>(entry));
    }
  }
  /// Whether every loss since this was last true was acknowledged after all, and there was one. Asking resets it.
  [[nodiscard]] bool take_all_spurious();
  [[nodiscard]] bool empty() const { return pending_ == 0; }
  void clear();

 private:
  RingBuffer<Entry> entries_;
  std::size_t pending_ = 0;  // entries that are not spurious
  bool any_real_ = false;
};

}  // namespace mpquic
