#include "sim/scenario/path_reader.h"

#include <algorithm>
#include <filesystem>

#include "sim/scenario/link_reader.h"
#include "sim/scenario/readers.h"
#include "sim/scenario/yaml_values.h"

namespace mpquic::sim {
namespace {

/// More than a path's random streams have room for would be nonsense anyway.
constexpr std::size_t kMaxOutages = 16;

[[nodiscard]] Parsed<NatFilter> parse_filter(std::string_view text) {
  if (text == "endpoint_independent") return NatFilter::endpoint_independent;
  if (text == "endpoint_dependent") return NatFilter::endpoint_dependent;
  return std::unexpected("endpoint_independent or endpoint_dependent");
}

/// Bounds of a process that keep it from where it wanders around would quietly make another link of it.
void check_bounds(YamlMap& map, const LinkSpec& spec) {
  const LinkConfig& link = spec.config;
  const auto* wandering = std::get_if<WanderingRate>(&link.service);
  if (spec.has_rate && wandering != nullptr && (link.rate < wandering->least || link.rate > wandering->most))
    map.fail("rate_process", fmt::format("least and most leave out the rate, {} bit/s", link.rate.bits_per_second()));
  if (spec.has_delay && link.jitter && link.delay < link.jitter->least)
    map.fail("jitter", fmt::format("least is above the delay, {} us", link.delay.count() / 1000));
}

void read_links(YamlMap& map, PathSpec& path, const LinkContext& context) {
  LinkSpec both;
  std::optional<Duration> rtt;
  map.read("rtt", parse_duration, rtt);
  if (rtt && (map.has("delay") || map.has("delay_trace"))) map.fail("rtt", "give rtt or delay, not both");
  if (rtt) both.config.delay = *rtt / 2;
  read_link(map, both, context);
  both.has_delay |= rtt.has_value();
  LinkSpec up = both;
  LinkSpec down = both;
  for (const auto& [direction, link] : {std::pair{"up", &up}, std::pair{"down", &down}})
    map.map(direction, [&](YamlMap& inner) {
      read_link(inner, *link, context);
      check_bounds(inner, *link);
    });
  if (!up.has_rate || !down.has_rate)
    map.fail("rate", "missing; expected a rate like 50Mbit/s, here or in both up and down");
  if (!up.has_delay || !down.has_delay)
    map.fail("rtt", "missing; expected a time like 20ms, or delay here or in both up and down");
  for (const LinkSpec* link : {&up, &down}) check_bounds(map, *link);
  const Duration round_trip = up.config.delay + down.config.delay;
  settle_queue(up, round_trip);
  settle_queue(down, round_trip);
  path.config.up = up.config;
  path.config.down = down.config;
}

void read_outages(YamlMap& map, PathSpec& path) {
  map.each("outages", [&](YamlMap& inner, std::size_t) {
    PathOutage& outage = path.config.outages.emplace_back();
    read_outage(inner, outage.config);
    inner.read("direction", parse_direction, outage.direction);
  });
  if (path.config.outages.size() > kMaxOutages) map.fail("outages", fmt::format("expected at most {}", kMaxOutages));
}

void read_path(YamlMap& map, PathSpec& path, const LinkContext& context) {
  map.require("name", "a word, for reports and events");
  map.read("name", path.config.name);
  check_word(map, "name", path.config.name);
  if (path.config.name == kEveryPath) map.fail("name", "'all' means all paths");
  std::string profile;
  map.read("profile", profile);  // its keys are in the map already
  read_links(map, path, context);
  read_outages(map, path);
  map.map("nat", [&](YamlMap& inner) {
    inner.read("filter", parse_filter, path.config.nat.filter);
    inner.read("idle_timeout", parse_duration, path.config.nat.idle_timeout);
  });
  map.read("use", parse_switch, path.used);
  map.read("backup", parse_switch, path.backup);
  map.read("source", path.source);
  map.read("open_at", parse_duration, path.open_at);
}

void read_bottlenecks(YamlMap& root, Scenario& scenario, const LinkContext& context) {
  root.each("bottlenecks", [&](YamlMap& map, std::size_t) {
    map.require("name", "a word, for `shared` of paths");
    std::string name;
    map.read("name", name);
    check_word(map, "name", name);
    if (std::ranges::find(scenario.bottleneck_names, name) != scenario.bottleneck_names.end())
      map.fail("name", "is the name of another bottleneck already");
    if (map.has("shared")) map.fail("shared", "a bottleneck has a rate of its own");
    LinkSpec link;
    read_bottleneck(map, link, context);
    if (!link.has_rate) map.fail("rate", "missing; expected a rate like 50Mbit/s");
    check_bounds(map, link);
    constexpr Duration kTypicalRtt = std::chrono::milliseconds(100);
    settle_queue(link, kTypicalRtt);
    scenario.bottleneck_names.push_back(name);
    scenario.common.bottlenecks.push_back(link.config);
  });
}

/// Reports and queues of links count on a rate, be it shared.
void take_shared_rates(Scenario& scenario) {
  for (PathSpec& path : scenario.paths)
    for (LinkConfig* link : {&path.config.up, &path.config.down})
      if (link->shared_bottleneck) link->rate = scenario.common.bottlenecks[*link->shared_bottleneck].rate;
}

void read_groups(YamlMap& root, Scenario& scenario) {
  root.each("groups", [&](YamlMap& map, std::size_t) {
    map.require("paths", "a list of names of paths that fail together");
    FailureGroupConfig& group = scenario.common.groups.emplace_back();
    std::vector<std::string> names;
    map.read("paths", names);
    for (const std::string& name : names) {
      const auto path = find_path(scenario, name);
      if (!path) return map.fail("paths", fmt::format("there is no path '{}'", name));
      group.paths.push_back(*path);
    }
    std::string note;
    map.read("source", note);
    read_outage(map, group.outage);
  });
}

}  // namespace

void read_paths(YamlMap& root, Scenario& scenario) {
  const LinkContext context{.directory = std::filesystem::path(scenario.source).parent_path().string(),
                            .shared = &scenario.bottleneck_names};
  read_bottlenecks(root, scenario, context);
  root.each("paths", [&](YamlMap& map, std::size_t) {
    PathSpec& path = scenario.paths.emplace_back();
    read_path(map, path, context);
    const auto same_name = [&](const PathSpec& other) { return other.config.name == path.config.name; };
    if (std::ranges::count_if(scenario.paths, same_name) > 1) map.fail("name", "is the name of another path already");
  });
  check_range(root, "paths", scenario.paths.size(), 1, kMaxPaths);
  take_shared_rates(scenario);
  read_groups(root, scenario);
}

}  // namespace mpquic::sim
