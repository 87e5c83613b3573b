// What only ns-3 can do with a scenario: its `ns3` section, as plain data. The simulator reads it and leaves it alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/bandwidth.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic::sim {

enum class Ns3Topology : std::uint8_t {
  paths,              // each path is a link between client and server
  shared_bottleneck,  // behind their links, the paths share a router's line to the server with TCP flows
  wifi,               // the paths' first hop is Wi-Fi, in one channel, which TCP flows of another station share
  lte,                // the paths' first hop is an LTE cell, which TCP flows of another phone share
};

/// Whose links the paths' links are.
enum class Ns3Links : std::uint8_t {
  model,  // ours, as devices of ns-3
  ns3,    // devices of ns-3: rate, delay, droptail, independent losses
};

struct Ns3TcpSpec {
  std::uint64_t flows = 0;
  std::string congestion_control = "cubic";
  Duration delay = std::chrono::milliseconds(5);  // one way, beyond what they share with the paths
};

struct Ns3Spec {
  Ns3Topology topology = Ns3Topology::paths;
  Ns3Links links = Ns3Links::model;
  std::vector<std::size_t> through;  // the paths that the topology is about
  // --- shared_bottleneck
  Bandwidth rate = Bandwidth::from_bits_per_second(100'000'000);
  Duration delay = std::chrono::milliseconds(5);
  ByteCount queue{250'000};  // also of LTE's base station for each phone, and of each phone
  // --- wifi, lte
  std::optional<std::uint64_t> distance_m;  // from the access point, 10 by default; from the base station, 500
  // --- lte
  std::uint64_t resource_blocks = 50;  // each way; 50 are 10 MHz
  Ns3TcpSpec tcp;

  /// Whether the simulator's own network could run this as well.
  [[nodiscard]] bool only_ns3() const { return topology != Ns3Topology::paths; }
};

}  // namespace mpquic::sim
