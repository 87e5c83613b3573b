#include "sim/path_reader.h"

#include <algorithm>

#include "sim/link_reader.h"
#include "sim/yaml_values.h"

namespace mpquic::sim {
namespace {

void read_path(YamlMap& map, PathSpec& path) {
  map.require("name", "a word, for reports and events");
  map.read("name", path.config.name);
  LinkSpec both;
  std::optional<Duration> rtt;
  map.read("rtt", parse_duration, rtt);
  if (rtt && map.has("delay")) map.fail("rtt", "give rtt or delay, not both");
  if (rtt) both.config.delay = *rtt / 2;
  read_link(map, both);
  LinkSpec up = both;
  LinkSpec down = both;
  map.map("up", [&](YamlMap& inner) { read_link(inner, up); });
  map.map("down", [&](YamlMap& inner) { read_link(inner, down); });
  const auto given = [&](const char* key) {
    return map.has(key) || (map.has_in("up", key) && map.has_in("down", key));
  };
  if (!given("rate")) map.fail("rate", "missing; expected a rate like 50Mbit/s, here or in both up and down");
  if (!rtt && !given("delay"))
    map.fail("rtt", "missing; expected a time like 20ms, or delay here or in both up and down");
  const Duration round_trip = up.config.delay + down.config.delay;
  settle_queue(up, round_trip);
  settle_queue(down, round_trip);
  path.config.up = up.config;
  path.config.down = down.config;
  map.read("use", parse_switch, path.used);
  map.read("backup", parse_switch, path.backup);
  map.read("source", path.source);
  map.read("open_at", parse_duration, path.open_at);
}

}  // namespace

void read_paths(YamlMap& root, Scenario& scenario) {
  root.each("paths", [&](YamlMap& map, std::size_t) {
    PathSpec& path = scenario.paths.emplace_back();
    read_path(map, path);
    const auto same_name = [&](const PathSpec& other) { return other.config.name == path.config.name; };
    if (std::ranges::count_if(scenario.paths, same_name) > 1) map.fail("name", "is the name of another path already");
  });
  check_range(root, "paths", scenario.paths.size(), 1, kMaxPaths);
}

}  // namespace mpquic::sim
