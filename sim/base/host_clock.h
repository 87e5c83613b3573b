// The clock of one host. It runs as fast as the world's, but may jump. The core is promised a time that never goes back
// (PacketIo), so a backward jump makes the host's clock stand still until the world has caught up, as a host does that
// clamps its clock; a forward jump makes every timer in between due at once.
#pragma once

#include <algorithm>

#include "sim/base/event_queue.h"

namespace mpquic::sim {

class HostClock {
 public:
  explicit HostClock(const EventQueue& events) : events_(events) {}

  [[nodiscard]] Instant now() {
    last_ = std::max(last_, events_.now() + offset_);
    return last_;
  }
  void jump(Duration by) {
    last_ = now();
    offset_ += by;
  }
  /// When the world reaches `local` on this clock; not before the world's now.
  [[nodiscard]] Instant world_time(Instant local) {
    return local <= now() ? events_.now() : std::max(events_.now(), local - offset_);
  }

 private:
  const EventQueue& events_;
  Duration offset_{};
  Instant last_{};
};

}  // namespace mpquic::sim
