// The keys of one link: those of `paths[]`, `paths[].up` and `paths[].down` in scenarios/SCHEMA.md.
#pragma once

#include <optional>

#include "sim/link/link.h"
#include "sim/yaml_reader.h"

namespace mpquic::sim {

/// A queue is so many bytes, or as many as the link sends in so much time.
struct QueueSpec {
  ByteCount bytes;
  Duration time{};
};

/// A link as far as the file tells. What depends on both directions is settled afterwards.
struct LinkSpec {
  LinkConfig config;
  std::optional<QueueSpec> queue;
};

/// What the map leaves out stays as it is in `link`.
void read_link(YamlMap& map, LinkSpec& link);

/// The queue that the link has in a path of this round trip.
void settle_queue(LinkSpec& link, Duration rtt);

}  // namespace mpquic::sim
