#include "sim/oracles.h"

#include <fmt/format.h>

#include <algorithm>

namespace mpquic::sim {
namespace {

constexpr Duration kForever = std::chrono::hours(24 * 365);
/// The bounds are found to the nanosecond: 2^55 ns is a year.
constexpr int kBisections = 56;

struct Piece {  // of a link's life
  Duration from{};
  Duration to = kForever;
  double bits_per_ns = 0;  // payload; zero while it is down
  Duration delay{};
};

[[nodiscard]] double bits_per_ns(const Scenario& scenario, const LinkConfig& link) {
  return payload_capacity_mbps(link, scenario.endpoints.narrower()) / 1e3;
}

/// Whether the event ends (true) or begins (false) an outage of this link, if it is about that at all.
[[nodiscard]] std::optional<bool> brings_up(const ScriptedEvent& event, Direction direction) {
  if (event.direction && *event.direction != direction) return std::nullopt;
  if (event.action == Action::link_up) return true;
  if (event.is_death() || event.action == Action::abandon_path) return false;
  return std::nullopt;
}

[[nodiscard]] std::vector<Piece> life_of(const Scenario& scenario, std::size_t path, Direction direction) {
  LinkConfig link = scenario.link(path, direction);
  bool up = true;
  std::vector<Piece> pieces;
  Duration since = scenario.paths[path].open_at;
  const auto cut = [&](Duration at) {
    if (at <= since) return;
    pieces.push_back(
        {.from = since, .to = at, .bits_per_ns = up ? bits_per_ns(scenario, link) : 0, .delay = link.delay});
    since = at;
  };
  for (const ScriptedEvent& event : scenario.events) {
    if (event.path != path) continue;
    const auto now_up = brings_up(event, direction);
    const bool changes = !event.direction || *event.direction == direction;
    const auto* rate = std::get_if<Bandwidth>(&event.value);
    const auto* delay = std::get_if<Duration>(&event.value);
    if (!now_up && !(changes && (event.action == Action::set_rate || event.action == Action::set_delay))) continue;
    cut(event.at);
    if (now_up) up = *now_up;
    if (event.action == Action::set_rate) link.rate = *rate;
    if (event.action == Action::set_delay) link.delay = *delay;
  }
  cut(kForever);
  return pieces;
}

[[nodiscard]] double delivered_bits(const std::vector<Piece>& pieces, Duration released, Duration by) {
  double bits = 0;
  for (const Piece& piece : pieces) {
    const Duration from = std::max(piece.from, released);
    const Duration span = std::min(by - piece.delay, piece.to) - from;
    if (span > Duration::zero()) bits += piece.bits_per_ns * static_cast<double>(span.count());
  }
  return bits;
}

/// The earliest time by which `bits` can have arrived.
[[nodiscard]] std::optional<Duration> earliest(const std::vector<Piece>& pieces, Duration released, double bits) {
  Duration low = released;
  Duration high = kForever;
  if (delivered_bits(pieces, released, high) < bits) return std::nullopt;
  for (int i = 0; i < kBisections && high - low > Duration(1); ++i) {
    const Duration middle = low + (high - low) / 2;
    (delivered_bits(pieces, released, middle) < bits ? low : high) = middle;
  }
  return high;
}

/// Over the links of `paths`; absent if the bulk data can never all arrive, or there is none.
[[nodiscard]] std::optional<Duration> bound(const Scenario& scenario, const std::vector<std::size_t>& paths) {
  std::optional<Duration> latest;
  for (const Direction direction : {Direction::up, Direction::down}) {
    std::vector<Piece> pieces;
    for (const std::size_t path : paths)
      std::ranges::copy(life_of(scenario, path, direction), std::back_inserter(pieces));
    for (const WorkloadSpec& first : scenario.workloads) {
      if (first.kind != WorkloadKind::bulk || first.direction != direction) continue;
      double bits = 0;
      for (const WorkloadSpec& other : scenario.workloads)
        if (other.kind == WorkloadKind::bulk && other.direction == direction && other.start >= first.start)
          bits += static_cast<double>(other.bytes) * 8;
      const auto done = earliest(pieces, first.start, bits);
      if (!done) return std::nullopt;
      latest = std::max(latest.value_or(*done), *done);
    }
  }
  return latest;
}

/// What keeps this link from having pieces, if anything.
[[nodiscard]] std::string_view irregularity(const LinkConfig& link) {
  if (link.shared_bottleneck) return "{} shares a bottleneck";
  if (!std::holds_alternative<FixedRate>(link.service)) return "the rate of {} follows a trace, a process or a bucket";
  if (link.delay_trace || link.jitter) return "the delay of {} varies";
  return {};
}

/// ns-3's Wi-Fi or LTE in front of the links. What it carries nobody can say: not the links alone in any case.
[[nodiscard]] bool begins_with_radio(const Scenario& scenario) {
  return scenario.ns3.topology == Ns3Topology::wifi || scenario.ns3.topology == Ns3Topology::lte;
}

[[nodiscard]] std::string why_unbounded(const Scenario& scenario) {
  if (begins_with_radio(scenario)) return "paths begin with a radio of ns-3";
  if (scenario.ns3.topology == Ns3Topology::shared_bottleneck) return "paths share a line of ns-3";
  for (const ScriptedEvent& event : scenario.events)
    if (event.action == Action::reset_stream) return "streams are given up";
  for (const WorkloadSpec& workload : scenario.workloads) {
    if (workload.kind != WorkloadKind::bulk) continue;
    for (std::size_t path = 0; path < scenario.paths.size(); ++path) {
      const std::string_view why = irregularity(scenario.link(path, workload.direction));
      if (scenario.paths[path].used && !why.empty())
        return fmt::format(fmt::runtime(why), scenario.paths[path].config.name);
    }
  }
  return {};
}

/// In the main direction.
[[nodiscard]] double capacity_of(const Scenario& scenario, std::size_t path) {
  return payload_capacity_mbps(scenario.link(path, scenario.main_direction()), scenario.endpoints.narrower());
}

/// Of the line of ns-3 that the paths share; none if they do not.
[[nodiscard]] std::optional<double> shared_line(const Scenario& scenario) {
  if (scenario.ns3.topology != Ns3Topology::shared_bottleneck) return std::nullopt;
  LinkConfig line;
  line.rate = scenario.ns3.rate;
  return payload_capacity_mbps(line, scenario.endpoints.narrower());
}

[[nodiscard]] bool passes_shared_line(const Scenario& scenario, std::size_t path) {
  return std::ranges::find(scenario.ns3.through, path) != scenario.ns3.through.end();
}

/// Links behind one bottleneck count as the best of them, and all behind ns-3's line as no more than that.
[[nodiscard]] double sum_of_links(const Scenario& scenario) {
  double sum = 0;
  double behind_line = 0;
  const auto line = shared_line(scenario);
  std::vector<double> shared(scenario.common.bottlenecks.size());
  for (std::size_t path = 0; path < scenario.paths.size(); ++path) {
    if (!scenario.paths[path].used) continue;
    const LinkConfig& link = scenario.link(path, scenario.main_direction());
    const double capacity = capacity_of(scenario, path);
    if (link.shared_bottleneck)
      shared[*link.shared_bottleneck] = std::max(shared[*link.shared_bottleneck], capacity);
    else if (line && passes_shared_line(scenario, path))
      behind_line += capacity;
    else
      sum += capacity;
  }
  for (const double capacity : shared) sum += capacity;
  return sum + std::min(behind_line, line.value_or(behind_line));
}

}  // namespace

Oracles oracles_of(const Scenario& scenario) {
  Oracles oracles;
  oracles.unbounded = why_unbounded(scenario);
  if (begins_with_radio(scenario)) return oracles;
  oracles.sum_of_links_mbps = sum_of_links(scenario);
  const auto line = shared_line(scenario);
  std::vector<std::size_t> used;
  std::optional<Duration> single;
  for (std::size_t path = 0; path < scenario.paths.size(); ++path) {
    if (!scenario.paths[path].used) continue;
    used.push_back(path);
    double capacity = capacity_of(scenario, path);
    if (line && passes_shared_line(scenario, path)) capacity = std::min(capacity, *line);
    oracles.best_link_mbps = std::max(oracles.best_link_mbps, capacity);
    if (!oracles.unbounded.empty()) continue;
    const auto alone = bound(scenario, {path});
    if (!alone || (single && *single <= *alone)) continue;
    single = alone;
    oracles.single_path = scenario.paths[path].config.name;
  }
  if (single) oracles.single_path_bound_s = to_seconds(*single);
  if (!oracles.unbounded.empty()) return oracles;
  if (const auto all = bound(scenario, used)) oracles.completion_bound_s = to_seconds(*all);
  return oracles;
}

}  // namespace mpquic::sim
