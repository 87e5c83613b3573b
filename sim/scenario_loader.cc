#include "sim/scenario_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/ns3_reader.h"
#include "sim/path_reader.h"
#include "sim/profile.h"
#include "sim/ranges.h"
#include "sim/scenario/readers.h"
#include "sim/yaml_reader.h"

namespace mpquic::sim {
namespace {

[[nodiscard]] Parsed<Crypto> parse_crypto(std::string_view text) {
  if (text == "real") return Crypto::real;
  if (text == "null") return Crypto::null;
  return std::unexpected("real or null");
}

void read_lists(YamlMap& root, Scenario& scenario) {
  read_paths(root, scenario);
  root.each("workloads", [&](YamlMap& map, std::size_t) { read_workload(map, scenario.workloads); });
  root.each("events", [&](YamlMap& map, std::size_t) { read_event(map, scenario); });
  std::ranges::stable_sort(scenario.events, {}, &ScriptedEvent::at);
}

/// What `baseline` and the engines come down to: one of the paths, multipath or not.
void settle_baseline(YamlMap& root, Scenario& scenario, const std::string& text) {
  constexpr std::string_view kOnePath = "path ";
  EndpointsSpec& endpoints = scenario.endpoints;
  const bool foreign = endpoints.any(EngineKind::ngtcp2);
  if (foreign) scenario.crypto = Crypto::real;  // GnuTLS knows nothing else
  if (text == "best_path" || (text.empty() && foreign)) {
    scenario.baseline = Baseline::one_path;
    endpoints.first_path = scenario.best_path();
  } else if (text == "per_path") {
    scenario.baseline = Baseline::per_path;
  } else if (text.starts_with(kOnePath)) {
    scenario.baseline = Baseline::one_path;
    endpoints.first_path = find_path(scenario, text.substr(kOnePath.size()));
    if (!endpoints.first_path)
      return root.fail("baseline", fmt::format("expected {}, got '{}'", path_names(scenario), text));
  } else if (!text.empty() && text != "none") {
    return root.fail("baseline", fmt::format("expected none, best_path, per_path or path NAME, got '{}'", text));
  }
  if (scenario.baseline == Baseline::none && !foreign) return;
  endpoints.client.connection.multipath = endpoints.server.connection.multipath = false;
}

void check_whole(YamlMap& root, Scenario& scenario, const NamedPaths& named) {
  if (!root.ok()) return;
  if (!named.first_path.empty()) {
    scenario.endpoints.first_path = find_path(scenario, named.first_path);
    if (!scenario.endpoints.first_path)
      return root.fail("endpoints",
                       fmt::format("first_path: expected {}, got '{}'", path_names(scenario), named.first_path));
  }
  settle_baseline(root, scenario, named.baseline);
  if (root.ok() && !scenario.paths[scenario.first_path()].used) root.fail("paths", "the first path must be in use");
}

void read_scenario(YamlMap& root, Scenario& scenario) {
  root.require("name", "a word");
  root.require("paths", "a list of paths");
  root.require("workloads", "a list of workloads");
  root.read("name", scenario.name);
  root.read("description", scenario.description);
  root.read("protects", scenario.protects);
  root.read("duration", parse_duration, scenario.duration);
  root.read("max_stall", parse_duration, scenario.max_stall);
  root.read("crypto", parse_crypto, scenario.crypto);
  NamedPaths named;
  root.map("endpoints", [&](YamlMap& map) { read_endpoints(map, scenario.endpoints, named); });
  root.read("baseline", named.baseline);
  read_lists(root, scenario);
  root.map("assert", [&](YamlMap& map) { read_assertions(map, scenario); });
  read_ns3(root, scenario);
  root.finish();
  check_whole(root, scenario, named);
}

[[nodiscard]] std::vector<DrawnValue> draw_ranges(YamlDocument& document, std::uint64_t seed) {
  std::vector<DrawnValue> drawn;
  document.replace_scalars([&](const std::string& key, const std::string& text) {
    auto value = draw_from_range(text, key, seed);
    if (value) drawn.push_back({.key = key, .range = text, .value = *value});
    return value;
  });
  return drawn;
}

[[nodiscard]] nlohmann::ordered_json to_json(const YAML::Node& node) {
  if (node.IsScalar()) return node.Scalar();
  nlohmann::ordered_json out;
  if (node.IsSequence()) {
    out = nlohmann::ordered_json::array();
    for (const auto& item : node) out.push_back(to_json(item));
  } else if (node.IsMap()) {
    out = nlohmann::ordered_json::object();
    for (const auto& entry : node) out[entry.first.Scalar()] = to_json(entry.second);
  }
  return out;
}

}  // namespace

std::expected<Scenario, std::string> parse_scenario(const std::string& yaml, const std::string& source,
                                                    const std::vector<std::string>& overrides, std::uint64_t seed) {
  try {
    YamlDocument document(source, yaml, overrides);
    Scenario scenario;
    scenario.source = source;
    expand_profiles(document, source);
    if (!document.failed()) {
      scenario.drawn = draw_ranges(document, seed);
      YamlMap root(document, document.root(), "");
      read_scenario(root, scenario);
      scenario.resolved = document.text();
      scenario.resolved_json = to_json(document.root()).dump();
    }
    if (document.failed()) return std::unexpected(*document.error());
    return scenario;
  } catch (const YAML::Exception& error) {
    return std::unexpected(fmt::format("{}: {}", source, error.what()));
  }
}

std::expected<Scenario, std::string> load_scenario(const std::string& file, const std::vector<std::string>& overrides,
                                                   std::uint64_t seed) {
  const std::ifstream in(file);
  if (!in) return std::unexpected(fmt::format("{}: cannot be read", file));
  std::ostringstream text;
  text << in.rdbuf();
  return parse_scenario(text.str(), file, overrides, seed);
}

}  // namespace mpquic::sim
