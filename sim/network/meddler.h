// Faults that name their victims: the n-th datagram from now on is dropped, or a burst is held back and released in
// reverse order. Between a host and its link, so that links stay what they are.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/network/packet_pool.h"
#include "stack/base/bytes.h"

namespace mpquic::sim {

class Meddler {
 public:
  struct Held {
    Packet packet;
    FourTuple sender;  // as the sender sees it
    std::vector<std::byte> bytes;
  };
  enum class Verdict : std::uint8_t { pass, drop, hold };

  explicit Meddler(std::size_t links) : links_(links) {}

  /// From the `nth` on, `count` of those datagrams that come from now on.
  struct Cull {
    std::uint64_t nth = 1;
    std::uint64_t count = 1;
    bool acks = false;  // only those that carry acknowledgements count, and are dropped
  };
  void drop(std::size_t link, const Cull& cull);
  /// Holds back what comes to `link`, until as many calls of release() as of this one.
  void hold(std::size_t link) { ++links_[link].holds; }
  /// What was held, in reverse order.
  [[nodiscard]] std::vector<Held> release(std::size_t link);
  /// Forgets drops that are yet to come.
  void heal(std::size_t link) { links_[link].culls.clear(); }

  /// What becomes of a datagram that a host puts on `link`. On `hold` it was taken.
  [[nodiscard]] Verdict judge(std::size_t link, const Packet& packet, const FourTuple& sender, Bytes bytes);

 private:
  struct PerLink {
    std::vector<Cull> culls;  // `nth` counts down, then `count`
    std::uint32_t holds = 0;
    std::vector<Held> held;
  };
  /// Counts the datagram.
  [[nodiscard]] static bool is_culled(PerLink& state, const Packet& packet);
  std::vector<PerLink> links_;
};

}  // namespace mpquic::sim
