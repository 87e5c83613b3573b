// The seam for another simulator's network (sim/ns3) between the hosts of a World and its links:
//
//   host -> World::send -> on_sent ... World::enter_link -> Link -> on_link_exit ... World::deliver -> host
//
// The carrier brings each packet from one call to the next, or loses it; it may leave the World's link out. The World
// stays the master of the clock, and the carrier lives through the time between two of its events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "sim/network/packet_pool.h"

namespace mpquic::sim {

class World;

class Carrier {
 public:
  Carrier() = default;
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;
  virtual ~Carrier() = default;

  /// Before the first packet. The world is at time 0 and outlives the carrier's last call.
  virtual void attach(World& world) = 0;
  /// A host has sent; `link` is LinkEnd::index().
  virtual void on_sent(std::size_t link, const Packet& packet, Bytes bytes) = 0;
  /// The packet has crossed the World's link, which may have changed it.
  virtual void on_link_exit(std::size_t link, const Packet& packet, Bytes bytes) = 0;
  /// The World's link has dropped it.
  virtual void on_link_drop(const Packet& packet) = 0;
  /// Lives until `limit`, or until something wants the World: then it gives that time, and is called at on_due().
  [[nodiscard]] virtual std::optional<Instant> run_until(Instant limit) = 0;
  virtual void on_due() = 0;

  /// Datagrams that devices dropped which the World does not see, both directions.
  [[nodiscard]] virtual std::uint64_t drops(std::size_t path) const = 0;
  /// Payload that TCP flows beside ours have delivered since the World's beginning; absent: there are none.
  [[nodiscard]] virtual std::optional<std::uint64_t> tcp_bytes() const = 0;
};

}  // namespace mpquic::sim
