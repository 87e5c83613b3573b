#include "sim/scenario/scenario.h"

#include <algorithm>

namespace mpquic::sim {

std::string_view name_of(Crypto crypto) { return crypto == Crypto::real ? "real" : "null"; }

std::string_view name_of(EngineKind engine) { return engine == EngineKind::mpquic ? "mpquic" : "ngtcp2"; }

std::string_view name_of(Baseline baseline) {
  switch (baseline) {
    case Baseline::none: return "none";
    case Baseline::one_path: return "one_path";
    case Baseline::best_path: return "best_path";
    case Baseline::per_path: return "per_path";
  }
  return "unknown";
}

std::string_view name_of(InjectedBug bug) {
  switch (bug) {
    case InjectedBug::none: return "none";
    case InjectedBug::free_unacked: return "free-unacked";
    case InjectedBug::nonce_without_path: return "nonce-without-path";
    case InjectedBug::timer_on_send: return "timer-on-send";
  }
  return "unknown";
}

std::string_view name_of(Action action) {
  switch (action) {
    case Action::link_down: return "link_down";
    case Action::silent_death: return "silent_death";
    case Action::hold: return "hold";
    case Action::link_up: return "link_up";
    case Action::set_rate: return "set_rate";
    case Action::set_delay: return "set_delay";
    case Action::set_loss: return "set_loss";
    case Action::set_mtu: return "set_mtu";
    case Action::nat_rebind: return "nat_rebind";
    case Action::abandon_path: return "abandon_path";
    case Action::migrate_path: return "migrate_path";
    case Action::path_status: return "path_status";
    case Action::address_change: return "address_change";
    case Action::socket_error: return "socket_error";
    case Action::clock_jump: return "clock_jump";
    case Action::peer_restart: return "peer_restart";
    case Action::key_update: return "key_update";
    case Action::close: return "close";
    case Action::open_path: return "open_path";
    case Action::drop_datagrams: return "drop_datagrams";
    case Action::reorder_burst: return "reorder_burst";
    case Action::reset_stream: return "reset_stream";
    case Action::stop_sending: return "stop_sending";
    case Action::heal: return "heal";
  }
  return "unknown";
}

std::string_view name_of(SocketError error) {
  switch (error) {
    case SocketError::too_big: return "too_big";
    case SocketError::unreachable: return "unreachable";
    case SocketError::refused: return "refused";
    case SocketError::would_block: return "would_block";
    case SocketError::no_buffers: return "no_buffers";
  }
  return "unknown";
}

std::string_view name_of(Compound compound) {
  switch (compound) {
    case Compound::none: return "none";
    case Compound::outage: return "outage";
    case Compound::flap: return "flap";
    case Compound::handover: return "handover";
  }
  return "unknown";
}

std::string_view name_of(PathMeasure measure) {
  switch (measure) {
    case PathMeasure::lost: return "lost";
    case PathMeasure::spurious: return "spurious";
    case PathMeasure::retransmitted: return "retransmitted";
    case PathMeasure::duplicated: return "duplicated";
    case PathMeasure::probes: return "probes";
    case PathMeasure::datagram_size: return "datagram_size";
    case PathMeasure::link_drops: return "link_drops";
    case PathMeasure::link_repeats: return "link_repeats";
    case PathMeasure::link_corrupted: return "link_corrupted";
    case PathMeasure::link_marks: return "link_marks";
  }
  return "unknown";
}

bool is_size(PathMeasure measure) {
  return measure == PathMeasure::retransmitted || measure == PathMeasure::duplicated ||
         measure == PathMeasure::datagram_size;
}

bool gives_up_stream(Action action) { return action == Action::reset_stream || action == Action::stop_sending; }

bool is_about_host(Action action) {
  return action == Action::clock_jump || action == Action::peer_restart || action == Action::key_update ||
         action == Action::close || gives_up_stream(action);
}

bool EndpointsSpec::multipath() const {
  return client.connection.multipath && server.connection.multipath && !any(EngineKind::ngtcp2);
}

const ConnectionConfig& EndpointsSpec::narrower() const {
  return client.connection.max_datagram_size < server.connection.max_datagram_size ? client.connection
                                                                                   : server.connection;
}

std::size_t Scenario::first_path() const {
  if (endpoints.first_path) return *endpoints.first_path;
  const auto first = std::ranges::find(paths, true, &PathSpec::used);
  return first == paths.end() ? 0 : static_cast<std::size_t>(first - paths.begin());
}

Direction Scenario::main_direction() const {
  for (const WorkloadSpec& workload : workloads) {
    if (!workload.asks()) return workload.direction;
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
