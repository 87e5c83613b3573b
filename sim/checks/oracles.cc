#include "sim/checks/oracles.h"

#include <algorithm>

#include "sim/checks/capacity_timeline.h"

namespace mpquic::sim {
namespace {

/// The bounds are found to the nanosecond: 2^55 ns is a year.
constexpr int kBisections = 56;
constexpr Duration kFirstLook = std::chrono::seconds(1);

/// Links that stand behind one bottleneck, or a single one behind none.
struct Pool {
  std::vector<CapacityTimeline> links;
  std::optional<CapacityTimeline> bottleneck;
};

[[nodiscard]] double delivered_bits(const std::vector<Pool>& pools, Duration released, Duration by) {
  double sum = 0;
  for (const Pool& pool : pools) {
    double bits = 0;
    for (const CapacityTimeline& link : pool.links) bits += delivered_bits(link, released, by);
    sum += pool.bottleneck ? std::min(bits, delivered_bits(*pool.bottleneck, released, by)) : bits;
  }
  return sum;
}

/// The earliest time by which `bits` can have arrived.
[[nodiscard]] std::optional<Duration> earliest(const std::vector<Pool>& pools, Duration released, double bits) {
  Duration low = released;
  Duration high = kForever;
  if (delivered_bits(pools, released, high) < bits) return std::nullopt;
  for (int i = 0; i < kBisections && high - low > Duration(1); ++i) {
    const Duration middle = low + (high - low) / 2;
    (delivered_bits(pools, released, middle) < bits ? low : high) = middle;
  }
  return high;
}

/// Of the line of ns-3 that the paths share, if they do.
[[nodiscard]] bool passes_line(const Scenario& scenario, std::size_t path) {
  return scenario.ns3.topology == Ns3Topology::shared_bottleneck &&
         std::ranges::find(scenario.ns3.through, path) != scenario.ns3.through.end();
}

[[nodiscard]] std::vector<Pool> pools_of(const Course& course, const std::vector<std::size_t>& paths,
                                         Direction direction) {
  const Scenario& scenario = course.scenario;
  std::vector<std::vector<std::size_t>> behind(scenario.common.bottlenecks.size());
  std::vector<std::size_t> behind_line;
  std::vector<Pool> pools;
  for (const std::size_t path : paths) {
    if (const auto shared = scenario.link(path, direction).shared_bottleneck)
      behind[*shared].push_back(path);
    else if (passes_line(scenario, path))
      behind_line.push_back(path);
    else
      pools.push_back({.links = {capacity_of_link(course, path, direction)}, .bottleneck = {}});
  }
  const auto add = [&](const std::vector<std::size_t>& members, CapacityTimeline bottleneck) {
    Pool& pool = pools.emplace_back(Pool{.links = {}, .bottleneck = std::move(bottleneck)});
    for (const std::size_t path : members) pool.links.push_back(capacity_of_link(course, path, direction));
  };
  for (const auto& members : behind)
    if (!members.empty()) add(members, capacity_of_bottleneck(course, members, direction));
  if (!behind_line.empty()) add(behind_line, capacity_of_line(scenario, behind_line, direction));
  return pools;
}

/// Over the links of `paths`; absent if the bulk data can never all arrive, or there is none.
[[nodiscard]] std::optional<Duration> bound(const Course& course, const std::vector<std::size_t>& paths) {
  const Scenario& scenario = course.scenario;
  std::optional<Duration> latest;
  for (const Direction direction : {Direction::up, Direction::down}) {
    std::vector<Pool> pools;
    for (const WorkloadSpec& first : scenario.workloads) {
      if (first.kind != WorkloadKind::bulk || first.direction != direction) continue;
      if (pools.empty()) pools = pools_of(course, paths, direction);
      double bits = 0;
      for (const WorkloadSpec& other : scenario.workloads)
        if (other.kind == WorkloadKind::bulk && other.direction == direction && other.start >= first.start)
          bits += static_cast<double>(other.bytes) * 8;
      const auto done = earliest(pools, first.start, bits);
      if (!done) return std::nullopt;
      latest = std::max(latest.value_or(*done), *done);
    }
  }
  return latest;
}

/// The same of a whole run; but a limit of an hour costs nothing where the data is there after a second.
[[nodiscard]] std::optional<Duration> bound(const Scenario& scenario, std::uint64_t seed,
                                            const std::vector<std::size_t>& paths) {
  for (Duration until = kFirstLook;; until *= 2) {
    const auto found = bound({.scenario = scenario, .seed = seed, .until = until}, paths);
    if ((found && *found <= until) || until >= scenario.duration) return found;
  }
}

/// ns-3's Wi-Fi or LTE in front of the links. What it carries nobody can say: not the links alone in any case.
[[nodiscard]] bool begins_with_radio(const Scenario& scenario) {
  return scenario.ns3.topology == Ns3Topology::wifi || scenario.ns3.topology == Ns3Topology::lte;
}

[[nodiscard]] std::string why_unbounded(const Scenario& scenario) {
  if (begins_with_radio(scenario)) return "paths begin with a radio of ns-3";
  for (const ScriptedEvent& event : scenario.events)
    if (gives_up_stream(event.action)) return "streams are given up";
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
    else if (line && passes_line(scenario, path))
      behind_line += capacity;
    else
      sum += capacity;
  }
  for (const double capacity : shared) sum += capacity;
  return sum + std::min(behind_line, line.value_or(behind_line));
}

}  // namespace

Oracles oracles_of(const Scenario& scenario, std::uint64_t seed) {
  Oracles oracles;
  oracles.unbounded = why_unbounded(scenario);
  if (begins_with_radio(scenario)) return oracles;
  oracles.sum_of_links_mbps = sum_of_links(scenario);
  const auto line = shared_line(scenario);
  std::vector<std::size_t> used;
  std::optional<Duration> single;
  for (std::size_t path = 0; path < scenario.paths.size(); ++path) {
    if (opens_at(scenario, path) == kForever) continue;
    used.push_back(path);
    double capacity = scenario.paths[path].used ? capacity_of(scenario, path) : 0;
    if (line && passes_line(scenario, path)) capacity = std::min(capacity, *line);
    oracles.best_link_mbps = std::max(oracles.best_link_mbps, capacity);
    if (!oracles.unbounded.empty()) continue;
    const auto alone = bound(scenario, seed, {path});
    if (!alone || (single && *single <= *alone)) continue;
    single = alone;
    oracles.single_path = scenario.paths[path].config.name;
  }
  if (single) oracles.single_path_bound_s = to_seconds(*single);
  if (!oracles.unbounded.empty()) return oracles;
  if (const auto all = bound(scenario, seed, used)) oracles.completion_bound_s = to_seconds(*all);
  return oracles;
}

}  // namespace mpquic::sim
