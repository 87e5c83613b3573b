#include <charconv>

#include "sim/scenario/readers.h"
#include "sim/scenario/yaml_values.h"

namespace mpquic::sim {
namespace {

/// Decimal, or hexadecimal after 0x as the RFCs write error codes.
[[nodiscard]] Parsed<std::uint64_t> parse_error(std::string_view text) {
  std::uint64_t value = 0;
  const bool hex = text.starts_with("0x");
  const std::string_view digits = hex ? text.substr(2) : text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::unexpected("an error code like 0x0c");
  return value;
}

struct NamedSource {
  std::string_view name;
  CloseSource source;
};
constexpr NamedSource kCloseSources[] = {
    {"local", CloseSource::local},
    {"peer", CloseSource::peer},
    {"stateless_reset", CloseSource::stateless_reset},
    {"idle_timeout", CloseSource::idle_timeout},
    {"handshake_timeout", CloseSource::handshake_timeout},
    {"version_negotiation", CloseSource::version_negotiation},
};

[[nodiscard]] Parsed<CloseSource> parse_source(std::string_view text) {
  for (const NamedSource& known : kCloseSources)
    if (text == known.name) return known.source;
  return std::unexpected("local, peer, stateless_reset, idle_timeout, handshake_timeout or version_negotiation");
}

[[nodiscard]] ShareBound& bound_of(Assertions& assertions, std::size_t path) {
  const auto found = std::ranges::find(assertions.shares, path, &ShareBound::path);
  if (found != assertions.shares.end()) return *found;
  return assertions.shares.emplace_back(ShareBound{.path = path, .least = 0, .most = 1});
}

void read_shares(YamlMap& map, Scenario& scenario) {
  for (const bool least : {true, false}) {
    map.map(least ? "share_at_least" : "share_at_most", [&](YamlMap& inner) {
      for (std::size_t path = 0; path < scenario.paths.size(); ++path) {
        std::optional<double> ratio;
        inner.read(scenario.paths[path].config.name.c_str(), parse_ratio, ratio);
        if (!ratio) continue;
        ShareBound& bound = bound_of(scenario.assertions, path);
        (least ? bound.least : bound.most) = *ratio;
      }
    });
  }
}

[[nodiscard]] std::optional<std::uint64_t> read_measure(YamlMap& map, PathMeasure measure) {
  const std::string key(name_of(measure));
  std::optional<std::uint64_t> count;
  std::optional<ByteCount> size;
  if (is_size(measure))
    map.read(key.c_str(), parse_size, size);
  else
    map.read(key.c_str(), parse_count, count);
  return size ? size->value() : count;
}

/// `bound` says of which path, and gets the measure.
void read_bounds_of(YamlMap& map, bool least, PathBound bound, std::vector<PathBound>& bounds) {
  for (const PathMeasure measure : kPathMeasures) {
    const auto value = read_measure(map, measure);
    if (!value) continue;
    bound.measure = measure;
    (least ? bound.least : bound.most) = *value;
    bounds.push_back(bound);
  }
}

void read_bounds(YamlMap& map, Scenario& scenario) {
  for (const bool least : {true, false}) {
    map.map(least ? "at_least" : "at_most", [&](YamlMap& inner) {
      for (std::size_t path = 0; path < scenario.paths.size(); ++path) {
        const auto read = [&](YamlMap& own) { read_bounds_of(own, least, {.path = path}, scenario.assertions.bounds); };
        inner.map(std::string(kEveryPath).c_str(), read);
        inner.map(scenario.paths[path].config.name.c_str(), read);
      }
    });
  }
}

void read_close(YamlMap& map, ExpectedClose& closed) {
  map.read("side", parse_role, closed.side);
  map.read("source", parse_source, closed.source);
  map.read("error", parse_error, closed.error);
  map.read("reason", closed.reason);
  map.read("by", parse_duration, closed.by);
}

}  // namespace

void read_assertions(YamlMap& map, Scenario& scenario) {
  Assertions& assertions = scenario.assertions;
  map.map("closed", [&](YamlMap& inner) { read_close(inner, assertions.closed.emplace()); });
  assertions.completes = !assertions.closed;
  map.read("completes", parse_switch, assertions.completes);
  map.read("completion", parse_duration, assertions.completion);
  map.read("goodput", parse_rate, assertions.goodput);
  map.read("tcp_goodput", parse_rate, assertions.tcp_goodput);
  map.read("goodput_of_sum", parse_ratio, assertions.goodput_of_sum);
  map.read("goodput_of_best", parse_ratio, assertions.goodput_of_best);
  map.read("completion_of_bound", parse_ratio, assertions.completion_of_bound);
  map.read("stall", parse_duration, assertions.stall);
  map.read("datagrams_delivered", parse_ratio, assertions.datagrams_delivered);
  map.read("failover", parse_duration, assertions.failover);
  map.read("validated_paths", parse_count, assertions.validated_paths);
  map.read("key_updates", parse_count, assertions.key_updates);
  map.read("refused_paths", parse_switch, assertions.refused_paths);
  read_shares(map, scenario);
  read_bounds(map, scenario);
}

}  // namespace mpquic::sim
