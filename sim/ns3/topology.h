// Nodes, devices, addresses and routes of one scenario in ns-3.
//
//   paths              client ==link i== server
//   shared_bottleneck  client ==link i== router --rate, delay, queue-- server; TCP hosts hang on router and server
//   wifi               client ~~Wi-Fi~~ access point i ==link i== server; a TCP station hangs on the first access point
//   lte                client ~~LTE~~ base station, core ==link i== server; a TCP phone is in the same cell
#pragma once

#include <ns3/ipv4-address.h>
#include <ns3/net-device.h>
#include <ns3/node-container.h>
#include <ns3/simple-net-device.h>
#include <ns3/virtual-net-device.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/ns3/tcp_flows.h"
#include "sim/scenario/scenario.h"

namespace mpquic::sim {

class Lte;
class Wifi;

class Topology {
 public:
  /// A packet of IP that a node gives to one of our own links.
  using OnLink = std::function<bool(std::size_t link, ns3::Ptr<ns3::Packet> packet)>;
  using OnDrop = std::function<void(ns3::Ptr<const ns3::Packet> packet)>;
  struct Options {
    std::uint64_t seed = 1;
    std::string pcap;  // directory, or empty
    OnLink on_link;
    OnDrop on_drop;
  };
  struct PathEnds {
    ns3::Ptr<ns3::NetDevice> client_device;
    ns3::Ipv4Address client;
    ns3::Ipv4Address server;
  };

  /// The scenario outlives this.
  Topology(const Scenario& scenario, Options options);
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;
  ~Topology();

  [[nodiscard]] ns3::Ptr<ns3::Node> client() const { return client_; }
  [[nodiscard]] ns3::Ptr<ns3::Node> server() const { return server_; }
  [[nodiscard]] const PathEnds& path(std::size_t index) const { return paths_[index]; }
  /// Where packets leave our link; the node behind it takes them.
  [[nodiscard]] ns3::Ptr<ns3::VirtualNetDevice> exit_of(std::size_t link) const { return exits_[link]; }
  [[nodiscard]] const TcpFlows& tcp() const { return tcp_; }

 private:
  struct Hop {
    ns3::Ptr<ns3::NetDevice> near;  // at the client's end
    ns3::Ptr<ns3::NetDevice> far;
    ns3::Ipv4Address near_address;
    ns3::Ipv4Address far_address;
  };
  using Hops = std::vector<Hop>;
  struct Wire {  // of ns-3
    ns3::Ptr<ns3::Node> near;
    ns3::Ptr<ns3::Node> far;
    LinkConfig up;
    LinkConfig down;
    std::string name;
    std::uint32_t first_link = UINT32_MAX;  // whose random streams its losses are; none without
  };
  [[nodiscard]] ns3::Ptr<ns3::Node> new_node();
  [[nodiscard]] Hop address(const ns3::Ptr<ns3::NetDevice>& near, const ns3::Ptr<ns3::NetDevice>& far);
  [[nodiscard]] Hop add_wire(const Wire& wire);
  [[nodiscard]] ns3::Ptr<ns3::SimpleNetDevice> add_wire_end(const ns3::Ptr<ns3::Node>& node, const LinkConfig& sends);
  void capture_ip(const ns3::Ptr<ns3::NetDevice>& device, const std::string& name);
  [[nodiscard]] Hop add_path_link(std::size_t path, const ns3::Ptr<ns3::Node>& near, const ns3::Ptr<ns3::Node>& far);
  [[nodiscard]] Hop add_model_link(std::size_t path, const ns3::Ptr<ns3::Node>& near, const ns3::Ptr<ns3::Node>& far);
  void route(const Hops& hops);
  void add_path(std::size_t path, const Hops& hops);
  void build_bottleneck();
  void build_wifi();
  [[nodiscard]] Hop add_wifi(const ns3::Ptr<ns3::Node>& station, const ns3::Ptr<ns3::Node>& access_point);
  void build_lte();
  [[nodiscard]] Hop add_phone(const ns3::Ptr<ns3::Node>& node);
  void add_tcp(const Hops& hops);
  [[nodiscard]] bool passes(std::size_t path) const;

  const Scenario& scenario_;
  Options options_;
  ns3::Ptr<ns3::Node> client_;
  ns3::Ptr<ns3::Node> server_;
  std::vector<PathEnds> paths_;
  std::vector<ns3::Ptr<ns3::VirtualNetDevice>> exits_;  // by link; null for ns-3's own
  std::uint32_t subnets_ = 0;
  std::int64_t streams_ = 0;  // of random numbers, handed out so far
  std::unique_ptr<Wifi> wifi_;
  std::unique_ptr<Lte> lte_;
  TcpFlows tcp_;
};

}  // namespace mpquic::sim
