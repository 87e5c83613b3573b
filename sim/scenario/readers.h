// The sections of a scenario file, one reader each. What they read is told by scenarios/SCHEMA.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/scenario/scenario.h"
#include "sim/scenario/yaml_reader.h"

namespace mpquic::sim {

/// What the endpoints say about paths, by name: paths are read later.
struct NamedPaths {
  std::string first_path;
  std::string baseline;  // as written
};

/// In events: a path can't have this name.
inline constexpr std::string_view kEveryPath = "all";
inline constexpr std::size_t kMaxWorkloads = 1024;

void read_endpoints(YamlMap& map, EndpointsSpec& spec, NamedPaths& named);
/// Appends one workload, or two where the kind goes both ways.
void read_workload(YamlMap& map, std::vector<WorkloadSpec>& workloads);
/// Appends what the event comes down to; the paths must be known.
void read_event(YamlMap& map, Scenario& scenario);
void read_assertions(YamlMap& map, Scenario& scenario);

[[nodiscard]] Parsed<Direction> parse_direction(std::string_view text);
[[nodiscard]] Parsed<Role> parse_role(std::string_view text);
[[nodiscard]] std::optional<std::size_t> find_path(const Scenario& scenario, std::string_view name);
/// "the name of a path: a, b", for messages.
[[nodiscard]] std::string path_names(const Scenario& scenario);
/// The path that `key` names; fails there where it is none.
[[nodiscard]] std::optional<std::size_t> read_path_name(YamlMap& map, const char* key, const Scenario& scenario);

}  // namespace mpquic::sim
