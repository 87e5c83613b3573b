#include "sim/scenario/ns3_reader.h"

#include <algorithm>
#include <numeric>

#include "sim/scenario/yaml_values.h"

namespace mpquic::sim {
namespace {

constexpr std::uint64_t kMaxTcpFlows = 64;
constexpr std::uint64_t kMaxWifiDistance = 1000;  // nothing arrives from further away
constexpr std::uint64_t kMaxLteDistance = 10'000;
constexpr std::uint64_t kMaxQueue = 1ULL << 31;  // ns-3 counts in 32 bits

[[nodiscard]] Parsed<Ns3Topology> parse_topology(std::string_view text) {
  if (text == "paths") return Ns3Topology::paths;
  if (text == "shared_bottleneck") return Ns3Topology::shared_bottleneck;
  if (text == "wifi") return Ns3Topology::wifi;
  if (text == "lte") return Ns3Topology::lte;
  return std::unexpected("paths, shared_bottleneck, wifi or lte");
}

[[nodiscard]] Parsed<Ns3Links> parse_links(std::string_view text) {
  if (text == "model") return Ns3Links::model;
  if (text == "ns3") return Ns3Links::ns3;
  return std::unexpected("model or ns3");
}

void read_through(YamlMap& map, Scenario& scenario, Ns3Spec& spec) {
  if (!map.has("through")) {
    spec.through.resize(scenario.paths.size());
    std::iota(spec.through.begin(), spec.through.end(), std::size_t{0});
    return;
  }
  std::vector<std::string> names;
  map.read("through", names);
  for (const std::string& name : names) {
    const auto is_it = [&](const PathSpec& path) { return path.config.name == name; };
    const auto path = std::ranges::find_if(scenario.paths, is_it);
    if (path == scenario.paths.end()) return map.fail("through", fmt::format("there is no path '{}'", name));
    spec.through.push_back(static_cast<std::size_t>(path - scenario.paths.begin()));
  }
}

void read_tcp(YamlMap& map, Ns3TcpSpec& tcp) {
  constexpr std::string_view kNames[] = {"bbr", "cubic", "newreno"};
  map.require("flows", "how many");
  read_count(map, "flows", tcp.flows);
  check_range(map, "flows", tcp.flows, 0, kMaxTcpFlows);
  map.read("cc", tcp.congestion_control);
  if (std::ranges::find(kNames, tcp.congestion_control) == std::end(kNames))
    map.fail("cc", fmt::format("expected one of {}, got '{}'", listed(kNames), tcp.congestion_control));
  map.read("delay", parse_duration, tcp.delay);
}

/// ns-3's own devices have no more than this.
[[nodiscard]] bool simple(const LinkConfig& link) {
  return link.discipline.kind == QueueKind::drop_tail && link.discipline.packets == SIZE_MAX &&
         link.discipline.age == Duration::zero() && !link.cross_traffic && link.delay_trace == nullptr &&
         !link.jitter && !link.policer && !link.drops_ect && !link.bleach && !link.burst_loss && link.duplicate == 0 &&
         link.corrupt == 0 && link.truncate == 0 && link.reorder == 0 && !link.shared_bottleneck && !link.mtu_signal &&
         std::holds_alternative<FixedRate>(link.service);
}

void check_simple(YamlMap& map, const Scenario& scenario) {
  bool plain = scenario.common.groups.empty();
  for (const PathSpec& path : scenario.paths)
    plain &= simple(path.config.up) && simple(path.config.down) && path.config.outages.empty();
  for (const ScriptedEvent& event : scenario.events)
    plain &= event.action == Action::abandon_path || event.action == Action::path_status ||
             event.action == Action::migrate_path || event.action == Action::nat_rebind;
  if (!plain)
    map.fail("links",
             "ns-3's own links have a rate, a delay, a droptail queue and independent losses, and do not change");
}

/// TS 36.101, table 5.6-1.
[[nodiscard]] Parsed<std::uint64_t> parse_resource_blocks(std::string_view text) {
  for (const std::uint64_t known : {6U, 15U, 25U, 50U, 75U, 100U})
    if (text == std::to_string(known)) return known;
  return std::unexpected("6, 15, 25, 50, 75 or 100");
}

void read_distance(YamlMap& map, Ns3Spec& spec, std::uint64_t most) {
  if (!map.has("distance_m")) return;
  std::uint64_t distance = 0;
  read_count(map, "distance_m", distance);
  check_range(map, "distance_m", distance, 1, most);
  spec.distance_m = distance;
}

void read_section(YamlMap& map, Scenario& scenario) {
  Ns3Spec& spec = scenario.ns3;
  map.read("topology", parse_topology, spec.topology);
  map.read("links", parse_links, spec.links);
  if (spec.links == Ns3Links::ns3) check_simple(map, scenario);
  if (spec.topology == Ns3Topology::paths) return;
  read_through(map, scenario, spec);
  map.map("tcp", [&](YamlMap& inner) { read_tcp(inner, spec.tcp); });
  if (spec.topology == Ns3Topology::wifi) return read_distance(map, spec, kMaxWifiDistance);
  map.read("queue", parse_size, spec.queue);
  check_range(map, "queue", spec.queue.value(), 1500, kMaxQueue);
  if (spec.topology == Ns3Topology::lte) {
    map.read("resource_blocks", parse_resource_blocks, spec.resource_blocks);
    return read_distance(map, spec, kMaxLteDistance);
  }
  map.require("rate", "a rate like 50Mbit/s");
  map.read("rate", parse_rate, spec.rate);
  map.read("delay", parse_duration, spec.delay);
}

}  // namespace

void read_ns3(YamlMap& root, Scenario& scenario) {
  root.map("ns3", [&](YamlMap& map) { read_section(map, scenario); });
}

}  // namespace mpquic::sim
