// `mpquic-sim profile`: says what a profile does, as a table, as JSON and as a picture.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace mpquic::sim {

struct ProfileRequest {
  std::string name;  // of a profile, or its file
  std::uint64_t seed = 1;
  std::string duration = "60s";
  std::string plot;  // .svg file
  std::string json;  // file, or "-"
};

/// The table; nothing where the JSON goes to standard output. The error is one line.
[[nodiscard]] std::expected<std::string, std::string> describe_profile(const ProfileRequest& request);

}  // namespace mpquic::sim
