// What the shrinker tries: other cases with fewer paths or events, and the same ones with other figures. Pure
// functions, which stay within what a seed may draw (draw.cc): a fault that the first path must not have does not get
// there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sim/swarm/case.h"

namespace mpquic::sim::swarm {

[[nodiscard]] bool is_heal(const Fields& event);

/// Without the path, which is not the first one: its events go with it, or happen on one of the others instead.
[[nodiscard]] std::vector<Case> without_path(const Case& whole, std::size_t path);

/// The path with nothing but its rate and its round trip.
[[nodiscard]] Case with_plain_path(const Case& whole, std::size_t path);

/// Its links have rates of their own: those of their paths, or that of the bottleneck.
[[nodiscard]] std::vector<Case> without_bottleneck(const Case& whole, std::size_t bottleneck);

/// Where the event only changes a figure of a link: the link has it from the start. Else nothing.
[[nodiscard]] std::vector<Case> without_change(const Case& whole, std::size_t event);

/// Number `attempt` of the variations of a case: another seed for everything random in the run; and, in all but the
/// first few, other rates, round trips, losses, sizes and times.
[[nodiscard]] Case shaken(const Case& calm, std::size_t attempt);

/// "12kB" times 3/2 is "18kB", within `least` and `most` of the same unit. As it was if it is no such figure.
struct Scale {
  std::uint64_t times = 1;
  std::uint64_t over = 1;
  std::uint64_t least = 1;
  std::uint64_t most = UINT64_MAX;
};
[[nodiscard]] std::string scaled(std::string_view figure, const Scale& scale);

}  // namespace mpquic::sim::swarm
