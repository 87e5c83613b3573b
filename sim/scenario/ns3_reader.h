// The `ns3` section of scenario files.
#pragma once

#include "sim/scenario/scenario.h"
#include "sim/scenario/yaml_reader.h"

namespace mpquic::sim {

/// After the paths: it names some of them.
void read_ns3(YamlMap& root, Scenario& scenario);

}  // namespace mpquic::sim
