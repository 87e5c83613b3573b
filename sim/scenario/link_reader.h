// The keys of one link: those of `paths[]`, `paths[].up` and `paths[].down` in scenarios/SCHEMA.md.
#pragma once

#include <optional>
#include <string>

#include "sim/link/outage.h"
#include "sim/network/packet_pool.h"
#include "sim/scenario/yaml_reader.h"
#include "stack/base/packet_io.h"

namespace mpquic::sim {

/// Below this, no QUIC handshake fits.
inline constexpr std::size_t kMinMtu = kMinInitialDatagram + kIpUdpOverhead;
inline constexpr std::size_t kMaxMtu = 9000;

/// A queue is so many bytes, or as many as the link sends in so much time, or so many packets.
struct QueueLimit {
  ByteCount bytes;
  Duration time{};
  std::size_t packets = 0;
};

/// A link as far as the file tells. What depends on both directions is settled afterwards.
struct LinkSpec {
  LinkConfig config;
  std::optional<QueueLimit> queue;
  bool has_rate = false;
  bool has_delay = false;
};

/// What a link's keys may refer to.
struct LinkContext {
  std::string directory;                             // of the scenario file: traces are relative to it
  const std::vector<std::string>* shared = nullptr;  // names of the shared bottlenecks
};

/// What the map leaves out stays as it is in `link`.
void read_link(YamlMap& map, LinkSpec& link, const LinkContext& context);

/// Those of the keys that a bottleneck has without a link: rate, queue, cross_traffic and the like.
void read_bottleneck(YamlMap& map, LinkSpec& link, const LinkContext& context);

/// The queue that the link has in a path of this round trip.
void settle_queue(LinkSpec& link, Duration rtt);

/// The keys of one outage or failure group: mode, and when.
void read_outage(YamlMap& map, OutageConfig& outage);

}  // namespace mpquic::sim
