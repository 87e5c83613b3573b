// The network of a scenario: `paths[]` in scenarios/SCHEMA.md.
#pragma once

#include "sim/scenario/scenario.h"
#include "sim/scenario/yaml_reader.h"

namespace mpquic::sim {

void read_paths(YamlMap& root, Scenario& scenario);

}  // namespace mpquic::sim
