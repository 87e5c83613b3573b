// What waits to be sent a second time, by the path that it is to be sent on. A copy leaves when its path has room for
// it, or is given up; only new data of that path may have to wait for it.
#pragma once

#include <cstddef>
#include <vector>

#include "stack/base/ids.h"
#include "stack/base/ring_buffer.h"
#include "stack/base/time.h"
#include "stack/wire/delivery_token.h"

namespace mpquic {

struct Copy {
  DeliveryToken token;  // of stream data or of a datagram
  PathId original;      // where it went first
  Instant give_up;
};

class CopyLanes {
 public:
  /// Copies that may wait for one path.
  static constexpr std::size_t kMaxWaiting = 1024;

  /// False: too many wait for that path.
  [[nodiscard]] bool push(PathId onto, const Copy& copy);
  /// Whose turn it is on a path; nullptr: nothing waits.
  [[nodiscard]] Copy* front(PathId onto);
  Copy pop(PathId onto);
  /// No copy will go there any more. Requires that nothing waits.
  void erase(PathId onto);
  [[nodiscard]] bool empty() const { return waiting_ == 0; }
  /// Gives spare memory back; for connections that went quiet.
  void trim() {
    for (Lane& lane : lanes_) lane.copies.trim();
  }

 private:
  struct Lane {
    PathId path;
    RingBuffer<Copy> copies;
  };
  [[nodiscard]] Lane* find(PathId path);

  std::vector<Lane> lanes_;  // ascending
  std::size_t waiting_ = 0;
};

}  // namespace mpquic
