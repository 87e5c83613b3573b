#include "sim/scenario.h"

#include <algorithm>

namespace mpquic::sim {

std::string_view name_of(Crypto crypto) { return crypto == Crypto::real ? "real" : "null"; }

std::string_view name_of(Action action) {
  switch (action) {
    case Action::link_down: return "link_down";
    case Action::silent_death: return "silent_death";
    case Action::link_up: return "link_up";
    case Action::set_rate: return "set_rate";
    case Action::set_delay: return "set_delay";
    case Action::set_loss: return "set_loss";
    case Action::nat_rebind: return "nat_rebind";
    case Action::abandon_path: return "abandon_path";
    case Action::migrate_path: return "migrate_path";
    case Action::path_status: return "path_status";
  }
  return "unknown";
}

std::size_t Scenario::first_path() const {
  if (endpoints.first_path) return *endpoints.first_path;
  const auto first = std::ranges::find(paths, true, &PathSpec::used);
  return first == paths.end() ? 0 : static_cast<std::size_t>(first - paths.begin());
}

Direction Scenario::main_direction() const {
  for (const WorkloadSpec& workload : workloads) {
    if (workload.kind != WorkloadKind::requests) return workload.direction;
    if (workload.request_bytes != workload.response_bytes)
      return workload.request_bytes > workload.response_bytes ? Direction::up : Direction::down;
  }
  return Direction::up;
}

double payload_capacity_mbps(const LinkConfig& link, const ConnectionConfig& connection) {
  constexpr std::size_t kQuicOverhead = 1 + 8 + 2 + 16;
  const std::size_t datagram = std::min(link.mtu - kIpUdpOverhead, connection.max_datagram_size);
  const double rate = static_cast<double>(link.rate.bits_per_second()) / 1e6;
  return rate * static_cast<double>(datagram - kQuicOverhead) / static_cast<double>(datagram + kIpUdpOverhead);
}

}  // namespace mpquic::sim
