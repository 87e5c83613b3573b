// A token bucket in units of time: instead of counting tokens, it remembers when it will be full again (the generic
// cell rate algorithm). A packet costs the time that its bytes take at the bucket's rate.
#pragma once

#include <algorithm>

#include "stack/base/bandwidth.h"

namespace mpquic::sim {

class TokenBucket {
 public:
  /// Starts full. Packets larger than `burst` never pass.
  TokenBucket(Bandwidth rate, ByteCount burst) : rate_(rate), depth_(rate.transfer_time(burst)) {}
  /// Takes the tokens if they are there.
  [[nodiscard]] bool take(std::uint32_t bytes, Instant now) {
    if (ready_at(bytes, now) > now) return false;
    spend(bytes, now);
    return true;
  }
  /// When a packet may pass, not before `now`.
  [[nodiscard]] Instant ready_at(std::uint32_t bytes, Instant now) const {
    return std::max(now, full_at_ + rate_.transfer_time(ByteCount(bytes)) - depth_);
  }
  void spend(std::uint32_t bytes, Instant at) {
    full_at_ = std::max(full_at_, at) + rate_.transfer_time(ByteCount(bytes));
  }
  [[nodiscard]] Duration depth() const { return depth_; }

 private:
  Bandwidth rate_;
  Duration depth_;
  Instant full_at_{};
};

}  // namespace mpquic::sim
