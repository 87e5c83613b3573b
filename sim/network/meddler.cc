#include "sim/network/meddler.h"

#include <algorithm>
#include <utility>

namespace mpquic::sim {

void Meddler::drop(std::size_t link, const Cull& cull) { links_[link].culls.push_back(cull); }

bool Meddler::is_culled(PerLink& state, const Packet& packet) {
  bool culled = false;
  for (Cull& cull : state.culls) {
    if (cull.acks && !packet.acks) continue;
    if (cull.nth > 1)
      --cull.nth;
    else
      culled |= cull.count-- > 0;
  }
  std::erase_if(state.culls, [](const Cull& cull) { return cull.count == 0; });
  return culled;
}

std::vector<Meddler::Held> Meddler::release(std::size_t link) {
  PerLink& state = links_[link];
  if (state.holds == 0 || --state.holds > 0) return {};
  std::vector<Held> held = std::exchange(state.held, {});
  std::ranges::reverse(held);
  return held;
}

Meddler::Verdict Meddler::judge(std::size_t link, const Packet& packet, const FourTuple& sender, Bytes bytes) {
  PerLink& state = links_[link];
  if (is_culled(state, packet)) return Verdict::drop;
  if (state.holds == 0) return Verdict::pass;
  state.held.push_back({.packet = packet, .sender = sender, .bytes = {bytes.begin(), bytes.end()}});
  return Verdict::hold;
}

}  // namespace mpquic::sim
