#include "sim/meddler.h"

#include <algorithm>
#include <utility>

namespace mpquic::sim {

void Meddler::drop(std::size_t link, std::uint64_t nth, std::uint64_t count) {
  links_[link].culls.push_back({.first = links_[link].seen + nth - 1, .count = count});
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
  const std::uint64_t ordinal = state.seen++;
  for (const Cull& cull : state.culls)
    if (ordinal >= cull.first && ordinal - cull.first < cull.count) return Verdict::drop;
  if (state.holds == 0) return Verdict::pass;
  state.held.push_back({.packet = packet, .sender = sender, .bytes = {bytes.begin(), bytes.end()}});
  return Verdict::hold;
}

}  // namespace mpquic::sim
