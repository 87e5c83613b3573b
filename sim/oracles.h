// What the best possible transport could have done, to read results against. Pure functions of the scenario.
//
// A path that is up during [a, b) with payload capacity C and one-way delay D delivers, by time T,
//   C * clamp(T - D - a, 0, b - a)
// and a timeline of rates, delays and outages is a sum of such pieces. The bound for bulk data that is released at r is
// the earliest T at which all links in use together have delivered, from what departed at r or later, all bytes that
// were released at r or later; over all r, and both directions, the latest one. Nobody can be earlier: handshake, loss,
// congestion control, headers of streams and what an outage destroys on the wire are all left out, as are outages that
// come by themselves, cross traffic and policers. Where a rate or a delay follows a trace or a process, or links share
// a bottleneck, there is no bound; the sums then count what traces and processes bring on average (their mean or
// median), and each bottleneck once.
#pragma once

#include <optional>
#include <string>

#include "sim/scenario.h"

namespace mpquic::sim {

struct Oracles {
  /// Payload, in the direction of Scenario::main_direction(), before anything happens. Zero: nobody knows, as where
  /// paths begin with a radio of ns-3.
  double sum_of_links_mbps = 0;
  double best_link_mbps = 0;
  std::optional<double> completion_bound_s;   // bulk workloads, over all links; absent: none, or never
  std::optional<double> single_path_bound_s;  // the same over the path that is best at it
  std::string single_path;
  std::string unbounded;  // why bulk data has no bounds, if links are to blame
};

[[nodiscard]] Oracles oracles_of(const Scenario& scenario);

}  // namespace mpquic::sim
