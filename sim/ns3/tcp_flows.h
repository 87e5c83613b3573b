// Bulk TCP flows of ns-3 between two of its nodes, for the whole run.
#pragma once

#include <ns3/ipv4-address.h>
#include <ns3/node.h>

#include <cstdint>
#include <string>

namespace mpquic::sim {

struct TcpFlows {
  ns3::Ptr<ns3::Node> from;
  ns3::Ptr<ns3::Node> to;
  ns3::Ipv4Address address;  // of `to`
  std::uint64_t flows = 0;
  std::string congestion_control;  // cubic, newreno or bbr
};

/// Both nodes have an internet stack and a route.
void start_tcp(const TcpFlows& wanted);

}  // namespace mpquic::sim
