#include "sim/scenario/readers.h"

#include <fmt/format.h>

namespace mpquic::sim {

Parsed<Direction> parse_direction(std::string_view text) {
  if (text == "up") return Direction::up;
  if (text == "down") return Direction::down;
  return std::unexpected("up (client to server) or down");
}

Parsed<Role> parse_role(std::string_view text) {
  if (text == "client") return Role::client;
  if (text == "server") return Role::server;
  return std::unexpected("client or server");
}

std::optional<std::size_t> find_path(const Scenario& scenario, std::string_view name) {
  for (std::size_t i = 0; i < scenario.paths.size(); ++i)
    if (scenario.paths[i].config.name == name) return i;
  return std::nullopt;
}

std::string path_names(const Scenario& scenario) {
  std::vector<std::string_view> names;
  names.reserve(scenario.paths.size());
  for (const PathSpec& path : scenario.paths) names.push_back(path.config.name);
  return "the name of a path: " + listed(names);
}

std::optional<std::size_t> read_path_name(YamlMap& map, const char* key, const Scenario& scenario) {
  std::string name;
  map.read(key, name);
  const auto path = find_path(scenario, name);
  if (!path) map.fail(key, fmt::format("expected {}, got '{}'", path_names(scenario), name));
  return path;
}

}  // namespace mpquic::sim
