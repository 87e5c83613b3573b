// Profiles of access networks: scenarios/wan/NAME.yaml. Each value of a profile says where it comes from. In a scenario
// `profile: NAME` stands for the profile's values, and whatever else the path says wins over them.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "sim/scenario/yaml_reader.h"

namespace mpquic::sim {

struct ProfileValue {
  std::string key;  // "down.rate"
  std::string value;
  std::string source;
};

struct Profile {
  std::string name;
  std::string description;
  std::vector<ProfileValue> values;
  YAML::Node plain;  // the keys of a path, without the sources
};

/// The error is one line that names the file.
[[nodiscard]] std::expected<Profile, std::string> load_profile(const std::string& file);
/// The same from the text of a file, which messages call `file`.
[[nodiscard]] std::expected<Profile, std::string> read_profile(const std::string& text, const std::string& file);
/// Puts the values of their profiles into the paths of a scenario.
void expand_profiles(YamlDocument& document, const std::string& source);

}  // namespace mpquic::sim
