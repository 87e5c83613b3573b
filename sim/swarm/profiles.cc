#include "sim/swarm/profiles.h"

#include "sim/scenario/profile.h"
#include "stack/base/check.h"

namespace mpquic::sim::swarm {
namespace {

/// In one line, whatever lines the file has.
[[nodiscard]] std::string text_of(const YAML::Node& node) {
  if (node.IsMap()) {
    Fields fields;
    for (const auto& entry : node) fields.set(entry.first.Scalar(), text_of(entry.second));
    return flow_map(fields);
  }
  if (!node.IsSequence()) return node.Scalar();
  std::string list;
  for (const auto& item : node) list += (list.empty() ? "" : ", ") + text_of(item);
  return "[" + list + "]";
}

void lay_over(Fields& fields, const YAML::Node& map) {
  for (const auto& entry : map) fields.set(entry.first.Scalar(), text_of(entry.second));
}

[[nodiscard]] BuiltInProfile built_in(std::string_view text) {
  const auto profile = read_profile(std::string(text), "a built-in profile");
  MPQUIC_CHECK(profile.has_value());
  BuiltInProfile out{.name = profile->name, .path = {}};
  for (const auto& entry : profile->plain)
    if (entry.first.Scalar() != "up" && entry.first.Scalar() != "down")
      out.path.set(entry.first.Scalar(), text_of(entry.second));
  // A rate must be there outside of both: what holds downwards holds both ways, but for what is said about upwards.
  lay_over(out.path, profile->plain["down"]);
  Fields up;
  lay_over(up, profile->plain["up"]);
  if (!up.empty()) out.path.set("up", flow_map(up));
  return out;
}

}  // namespace

const std::vector<BuiltInProfile>& profiles() {
  static const std::vector<BuiltInProfile> all = [] {
    std::vector<BuiltInProfile> made;
    for (const std::string_view text : profile_texts()) made.push_back(built_in(text));
    return made;
  }();
  return all;
}

}  // namespace mpquic::sim::swarm
