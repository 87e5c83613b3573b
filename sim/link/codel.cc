#include "sim/link/codel.h"

#include <cmath>

namespace mpquic::sim {
namespace {

struct FifoSource {
  PacketFifo& fifo;
  [[nodiscard]] std::optional<LinkPacket> pop() const {
    if (fifo.empty()) return std::nullopt;
    return fifo.pop();
  }
  [[nodiscard]] std::uint64_t bytes() const { return fifo.bytes(); }
};

}  // namespace

Instant Codel::control_law(Instant at) const {
  // Division and square root are correctly rounded (IEEE 754), so every build drops at the same nanosecond.
  const double spacing = static_cast<double>(interval_.count()) / std::sqrt(static_cast<double>(count_));
  return at + Duration(static_cast<std::int64_t>(spacing));
}

bool Codel::drop_or_mark(LinkPacket& packet, DropSink& drops) const {
  if (ecn_ && packet.ecn != Ecn::not_ect) {
    packet.marked = true;
    return false;
  }
  drops.drop(packet, LinkDrop::aqm);
  return true;
}

void CodelQueue::enqueue(const LinkPacket& packet, Instant /*now*/, DropSink& drops) {
  if (!limits_.has_room(fifo_, packet.bytes)) return drops.drop(packet, LinkDrop::queue_full);
  fifo_.push(packet);
}

std::optional<LinkPacket> CodelQueue::dequeue(Instant now, DropSink& drops) {
  FifoSource source{fifo_};
  return codel_.dequeue(source, now, drops);
}

}  // namespace mpquic::sim
