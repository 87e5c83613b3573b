// What a link knows of a packet, and what it may ask of whoever holds the bytes. Hosts differ in that: the simulator
// has a pool, ns-3 its own packets, an emulator a ring of buffers.
#pragma once

#include <cstdint>
#include <string_view>

#include "stack/base/ids.h"
#include "stack/base/strong.h"
#include "stack/base/time.h"

namespace mpquic::sim {

/// The host's name for a packet.
using PacketRef = Strong<struct PacketRefTag, std::uint32_t>;
using LinkId = Strong<struct LinkIdTag, std::uint32_t>;

struct LinkPacket {
  PacketRef ref;
  std::uint32_t bytes = 0;  // on the wire, IP header included
  std::uint32_t flow = 0;   // packets of one 5-tuple share it; FQ-CoDel hashes it
  Ecn ecn = Ecn::not_ect;
  // --- The link's own
  bool marked = false;     // by the queue's discipline
  std::uint16_t port = 0;  // where it came into the bottleneck
  Instant queued_at{};
};

enum class LinkDrop : std::uint8_t {
  queue_full,
  loss,     // on the line
  too_big,  // for the MTU
  down,     // an outage, or the interface is gone
  aqm,      // CoDel, FQ-CoDel or PIE
  policed,
  ect,  // the network drops packets that are marked for ECN
  count_
};
inline constexpr std::size_t kLinkDropCount = static_cast<std::size_t>(LinkDrop::count_);
[[nodiscard]] std::string_view name_of(LinkDrop reason);

/// Holds the bytes of the packets. Whatever `random` decides is a function of its value alone.
class PacketStore {
 public:
  PacketStore() = default;
  PacketStore(const PacketStore&) = delete;
  PacketStore& operator=(const PacketStore&) = delete;
  virtual ~PacketStore() = default;
  /// Another packet with the same content.
  [[nodiscard]] virtual PacketRef clone(PacketRef ref) = 0;
  virtual void set_ecn(PacketRef ref, Ecn ecn) = 0;
  /// Flips the bit of the payload that `random` chooses.
  virtual void flip_bit(PacketRef ref, std::uint64_t random) = 0;
  /// Cuts the payload to the length that `random` chooses, at least one byte shorter. Gives the new size on the wire.
  [[nodiscard]] virtual std::uint32_t truncate(PacketRef ref, std::uint64_t random) = 0;
  /// The packet, of so many bytes on the wire, will be the next to arrive: a hint to bring it near to the processor.
  virtual void prefetch(PacketRef /*ref*/, std::uint32_t /*bytes*/) const {}
};

/// Later than every event: what has no deadline. A plain value, because links compare deadlines for every packet.
inline constexpr Instant kNever = Instant::max();

}  // namespace mpquic::sim
