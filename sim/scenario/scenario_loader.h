#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/scenario.h"

namespace mpquic::sim {

/// `overrides` are KEY=VALUE with a dotted path: "paths.0.rate=5Mbit/s". `seed` decides what ranges come down to. On
/// failure one line that says where and what.
[[nodiscard]] std::expected<Scenario, std::string> load_scenario(const std::string& file,
                                                                 const std::vector<std::string>& overrides = {},
                                                                 std::uint64_t seed = 1);
/// The same from text; `source` stands for the file name in messages.
[[nodiscard]] std::expected<Scenario, std::string> parse_scenario(const std::string& yaml, const std::string& source,
                                                                  const std::vector<std::string>& overrides = {},
                                                                  std::uint64_t seed = 1);

}  // namespace mpquic::sim
