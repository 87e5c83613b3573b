#include "sim/scenario_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "sim/path_reader.h"
#include "sim/profile.h"
#include "sim/yaml_values.h"
#include "stack/cc/congestion_controller.h"
#include "stack/sched/scheduler.h"

namespace mpquic::sim {
namespace {

[[nodiscard]] Parsed<Crypto> parse_crypto(std::string_view text) {
  if (text == "real") return Crypto::real;
  if (text == "null") return Crypto::null;
  return std::unexpected("real or null");
}

[[nodiscard]] Parsed<Direction> parse_direction(std::string_view text) {
  if (text == "up") return Direction::up;
  if (text == "down") return Direction::down;
  return std::unexpected("up (client to server) or down");
}

[[nodiscard]] Parsed<WorkloadKind> parse_kind(std::string_view text) {
  for (const auto kind : {WorkloadKind::bulk, WorkloadKind::requests, WorkloadKind::datagrams})
    if (text == name_of(kind)) return kind;
  return std::unexpected("bulk, requests or datagrams");
}

[[nodiscard]] Parsed<Action> parse_action(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(Action::path_status); ++i)
    if (text == name_of(static_cast<Action>(i))) return static_cast<Action>(i);
  return std::unexpected(
      "one of link_down, silent_death, link_up, set_rate, set_delay, set_loss, nat_rebind, abandon_path, migrate_path, "
      "path_status");
}

/// `key` names one of the core's own parts.
void read_name(YamlMap& map, const char* key, std::span<const std::string_view> names, std::string& out) {
  map.read(key, out);
  if (std::ranges::find(names, out) == names.end())
    map.fail(key, fmt::format("expected one of {}, got '{}'", listed(names), out));
}

// --- endpoints

void read_endpoints(YamlMap& map, EndpointsSpec& spec, std::string& first_path) {
  ConnectionConfig& c = spec.connection;
  read_name(map, "cc", congestion_controller_names(), c.congestion_control);
  read_name(map, "scheduler", scheduler_names(), c.scheduler);
  map.read("multipath", parse_switch, c.multipath);
  map.read("retry", parse_switch, spec.require_retry);
  map.read("first_path", first_path);
  map.read("pacing", parse_switch, c.pacing);
  map.read("ecn", parse_switch, c.ecn);
  map.read("discover_mtu", parse_switch, c.discover_mtu);
  map.read("grease", parse_switch, c.grease);
  map.read("keep_alive", parse_duration, c.keep_alive);
  map.read("idle_timeout", parse_duration, c.idle_timeout);
  map.read("handshake_timeout", parse_duration, c.handshake_timeout);
  map.read("max_ack_delay", parse_duration, c.max_ack_delay);
  map.read("initial_rtt", parse_duration, c.initial_rtt);
  read_bytes(map, "max_data", c.max_data);
  read_bytes(map, "max_stream_data", c.max_stream_data);
  read_bytes(map, "send_buffer", c.send_buffer);
  map.read("max_streams_bidi", parse_count, c.max_streams_bidi);
  map.read("max_streams_uni", parse_count, c.max_streams_uni);
  read_count(map, "max_paths", c.max_paths);
  check_range(map, "max_paths", c.max_paths, 1, kMaxPaths);
  read_size(map, "initial_datagram_size", c.initial_datagram_size);
  check_range(map, "initial_datagram_size", c.initial_datagram_size, kMinInitialDatagram, kMaxDatagram);
  read_size(map, "max_datagram_size", c.max_datagram_size);
  check_range(map, "max_datagram_size", c.max_datagram_size, kMinInitialDatagram, kMaxDatagram);
  read_count(map, "key_update_after_packets", c.key_update_after_packets);
  read_count(map, "active_connection_id_limit", c.active_connection_id_limit);
  map.read("address_advertisement", parse_switch, c.address_advertisement);
}

[[nodiscard]] std::optional<std::size_t> find_path(const Scenario& scenario, std::string_view name) {
  for (std::size_t i = 0; i < scenario.paths.size(); ++i)
    if (scenario.paths[i].config.name == name) return i;
  return std::nullopt;
}

[[nodiscard]] std::string path_names(const Scenario& scenario) {
  std::vector<std::string_view> names;
  names.reserve(scenario.paths.size());
  for (const PathSpec& path : scenario.paths) names.push_back(path.config.name);
  return "the name of a path: " + listed(names);
}

// --- workloads

void read_datagrams(YamlMap& map, WorkloadSpec& spec) {
  map.require("rate", "a rate like 2Mbit/s (of datagram payload)");
  map.read("direction", parse_direction, spec.direction);
  map.read("rate", parse_rate, spec.rate);
  read_size(map, "size", spec.size);
  check_range(map, "size", spec.size, FlowHeader::kSize, kMaxDatagram);
  map.read("lifetime", parse_duration, spec.lifetime);
  std::optional<Duration> length;
  map.read("for", parse_duration, length);
  map.read("count", parse_count, spec.count);
  if (length.has_value() == map.has("count"))
    return map.fail("count", "expected either count or for (a time like 10s)");
  if (length && map.ok()) spec.count = static_cast<std::uint64_t>(*length / spec.datagram_interval());
  if (spec.count == 0) map.fail("count", "expected at least one datagram");
}

void read_workload(YamlMap& map, WorkloadSpec& spec) {
  map.require("kind", "bulk, requests or datagrams");
  map.read("kind", parse_kind, spec.kind);
  map.read("start", parse_duration, spec.start);
  switch (spec.kind) {
    case WorkloadKind::bulk:
      map.require("bytes", "a size like 50MB");
      map.read("direction", parse_direction, spec.direction);
      read_bytes(map, "bytes", spec.bytes);
      map.read("streams", parse_count, spec.streams);
      check_range(map, "streams", spec.streams, 1, 1U << 20);
      return;
    case WorkloadKind::requests:
      map.require("count", "how many requests");
      map.read("count", parse_count, spec.count);
      check_range(map, "count", spec.count, 1, 1U << 24);
      map.read("concurrency", parse_count, spec.concurrency);
      check_range(map, "concurrency", spec.concurrency, 1, 1U << 20);
      read_bytes(map, "request", spec.request_bytes);
      read_bytes(map, "response", spec.response_bytes);
      return;
    case WorkloadKind::datagrams: return read_datagrams(map, spec);
  }
}

// --- events and assertions

template <class T>
void read_value(YamlMap& map, Parsed<T> (*parse)(std::string_view), ScriptedEvent& event) {
  map.require("value", "what to change it to");
  std::optional<T> value;
  map.read("value", parse, value);
  if (value) event.value = *value;
}

[[nodiscard]] Parsed<bool> parse_status(std::string_view text) {
  if (text == "available") return true;
  if (text == "backup") return false;
  return std::unexpected("available or backup");
}

void read_event(YamlMap& map, ScriptedEvent& event, const Scenario& scenario) {
  map.require("at", "a time like 3s");
  map.require("do", "what happens");
  map.require("path", path_names(scenario));
  map.read("at", parse_duration, event.at);
  map.read("do", parse_action, event.action);
  std::string name;
  map.read("path", name);
  const auto path = find_path(scenario, name);
  if (!path) return map.fail("path", fmt::format("expected {}, got '{}'", path_names(scenario), name));
  event.path = *path;
  switch (event.action) {
    case Action::link_down:
    case Action::link_up:
    case Action::nat_rebind:
    case Action::abandon_path:
    case Action::migrate_path: return;
    case Action::silent_death: break;
    case Action::set_rate: read_value(map, parse_rate, event); break;
    case Action::set_delay: read_value(map, parse_duration, event); break;
    case Action::set_loss: read_value(map, parse_probability, event); break;
    case Action::path_status: return read_value(map, parse_status, event);
  }
  map.read("direction", parse_direction, event.direction);
}

void read_assertions(YamlMap& map, Assertions& assertions) {
  map.read("completes", parse_switch, assertions.completes);
  map.read("completion", parse_duration, assertions.completion);
  map.read("goodput_of_sum", parse_ratio, assertions.goodput_of_sum);
  map.read("goodput_of_best", parse_ratio, assertions.goodput_of_best);
  map.read("stall", parse_duration, assertions.stall);
  map.read("datagrams_delivered", parse_ratio, assertions.datagrams_delivered);
}

void read_lists(YamlMap& root, Scenario& scenario) {
  read_paths(root, scenario);
  root.each("workloads", [&](YamlMap& map, std::size_t) { read_workload(map, scenario.workloads.emplace_back()); });
  root.each("events", [&](YamlMap& map, std::size_t) { read_event(map, scenario.events.emplace_back(), scenario); });
  std::ranges::stable_sort(scenario.events, {}, &ScriptedEvent::at);
}

void check_whole(YamlMap& root, Scenario& scenario, const std::string& first_path) {
  if (!root.ok()) return;
  if (!first_path.empty()) {
    scenario.endpoints.first_path = find_path(scenario, first_path);
    if (!scenario.endpoints.first_path)
      return root.fail("endpoints", fmt::format("first_path: expected {}, got '{}'", path_names(scenario), first_path));
  }
  if (!scenario.paths[scenario.first_path()].used) root.fail("paths", "the first path must be in use");
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
  std::string first_path;
  root.map("endpoints", [&](YamlMap& map) { read_endpoints(map, scenario.endpoints, first_path); });
  read_lists(root, scenario);
  root.map("assert", [&](YamlMap& map) { read_assertions(map, scenario.assertions); });
  root.finish();
  check_whole(root, scenario, first_path);
}

}  // namespace

std::expected<Scenario, std::string> parse_scenario(const std::string& yaml, const std::string& source,
                                                    const std::vector<std::string>& overrides) {
  try {
    YamlDocument document(source, yaml, overrides);
    Scenario scenario;
    scenario.source = source;
    expand_profiles(document, source);
    if (!document.failed()) {
      YamlMap root(document, document.root(), "");
      read_scenario(root, scenario);
      scenario.resolved = document.text();
    }
    if (document.failed()) return std::unexpected(*document.error());
    return scenario;
  } catch (const YAML::Exception& error) {
    return std::unexpected(fmt::format("{}: {}", source, error.what()));
  }
}

std::expected<Scenario, std::string> load_scenario(const std::string& file, const std::vector<std::string>& overrides) {
  const std::ifstream in(file);
  if (!in) return std::unexpected(fmt::format("{}: cannot be read", file));
  std::ostringstream text;
  text << in.rdbuf();
  return parse_scenario(text.str(), file, overrides);
}

}  // namespace mpquic::sim
