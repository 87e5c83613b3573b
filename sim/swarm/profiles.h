// The profiles of scenarios/wan/, as the program was built with them: what a seed draws depends on no file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/swarm/case.h"

namespace mpquic::sim::swarm {

struct BuiltInProfile {
  std::string name;
  Fields path;  // what a path says instead of `profile: name`; what is one direction's alone in the file is both's here
};
/// Their files' texts, from the source that sim/CMakeLists.txt generates.
[[nodiscard]] std::vector<std::string_view> profile_texts();
/// In the order of their files.
[[nodiscard]] const std::vector<BuiltInProfile>& profiles();

}  // namespace mpquic::sim::swarm
