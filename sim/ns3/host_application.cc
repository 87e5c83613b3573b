#include "sim/ns3/host_application.h"

#include <ns3/node.h>
#include <ns3/packet.h>
#include <ns3/udp-socket-factory.h>

#include "sim/network/link_end.h"
#include "sim/ns3/parts.h"
#include "stack/base/check.h"

namespace mpquic::sim {
namespace {

constexpr std::uint8_t kEcnBits = 3;  // of the TOS octet (RFC 3168)

}  // namespace

ns3::TypeId HostApplication::GetTypeId() {
  static const ns3::TypeId id =
      ns3::TypeId("mpquic::HostApplication").SetParent<ns3::Application>().AddConstructor<HostApplication>();
  return id;
}

void HostApplication::add_path(const ns3::Ptr<ns3::NetDevice>& device, std::uint16_t port,
                               const ns3::InetSocketAddress& peer) {
  const auto socket = ns3::Socket::CreateSocket(GetNode(), ns3::UdpSocketFactory::GetTypeId());
  MPQUIC_CHECK(socket->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), port)) == 0);
  if (device != nullptr) socket->BindToNetDevice(device);
  socket->SetIpRecvTos(true);
  socket->SetRecvCallback(ns3::MakeCallback(&HostApplication::on_readable, this));
  paths_.push_back({.socket = socket, .peer = peer});
}

bool HostApplication::send(std::size_t link, const Packet& packet, std::span<const std::byte> bytes) {
  const auto datagram = ns3::Create<ns3::Packet>(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                 static_cast<std::uint32_t>(bytes.size()));
  DatagramTag tag;
  tag.set(link, packet);
  datagram->AddByteTag(tag);
  const PathSocket& path = paths_[LinkEnd::of(link).path];
  ns3::InetSocketAddress peer = path.peer;
  peer.SetTos(static_cast<std::uint8_t>(packet.ecn));  // SendTo() takes it from there, not from the socket
  return path.socket->SendTo(datagram, 0, peer) >= 0;
}

void HostApplication::on_readable(ns3::Ptr<ns3::Socket> socket) {
  ns3::Address from;
  while (const auto datagram = socket->RecvFrom(from)) {
    DatagramTag tag;
    if (!datagram->FindFirstMatchingByteTag(tag)) continue;  // nobody but the other host sends to these ports
    Packet packet = tag.packet();
    ns3::SocketIpTosTag tos;
    if (datagram->RemovePacketTag(tos)) packet.ecn = static_cast<Ecn>(tos.GetTos() & kEcnBits);
    packet.size = datagram->GetSize();
    buffer_.resize(packet.size);
    datagram->CopyData(reinterpret_cast<std::uint8_t*>(buffer_.data()), packet.size);
    sink_(tag.link(), packet, buffer_);
  }
}

void HostApplication::DoDispose() {
  for (const PathSocket& path : paths_)
    path.socket->SetRecvCallback(ns3::MakeNullCallback<void, ns3::Ptr<ns3::Socket>>());
  paths_.clear();
  sink_ = nullptr;
  ns3::Application::DoDispose();
}

}  // namespace mpquic::sim
