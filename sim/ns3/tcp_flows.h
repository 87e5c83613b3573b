// Bulk TCP flows of ns-3 between two of its nodes, for the whole run.
#pragma once

#include <ns3/ipv4-address.h>
#include <ns3/node.h>
#include <ns3/packet-sink.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mpquic::sim {

class TcpFlows {
 public:
  struct Config {
    ns3::Ptr<ns3::Node> from;
    ns3::Ptr<ns3::Node> to;
    ns3::Ipv4Address address;  // of `to`
    std::uint64_t flows = 0;
    std::string congestion_control;  // cubic, newreno or bbr
  };
  /// Both nodes have an internet stack and a route.
  void start(const Config& wanted);

  [[nodiscard]] bool empty() const { return sinks_.empty(); }
  /// Payload that the receivers' applications have read.
  [[nodiscard]] std::uint64_t bytes_received() const;

 private:
  std::vector<ns3::Ptr<ns3::PacketSink>> sinks_;
};

}  // namespace mpquic::sim
