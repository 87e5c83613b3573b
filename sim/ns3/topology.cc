#include "sim/ns3/topology.h"

#include <fmt/format.h>
#include <ns3/boolean.h>
#include <ns3/data-rate.h>
#include <ns3/drop-tail-queue.h>
#include <ns3/internet-stack-helper.h>
#include <ns3/ipv4-static-routing-helper.h>
#include <ns3/ipv4.h>
#include <ns3/mac48-address.h>
#include <ns3/trace-helper.h>

#include <algorithm>

#include "sim/network/link_end.h"
#include "sim/ns3/lte.h"
#include "sim/ns3/parts.h"
#include "sim/ns3/wifi.h"

namespace mpquic::sim {
namespace {

constexpr std::uint16_t kRoomyMtu = 65'535;  // our links know their MTU themselves
constexpr std::uint16_t kWireMtu = 9000;
const Bandwidth kFastRate = Bandwidth::from_bits_per_second(10'000'000'000);
constexpr std::uint64_t kDeepQueue = 16'000'000;
constexpr std::uint64_t kWifiDistance = 10;  // metres
constexpr std::uint32_t kHostsPerSubnet = 256;
constexpr std::uint32_t kFirstSubnet = 0x0a010000;  // 10.1.0.0

void capture(const ns3::Ptr<ns3::NetDevice>& device, const std::string& file) {
  ns3::PcapHelper pcap;
  const auto out = pcap.CreateFile(file, std::ios::out | std::ios::binary, ns3::PcapHelper::DLT_RAW);
  pcap.HookDefaultSink<ns3::NetDevice>(device, "PromiscSniffer", out);
}

[[nodiscard]] std::uint32_t interface_of(const ns3::Ptr<ns3::NetDevice>& device) {
  const auto ipv4 = device->GetNode()->GetObject<ns3::Ipv4>();
  const std::int32_t known = ipv4->GetInterfaceForDevice(device);
  return known >= 0 ? static_cast<std::uint32_t>(known) : ipv4->AddInterface(device);
}

void give_address(const ns3::Ptr<ns3::NetDevice>& device, ns3::Ipv4Address address) {
  const auto ipv4 = device->GetNode()->GetObject<ns3::Ipv4>();
  const std::uint32_t interface = interface_of(device);
  ipv4->AddAddress(interface, ns3::Ipv4InterfaceAddress(address, ns3::Ipv4Mask("255.255.255.0")));
  ipv4->SetMetric(interface, 1);
  ipv4->SetUp(interface);
}

void add_route(const ns3::Ptr<ns3::NetDevice>& from, ns3::Ipv4Address to, ns3::Ipv4Address next_hop) {
  const auto ipv4 = from->GetNode()->GetObject<ns3::Ipv4>();
  ns3::Ipv4StaticRoutingHelper helper;
  helper.GetStaticRouting(ipv4)->AddHostRouteTo(to, next_hop, interface_of(from));
}

[[nodiscard]] LinkConfig wire_config(Bandwidth rate, Duration delay, ByteCount queue) {
  LinkConfig config;
  config.rate = rate;
  config.delay = delay;
  config.queue = queue;
  config.mtu = kWireMtu;
  return config;
}

}  // namespace

Topology::Topology(const Scenario& scenario, Options options)
    : scenario_(scenario), options_(std::move(options)), exits_(scenario.paths.size() * 2) {
  client_ = new_node();
  server_ = new_node();
  paths_.resize(scenario_.paths.size());
  switch (scenario_.ns3.topology) {
    case Ns3Topology::paths: break;
    case Ns3Topology::shared_bottleneck: build_bottleneck(); break;
    case Ns3Topology::wifi: build_wifi(); break;
    case Ns3Topology::lte: build_lte(); break;
  }
  for (std::size_t path = 0; path < paths_.size(); ++path)
    if (!passes(path)) add_path(path, {add_path_link(path, client_, server_)});
}

Topology::~Topology() = default;

bool Topology::passes(std::size_t path) const {
  const auto& through = scenario_.ns3.through;
  return scenario_.ns3.only_ns3() && std::ranges::find(through, path) != through.end();
}

ns3::Ptr<ns3::Node> Topology::new_node() {
  const auto node = ns3::CreateObject<ns3::Node>();
  ns3::InternetStackHelper internet;
  internet.SetIpv6StackInstall(false);
  internet.SetRoutingHelper(ns3::Ipv4StaticRoutingHelper());
  internet.Install(node);
  streams_ += internet.AssignStreams(ns3::NodeContainer(node), streams_);
  return node;
}

Topology::Hop Topology::address(const ns3::Ptr<ns3::NetDevice>& near, const ns3::Ptr<ns3::NetDevice>& far) {
  const std::uint32_t subnet = kFirstSubnet + subnets_++ * kHostsPerSubnet;
  Hop hop{.near = near,
          .far = far,
          .near_address = ns3::Ipv4Address(subnet + 2),
          .far_address = ns3::Ipv4Address(subnet + 1)};
  give_address(near, hop.near_address);
  give_address(far, hop.far_address);
  return hop;
}

Topology::Hop Topology::add_wire(const Wire& wire) {
  const auto near = add_wire_end(wire.near, wire.up);
  const auto far = add_wire_end(wire.far, wire.down);
  const auto channel = ns3::CreateObject<TwoDelayChannel>();
  channel->set_delays(wire.up.delay, wire.down.delay);
  near->SetChannel(channel);
  far->SetChannel(channel);
  if (wire.first_link != UINT32_MAX) {
    const auto loss = [&](const LinkConfig& config, std::uint32_t link) {
      const RandomSource random{.seed = options_.seed, .entity = link};
      return ns3::Ptr<SeededLoss>(new SeededLoss(config.loss, random.of(Purpose::loss)), false);
    };
    far->SetReceiveErrorModel(loss(wire.up, wire.first_link));
    near->SetReceiveErrorModel(loss(wire.down, wire.first_link + 1));
  }
  Hop hop = address(near, far);
  capture_ip(near, wire.name + "-near");
  capture_ip(far, wire.name + "-far");
  return hop;
}

/// These devices have no sniffer: what IP sends and receives there.
void Topology::capture_ip(const ns3::Ptr<ns3::NetDevice>& device, const std::string& name) {
  if (options_.pcap.empty()) return;
  const auto ipv4 = device->GetNode()->GetObject<ns3::Ipv4>();
  ns3::InternetStackHelper().EnablePcapIpv4(fmt::format("{}/{}.pcap", options_.pcap, name), ipv4, interface_of(device),
                                            true);
}

ns3::Ptr<ns3::SimpleNetDevice> Topology::add_wire_end(const ns3::Ptr<ns3::Node>& node, const LinkConfig& sends) {
  const auto device = ns3::CreateObject<ns3::SimpleNetDevice>();
  device->SetAddress(ns3::Mac48Address::Allocate());
  device->SetAttribute("PointToPointMode", ns3::BooleanValue(true));
  device->SetAttribute("DataRate", ns3::DataRateValue(ns3::DataRate(sends.rate.bits_per_second())));
  device->SetMtu(kWireMtu);
  const auto queue = ns3::CreateObject<ns3::DropTailQueue<ns3::Packet>>();
  const auto bytes = static_cast<std::uint32_t>(std::max<std::uint64_t>(sends.queue.value(), kWireMtu));
  queue->SetMaxSize(ns3::QueueSize(ns3::QueueSizeUnit::BYTES, bytes));
  device->SetQueue(queue);
  const auto on_drop = ns3::Callback<void, ns3::Ptr<const ns3::Packet>>(options_.on_drop);
  queue->TraceConnectWithoutContext("Drop", on_drop);
  device->TraceConnectWithoutContext("PhyRxDrop", on_drop);
  node->AddDevice(device);
  return device;
}

Topology::Hop Topology::add_path_link(std::size_t path, const ns3::Ptr<ns3::Node>& near,
                                      const ns3::Ptr<ns3::Node>& far) {
  if (scenario_.ns3.links == Ns3Links::model) return add_model_link(path, near, far);
  const PathConfig& config = scenario_.paths[path].config;
  return add_wire({.near = near,
                   .far = far,
                   .up = config.up,
                   .down = config.down,
                   .name = config.name,
                   .first_link = static_cast<std::uint32_t>(path * 2)});
}

Topology::Hop Topology::add_model_link(std::size_t path, const ns3::Ptr<ns3::Node>& near,
                                       const ns3::Ptr<ns3::Node>& far) {
  ns3::Ptr<ns3::VirtualNetDevice> ends[2];
  const ns3::Ptr<ns3::Node> nodes[2] = {near, far};
  for (const std::size_t end : {0U, 1U}) {
    const auto device = ns3::CreateObject<ns3::VirtualNetDevice>();
    device->SetAddress(ns3::Mac48Address::Allocate());
    device->SetMtu(kRoomyMtu);
    device->SetNeedsArp(false);
    device->SetIsPointToPoint(true);
    // The near end feeds the way up.
    const Direction direction = end == 0 ? Direction::up : Direction::down;
    const std::size_t link = LinkEnd{path, direction}.index();
    device->SetSendCallback(ns3::VirtualNetDevice::SendCallback(
        [this, link](const ns3::Ptr<ns3::Packet>& packet, const ns3::Address&, const ns3::Address&, std::uint16_t) {
          return options_.on_link(link, packet);
        }));
    nodes[end]->AddDevice(device);
    const std::string file =
        fmt::format("{}/{}-{}.pcap", options_.pcap, scenario_.paths[path].config.name, end == 0 ? "near" : "far");
    if (!options_.pcap.empty()) capture(device, file);
    exits_[LinkEnd{path, direction == Direction::up ? Direction::down : Direction::up}.index()] = device;
    ends[end] = device;
  }
  return address(ends[0], ends[1]);
}

/// Host routes: from every node of the chain to its last address, and back to its first.
void Topology::route(const Hops& hops) {
  for (const Hop& hop : hops) {
    add_route(hop.near, hops.back().far_address, hop.far_address);
    add_route(hop.far, hops.front().near_address, hop.near_address);
  }
}

void Topology::add_path(std::size_t path, const Hops& hops) {
  route(hops);
  paths_[path] = {
      .client_device = hops.front().near, .client = hops.front().near_address, .server = hops.back().far_address};
}

void Topology::build_bottleneck() {
  const Ns3Spec& spec = scenario_.ns3;
  const auto router = new_node();
  const LinkConfig line = wire_config(spec.rate, spec.delay, spec.queue);
  const Hop shared = add_wire({.near = router, .far = server_, .up = line, .down = line, .name = "bottleneck"});
  for (const std::size_t path : spec.through) add_path(path, {add_path_link(path, client_, router), shared});
  if (spec.tcp.flows == 0) return;
  // Both TCP hosts stand behind wires of their own, so that only the line is narrow.
  const LinkConfig wide = wire_config(kFastRate, spec.tcp.delay / 2, ByteCount(kDeepQueue));
  const Hop near = add_wire({.near = new_node(), .far = router, .up = wide, .down = wide, .name = "tcp"});
  const Hop far = add_wire({.near = server_, .far = new_node(), .up = wide, .down = wide, .name = "tcp-server"});
  add_tcp({near, shared, far});
}

void Topology::build_wifi() {
  const Ns3Spec& spec = scenario_.ns3;
  wifi_ = std::make_unique<Wifi>(spec.distance_m.value_or(kWifiDistance), options_.pcap, streams_);
  ns3::Ptr<ns3::Node> first;
  for (const std::size_t path : spec.through) {
    const auto access_point = new_node();
    if (first == nullptr) first = access_point;
    add_path(path, {add_wifi(client_, access_point), add_path_link(path, access_point, server_)});
  }
  if (spec.tcp.flows == 0 || first == nullptr) return;
  const LinkConfig wide = wire_config(kFastRate, spec.tcp.delay, ByteCount(kDeepQueue));
  const Hop air = add_wifi(new_node(), first);
  add_tcp({air, add_wire({.near = first, .far = new_node(), .up = wide, .down = wide, .name = "tcp-server"})});
}

Topology::Hop Topology::add_wifi(const ns3::Ptr<ns3::Node>& station, const ns3::Ptr<ns3::Node>& access_point) {
  const auto [at_station, at_access_point] = wifi_->connect(station, access_point);
  return address(at_station, at_access_point);
}

void Topology::build_lte() {
  const Ns3Spec& spec = scenario_.ns3;
  LteConfig config{.resource_blocks = spec.resource_blocks, .queue = spec.queue};
  if (spec.distance_m) config.distance_m = *spec.distance_m;
  lte_ = std::make_unique<Lte>(config, streams_);
  lte_->watch_queues(options_.on_drop);
  const auto gateway = lte_->gateway();
  for (const std::size_t path : spec.through)
    add_path(path, {add_phone(client_), add_path_link(path, gateway, server_)});
  if (spec.tcp.flows == 0) return;
  const LinkConfig wide = wire_config(kFastRate, spec.tcp.delay, ByteCount(kDeepQueue));
  const Hop air = add_phone(new_node());
  add_tcp({air, add_wire({.near = gateway, .far = new_node(), .up = wide, .down = wide, .name = "tcp-server"})});
}

Topology::Hop Topology::add_phone(const ns3::Ptr<ns3::Node>& node) {
  const Lte::Phone phone = lte_->connect(node);
  capture_ip(phone.device, fmt::format("lte-node{}", node->GetId()));
  return {.near = phone.device,
          .far = lte_->gateway_device(),
          .near_address = phone.address,
          .far_address = lte_->gateway_address()};
}

void Topology::add_tcp(const Hops& hops) {
  route(hops);
  const bool up = scenario_.main_direction() == Direction::up;
  const auto near = hops.front().near->GetNode();
  const auto far = hops.back().far->GetNode();
  tcp_.start({.from = up ? near : far,
              .to = up ? far : near,
              .address = up ? hops.back().far_address : hops.front().near_address,
              .flows = scenario_.ns3.tcp.flows,
              .congestion_control = scenario_.ns3.tcp.congestion_control});
}

}  // namespace mpquic::sim
