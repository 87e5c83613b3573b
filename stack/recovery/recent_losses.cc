#include "stack/recovery/recent_losses.h"

#include "stack/base/check.h"

namespace mpquic {

void RecentLosses::add(PacketNumber number, LossTrigger trigger, Instant now) {
  MPQUIC_DCHECK(entries_.empty() || entries_.back().number < number);
  if (pending_ == 0) clear();
  if (entries_.size() == kMaxRemembered) {
    if (!entries_.pop_front().spurious) {
      --pending_;
      any_real_ = true;
    }
  }
  entries_.push_back(Entry{number, now, trigger});
  ++pending_;
}

void RecentLosses::expire(Instant horizon) {
  while (!entries_.empty() && entries_.front().declared < horizon) {
    if (!entries_.pop_front().spurious) {
      --pending_;
      any_real_ = true;
    }
  }
}

bool RecentLosses::take_all_spurious() {
  if (entries_.empty() || pending_ > 0) return false;
  const bool all = !any_real_;
  clear();
  return all;
}

void RecentLosses::clear() {
  entries_.clear();
  pending_ = 0;
  any_real_ = false;
}

}  // namespace mpquic
