// What the best possible transport could have done, to read results against. Pure functions of the scenario.
//
// By time T, a link delivers what departed T - D ago or earlier at the rates that it had since, D being its shortest
// delay (sim/checks/capacity_timeline.h); links behind one bottleneck together no more than that. The bound for bulk
// data that is released at r is the earliest T at which all links in use have delivered, from what departed at r or
// later, all bytes that were released at r or later; over all r, and both directions, the latest one. Nobody can be
// earlier: handshake, loss, congestion control, headers of streams and what an outage destroys on the wire are all left
// out, as are outages that come by themselves, cross traffic and policers. Rates of traces and processes are those of
// the run itself; the sums count what they bring on average (their mean or median), and each bottleneck once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/scenario/scenario.h"

namespace mpquic::sim {

struct Oracles {
  /// Payload, in the direction of Scenario::main_direction(), before anything happens. Zero: nobody knows, as where
  /// paths begin with a radio of ns-3.
  double sum_of_links_mbps = 0;
  double best_link_mbps = 0;
  std::optional<double> completion_bound_s;   // bulk workloads, over all links; absent: none, or never
  std::optional<double> single_path_bound_s;  // the same over the path that is best at it
  std::string single_path;
  std::string unbounded;  // why bulk data has no bounds, if nobody can say what is carried
};

[[nodiscard]] Oracles oracles_of(const Scenario& scenario, std::uint64_t seed);

}  // namespace mpquic::sim
