#include "sim/ns3/network.h"

#include <ns3/config.h>
#include <ns3/flow-monitor.h>
#include <ns3/inet-socket-address.h>
#include <ns3/ipv4-address-generator.h>
#include <ns3/ipv4-header.h>
#include <ns3/ipv4-l3-protocol.h>
#include <ns3/mac48-address.h>
#include <ns3/node-list.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/simulator.h>
#include <ns3/udp-header.h>
#include <ns3/udp-l4-protocol.h>

#include <algorithm>

#include "sim/network/world.h"
#include "sim/ns3/parts.h"
#include "stack/base/check.h"

namespace mpquic::sim {
namespace {

constexpr std::uint16_t kClientPort = 50000;
constexpr std::uint16_t kServerPort = 4433;
constexpr std::uint8_t kTtl = 64;
/// For Wi-Fi to associate, and TCP to leave its slow start, before the first packet of ours.
constexpr std::int64_t kWarmUpMs = 2000;

[[nodiscard]] std::uint16_t client_port(std::size_t path) { return static_cast<std::uint16_t>(kClientPort + path); }
/// The server has a socket for each path too: ports tell the paths apart where they share its address.
[[nodiscard]] std::uint16_t server_port(std::size_t path) { return static_cast<std::uint16_t>(kServerPort + path); }

}  // namespace

Ns3Network::Ns3Network(const Scenario& scenario, const Ns3Options& options)
    : scenario_(scenario), options_(options), drops_(scenario.paths.size()) {
  ns3::RngSeedManager::SetSeed(1);
  ns3::RngSeedManager::SetRun(options.seed);
  warm_up_ = ns3::MilliSeconds(scenario.ns3.only_ns3() ? kWarmUpMs : 0);
  topology_.emplace(scenario, callbacks());
  start_hosts();
  if (options.flow_monitor.empty()) return;
  flow_monitor_ = std::make_unique<ns3::FlowMonitorHelper>();
  flow_monitor_->InstallAll();
}

Ns3Network::~Ns3Network() {
  for (const auto& host : hosts_) host->set_sink(nullptr);
  ns3::Simulator::Destroy();
  ns3::Ipv4AddressGenerator::Reset();
  ns3::Mac48Address::ResetAllocationIndex();
  ns3::Config::Reset();
}

Topology::Options Ns3Network::callbacks() {
  return {.seed = options_.seed,
          .pcap = options_.pcap,
          .on_link = [this](std::size_t link, const ns3::Ptr<ns3::Packet>& packet) { return on_link(link, packet); },
          .on_drop = [this](const ns3::Ptr<const ns3::Packet>& packet) { on_drop(packet); }};
}

void Ns3Network::start_hosts() {
  const ns3::Ptr<ns3::Node> nodes[2] = {topology_->client(), topology_->server()};
  for (const Role role : {Role::client, Role::server}) {
    auto& host = hosts_[static_cast<std::size_t>(role)];
    host = ns3::CreateObject<HostApplication>();
    nodes[static_cast<std::size_t>(role)]->AddApplication(host);
    host->set_sink([this](std::size_t link, const Packet& packet, Bytes bytes) {
      to_world({.enters_link = false, .link = link, .packet = packet, .bytes = {bytes.begin(), bytes.end()}});
    });
    for (std::size_t path = 0; path < scenario_.paths.size(); ++path) {
      const Topology::PathEnds& ends = topology_->path(path);
      if (role == Role::client)
        host->add_path(ends.client_device, client_port(path), ns3::InetSocketAddress(ends.server, server_port(path)));
      else
        host->add_path(nullptr, server_port(path), ns3::InetSocketAddress(ends.client, client_port(path)));
    }
  }
}

void Ns3Network::attach(World& world) {
  world_ = &world;
  static_cast<void>(run_until(Instant{}));
  tcp_bytes_before_ = topology_->tcp().bytes_received();
}

std::optional<std::uint64_t> Ns3Network::tcp_bytes() const {
  if (topology_->tcp().empty()) return std::nullopt;
  return topology_->tcp().bytes_received() - tcp_bytes_before_;
}

void Ns3Network::on_sent(std::size_t link, const Packet& packet, Bytes bytes) {
  const LinkEnd end = LinkEnd::of(link);
  const PathConfig& path = scenario_.paths[end.path].config;
  const LinkConfig& config = end.direction == Direction::up ? path.up : path.down;
  // ns-3 would fragment what does not fit; QUIC forbids it (RFC 9000 §14). Our own links see to that themselves.
  const bool too_big = scenario_.ns3.links == Ns3Links::ns3 && packet.ip_size() > config.mtu;
  if (too_big || !hosts_[static_cast<std::size_t>(end.sender())]->send(link, packet, bytes)) ++drops_[end.path];
}

bool Ns3Network::on_link(std::size_t link, ns3::Ptr<ns3::Packet> packet) {
  DatagramTag tag;
  if (!packet->FindFirstMatchingByteTag(tag)) return false;  // ICMP
  const auto payload = packet->Copy();
  ns3::Ipv4Header ip;
  ns3::UdpHeader udp;
  payload->RemoveHeader(ip);
  payload->RemoveHeader(udp);
  Pending entering{.enters_link = true, .link = link, .packet = tag.packet(), .bytes = {}};
  entering.packet.ecn = static_cast<Ecn>(ip.GetEcn());
  entering.bytes.resize(payload->GetSize());
  payload->CopyData(reinterpret_cast<std::uint8_t*>(entering.bytes.data()), payload->GetSize());
  on_links_[entering.packet.serial] = packet;
  to_world(std::move(entering));
  return true;
}

void Ns3Network::on_drop(ns3::Ptr<const ns3::Packet> packet) {
  DatagramTag tag;
  if (packet->FindFirstMatchingByteTag(tag)) ++drops_[LinkEnd::of(tag.link()).path];
}

void Ns3Network::on_link_exit(std::size_t link, const Packet& packet, Bytes bytes) {
  const auto device = topology_->exit_of(link);
  device->Receive(leaving(link, packet, bytes), ns3::Ipv4L3Protocol::PROT_NUMBER, device->GetAddress(),
                  device->GetAddress(), ns3::NetDevice::PACKET_HOST);
}

/// What went in, if the link has left it alone: FlowMonitor's tags are on it. A duplicate finds it gone.
ns3::Ptr<ns3::Packet> Ns3Network::leaving(std::size_t link, const Packet& packet, Bytes bytes) {
  const auto found = on_links_.find(packet.serial);
  if (found == on_links_.end()) return rebuilt(link, packet, bytes);
  const auto entered = found->second;
  on_links_.erase(found);
  DatagramTag tag;
  const bool known = entered->FindFirstMatchingByteTag(tag) && tag.packet().ecn == packet.ecn;
  if (!known || entered->GetSize() != packet.ip_size()) return rebuilt(link, packet, bytes);
  scratch_.resize(entered->GetSize());
  entered->CopyData(reinterpret_cast<std::uint8_t*>(scratch_.data()), entered->GetSize());
  const bool same = std::ranges::equal(bytes, Bytes(scratch_).last(bytes.size()));
  return same ? entered : rebuilt(link, packet, bytes);
}

ns3::Ptr<ns3::Packet> Ns3Network::rebuilt(std::size_t link, const Packet& packet, Bytes bytes) const {
  const auto [path, direction] = LinkEnd::of(link);
  const bool up = direction == Direction::up;
  const Topology::PathEnds& ends = topology_->path(path);
  const auto result = ns3::Create<ns3::Packet>(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                               static_cast<std::uint32_t>(bytes.size()));
  DatagramTag tag;
  tag.set(link, packet);
  result->AddByteTag(tag);
  ns3::UdpHeader udp;
  udp.SetSourcePort(up ? client_port(path) : server_port(path));
  udp.SetDestinationPort(up ? server_port(path) : client_port(path));
  result->AddHeader(udp);
  ns3::Ipv4Header ip;
  ip.SetSource(up ? ends.client : ends.server);
  ip.SetDestination(up ? ends.server : ends.client);
  ip.SetProtocol(ns3::UdpL4Protocol::PROT_NUMBER);
  ip.SetPayloadSize(static_cast<std::uint16_t>(result->GetSize()));
  ip.SetTtl(kTtl);
  ip.SetEcn(static_cast<ns3::Ipv4Header::EcnType>(packet.ecn));
  result->AddHeader(ip);
  return result;
}

std::optional<Instant> Ns3Network::run_until(Instant limit) {
  const ns3::Time at = to_ns3(limit);
  if (!stop_.IsRunning() || at != stop_at_) {
    ns3::Simulator::Remove(stop_);
    stop_ = ns3::Simulator::Schedule(at - ns3::Simulator::Now(), [] { ns3::Simulator::Stop(); });
    stop_at_ = at;
  }
  running_ = true;
  ns3::Simulator::Run();
  running_ = false;
  if (pending_.empty()) return std::nullopt;
  return Instant{} + Duration((ns3::Simulator::Now() - warm_up_).GetNanoSeconds());
}

void Ns3Network::to_world(Pending pending) {
  if (!running_) return tell(pending);
  pending_.push_back(std::move(pending));
  ns3::Simulator::Stop();
}

void Ns3Network::on_due() {
  std::vector<Pending> all;
  all.swap(pending_);
  for (const Pending& pending : all) tell(pending);
}

void Ns3Network::tell(const Pending& pending) {
  if (pending.enters_link)
    world_->enter_link(pending.link, pending.packet, pending.bytes);
  else
    world_->deliver(pending.link, pending.packet, pending.bytes);
}

void Ns3Network::finish() {
  if (flow_monitor_ == nullptr) return;
  const auto monitor = flow_monitor_->GetMonitor();
  monitor->CheckForLostPackets();
  monitor->SerializeToXmlFile(options_.flow_monitor, true, true);
}

}  // namespace mpquic::sim
