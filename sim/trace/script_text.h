// A scripted event for people to read.
#pragma once

#include <string>
#include <string_view>

#include "sim/scenario/scenario.h"

namespace mpquic::sim {

/// "set_rate on path wan2: value 5Mbit/s, direction up": the keys and values of scenario files (scenarios/SCHEMA.md).
/// `path` is the name of the event's path.
[[nodiscard]] std::string describe(const ScriptedEvent& event, std::string_view path);

}  // namespace mpquic::sim
