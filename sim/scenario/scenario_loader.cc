#include "sim/scenario/scenario_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/network/packet_pool.h"
#include "sim/scenario/ns3_reader.h"
#include "sim/scenario/path_reader.h"
#include "sim/scenario/profile.h"
#include "sim/scenario/ranges.h"
#include "sim/scenario/readers.h"
#include "sim/scenario/text_file.h"
#include "sim/scenario/yaml_values.h"

namespace mpquic::sim {
namespace {

/// Of a scenario, and of the patience with it.
constexpr Duration kShortest = std::chrono::milliseconds(1);

[[nodiscard]] Parsed<Crypto> parse_crypto(std::string_view text) {
  if (text == "real") return Crypto::real;
  if (text == "null") return Crypto::null;
  return std::unexpected("real or null");
}

/// Overrides separated by spaces; a word without `=` belongs to the value before it, as in `events=[{at: 1s, do:
/// heal}]`.
[[nodiscard]] std::vector<std::string> split_overrides(const std::string& entry) {
  std::vector<std::string> overrides;
  std::istringstream words(entry);
  for (std::string word; words >> word;) {
    if (overrides.empty() || word.find('=') != std::string::npos)
      overrides.push_back(word);
    else
      overrides.back() += " " + word;
  }
  return overrides;
}

/// Whether the overrides can be applied shows when they are.
void read_broken_by(YamlMap& root, Scenario& scenario) {
  std::vector<std::string> entries;
  root.read("broken_by", entries);
  for (const std::string& entry : entries) {
    scenario.broken_by.push_back(split_overrides(entry));
    if (scenario.broken_by.back().empty()) root.fail("broken_by", "expected KEY=VALUE, got nothing");
  }
}

void read_lists(YamlMap& root, Scenario& scenario) {
  read_paths(root, scenario);
  root.each("workloads", [&](YamlMap& map, std::size_t) { read_workload(map, scenario.workloads); });
  check_range(root, "workloads", scenario.workloads.size(), 1, kMaxWorkloads);
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
    scenario.baseline = Baseline::best_path;
    endpoints.first_path.reset();  // sim/run/best_path.h finds it
  } else if (text == "per_path") {
    scenario.baseline = Baseline::per_path;
    const auto named = std::ranges::find_if(scenario.events, gives_up_stream, &ScriptedEvent::action);
    if (named != scenario.events.end())
      return root.fail("baseline",
                       fmt::format("per_path: the two sides number streams differently, so {} cannot name one",
                                   name_of(named->action)));
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

/// A datagram is never cut up, so it has to fit through some path.
void check_sizes(YamlMap& root, const Scenario& scenario) {
  std::size_t widest = 0;
  for (const PathSpec& path : scenario.paths)
    widest = std::max({widest, std::size_t{path.config.up.mtu}, std::size_t{path.config.down.mtu}});
  for (const WorkloadSpec& workload : scenario.workloads)
    if ((workload.paced() || workload.kind == WorkloadKind::inner_tcp) && workload.size + kIpUdpOverhead > widest)
      return root.fail("workloads", fmt::format("datagrams of {} bytes fit through no path: the largest mtu is {}",
                                                workload.size, widest));
}

/// What nothing can break proves nothing.
void check_assertions_apply(YamlMap& root, const Scenario& scenario) {
  const auto paced = [](const WorkloadSpec& workload) { return workload.paced(); };
  if (scenario.assertions.datagrams_delivered && std::ranges::none_of(scenario.workloads, paced))
    root.fail("assert", "datagrams_delivered: no workload sends datagrams");
  const auto death = [](const ScriptedEvent& event) { return event.is_death(); };
  if (scenario.assertions.failover && std::ranges::none_of(scenario.events, death))
    root.fail("assert", "failover: no event takes a path away");
  if (scenario.assertions.tcp_goodput && scenario.ns3.tcp.flows == 0)
    root.fail("assert", "tcp_goodput: there are no TCP flows (ns3.tcp)");
}

void check_whole(YamlMap& root, Scenario& scenario, const NamedPaths& named) {
  if (!root.ok()) return;
  if (!named.first_path.empty()) {
    scenario.endpoints.first_path = find_path(scenario, named.first_path);
    if (!scenario.endpoints.first_path)
      return root.fail("endpoints",
                       fmt::format("first_path: expected {}, got '{}'", path_names(scenario), named.first_path));
  }
  check_sizes(root, scenario);
  check_assertions_apply(root, scenario);
  settle_baseline(root, scenario, named.baseline);
  if (root.ok() && !scenario.paths[scenario.first_path()].used) root.fail("paths", "the first path must be in use");
}

void read_scenario(YamlMap& root, Scenario& scenario) {
  root.require("name", "a word");
  root.require("paths", "a list of paths");
  root.require("workloads", "a list of workloads");
  root.read("name", scenario.name);
  check_word(root, "name", scenario.name);
  root.read("description", scenario.description);
  root.read("protects", scenario.protects);
  read_broken_by(root, scenario);
  root.read("duration", parse_duration, scenario.duration);
  check_time(root, "duration", scenario.duration, kShortest);
  root.read("max_stall", parse_duration, scenario.max_stall);
  check_time(root, "max_stall", scenario.max_stall, kShortest);
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

/// Traces are files beside the scenario's; what is resolved is to be read elsewhere.
void name_traces_from_anywhere(YamlDocument& document, const std::string& source) {
  document.replace_scalars([&](const std::string& key, const std::string& text) -> std::optional<std::string> {
    const std::string_view last = std::string_view(key).substr(key.rfind('.') + 1);
    if (last != "rate_trace" && last != "delay_trace" && last != "mahimahi") return std::nullopt;
    return std::filesystem::absolute(std::filesystem::path(source).parent_path() / text).lexically_normal().string();
  });
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
      name_traces_from_anywhere(document, source);
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
  const auto text = read_text_file(file, kMaxYamlBytes);
  if (text) return parse_scenario(*text, file, overrides, seed);
  const bool is_name = file.find_first_of("./") == std::string::npos;
  return std::unexpected(
      fmt::format("{}: {}{}", file, text.error(), is_name ? "; `mpquic-sim list` shows the names of scenarios" : ""));
}

}  // namespace mpquic::sim
