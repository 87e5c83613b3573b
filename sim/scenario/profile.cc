#include "sim/scenario/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/scenario/scenario_files.h"
#include "sim/scenario/text_file.h"

namespace mpquic::sim {
namespace {

/// Keys that say the same in different ways: one of them in a path displaces the others in its profile.
struct Alternatives {
  std::string_view key;
  std::array<std::string_view, 5> displaced;
};
constexpr std::array kAlternatives = {
    Alternatives{"rate", {"rate", "rate_trace", "mahimahi", "shared"}},
    Alternatives{"rate_trace", {"rate", "rate_trace", "mahimahi", "rate_process", "burst"}},
    Alternatives{"mahimahi", {"rate", "rate_trace", "mahimahi", "rate_process", "burst"}},
    Alternatives{"shared", {"rate", "rate_trace", "mahimahi", "rate_process", "burst"}},
    Alternatives{"burst", {"burst", "rate_process"}},
    Alternatives{"rate_process", {"burst", "rate_process"}},
    Alternatives{"rtt", {"rtt", "delay", "delay_trace"}},
    Alternatives{"delay", {"rtt", "delay", "delay_trace"}},
    Alternatives{"delay_trace", {"rtt", "delay", "delay_trace"}},
};

/// Bounds of a profile's process around a value that the path replaces.
struct Bounds {
  std::string_view key;
  const char* process;
  std::array<const char*, 2> bounds;  // the second may be null
};
constexpr std::array kBounds = {
    Bounds{"rate", "rate_process", {"least", "most"}},
    Bounds{"rtt", "jitter", {"least"}},
    Bounds{"delay", "jitter", {"least"}},
    Bounds{"delay_trace", "jitter", {"least"}},
};

void displace(YAML::Node map, const std::string& key) {
  if (!map.IsDefined() || !map.IsMap()) return;
  map.remove(key);
  for (const Bounds& known : kBounds) {
    if (known.key != key || !map[known.process].IsMap()) continue;
    for (const char* bound : known.bounds)
      if (bound != nullptr) map[known.process].remove(bound);
  }
  const auto found = std::ranges::find(kAlternatives, key, &Alternatives::key);
  if (found == kAlternatives.end()) return;
  for (const std::string_view other : found->displaced)
    if (!other.empty()) map.remove(std::string(other));
}

[[nodiscard]] bool is_direction(const std::string& key) { return key == "up" || key == "down"; }

[[nodiscard]] std::string text_of(const YAML::Node& node) {
  YAML::Emitter out;
  out << YAML::Flow << node;
  return out.c_str();
}

/// A profile's own errors.
struct Malformed {
  std::string what;
};

/// Copies the values below `from` into `to`, without their sources.
void strip(const YAML::Node& from, const std::string& where, YAML::Node to, Profile& profile) {
  for (const auto& entry : from) {
    const auto key = entry.first.Scalar();
    const std::string path = where.empty() ? key : fmt::format("{}.{}", where, key);
    const YAML::Node& node = entry.second;
    if (where.empty() && is_direction(key) && node.IsMap()) {
      YAML::Node below(YAML::NodeType::Map);
      strip(node, key, below, profile);
      to[key] = below;
      continue;
    }
    if (!node.IsMap() || node.size() != 2 || !node["value"].IsDefined() || !node["source"].IsDefined() ||
        !node["source"].IsScalar() || node["source"].Scalar().empty())
      throw Malformed{fmt::format(":{}: key 'path.{}': expected {{value: ..., source: ...}}, the source as text",
                                  entry.first.Mark().line + 1, path)};
    to[key] = YAML::Clone(node["value"]);
    profile.values.push_back({.key = path, .value = text_of(node["value"]), .source = node["source"].Scalar()});
  }
}

[[nodiscard]] Profile parse_profile(const std::string& text) {
  const auto document = load_yaml(text);
  if (!document) throw Malformed{fmt::format(":{}: {}", document.error().line + 1, document.error().what)};
  const YAML::Node& root = *document;
  Profile profile;
  if (!root.IsMap()) throw Malformed{": expected a map of name, description and path"};
  for (const auto& entry : root) {
    const auto key = entry.first.Scalar();
    if (key == "name" && entry.second.IsScalar())
      profile.name = entry.second.Scalar();
    else if (key == "description" && entry.second.IsScalar())
      profile.description = entry.second.Scalar();
    else if (key != "path" || !entry.second.IsMap())
      throw Malformed{fmt::format(":{}: key '{}': unknown or malformed; expected name, description and path (a map)",
                                  entry.first.Mark().line + 1, key)};
  }
  if (!root["path"].IsDefined()) throw Malformed{": key 'path': missing; expected a map of the keys of a path"};
  profile.plain = YAML::Node(YAML::NodeType::Map);
  strip(root["path"], "", profile.plain, profile);
  return profile;
}

/// Lays what the path says over the profile.
void merge(const YAML::Node& plain, YAML::Node path) {
  YAML::Node under = YAML::Clone(plain);
  for (const auto& entry : path) {
    const auto key = entry.first.Scalar();
    if (is_direction(key)) {
      for (const auto& inner : entry.second) displace(under[key], inner.first.Scalar());
      continue;
    }
    displace(under, key);
    for (const char* direction : {"up", "down"})
      if (under[direction].IsDefined()) displace(under[direction], key);
  }
  for (const auto& entry : under) {
    const auto key = entry.first.Scalar();
    if (!is_direction(key) || !path[key].IsDefined()) {
      path[key] = entry.second;
      continue;
    }
    for (const auto& inner : entry.second) path[key][inner.first.Scalar()] = inner.second;
  }
}

}  // namespace

std::expected<Profile, std::string> load_profile(const std::string& file) {
  const auto text = read_text_file(file, kMaxYamlBytes);
  if (!text) return std::unexpected(fmt::format("{}: {}", file, text.error()));
  return read_profile(*text, file);
}

std::expected<Profile, std::string> read_profile(const std::string& text, const std::string& file) {
  try {
    return parse_profile(text);
  } catch (const Malformed& error) {
    return std::unexpected(file + error.what);
  } catch (const YAML::Exception& error) {
    return std::unexpected(fmt::format("{}:{}: not YAML: {}", file, error.mark.line + 1, error.msg));
  }
}

void expand_profiles(YamlDocument& document, const std::string& source) {
  if (document.failed()) return;
  const YAML::Node paths = document.root()["paths"];
  if (!paths.IsDefined() || !paths.IsSequence()) return;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    YAML::Node path = paths[i];
    if (!path.IsMap() || !path["profile"].IsDefined()) continue;
    const YAML::Node name = path["profile"];
    const auto refuse = [&](const std::string& what) { document.fail(name, fmt::format("paths.{}.profile", i), what); };
    const bool is_word = name.IsScalar() && name.Scalar().find_first_of("/\\") == std::string::npos;
    if (!is_word) return refuse("expected the name of a profile, like starlink");
    const auto profile = load_profile(profile_file(name.Scalar(), source));
    if (!profile) return refuse(profile.error());
    merge(profile->plain, path);
  }
}

}  // namespace mpquic::sim
