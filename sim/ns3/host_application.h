// One of the two hosts in ns-3: an application with one UDP socket for each path.
#pragma once

#include <ns3/application.h>
#include <ns3/inet-socket-address.h>
#include <ns3/socket.h>

#include <functional>
#include <span>
#include <vector>

#include "sim/network/packet_pool.h"

namespace mpquic::sim {

class HostApplication final : public ns3::Application {
 public:
  /// `link` is the one that the datagram came by; the packet has the ECN field that arrived.
  using OnDatagram = std::function<void(std::size_t link, const Packet& packet, std::span<const std::byte> bytes)>;

  [[nodiscard]] static ns3::TypeId GetTypeId();
  void set_sink(OnDatagram sink) { sink_ = std::move(sink); }
  /// Paths are added in order. `device` may be null: then routing chooses.
  void add_path(const ns3::Ptr<ns3::NetDevice>& device, std::uint16_t port, const ns3::InetSocketAddress& peer);
  /// False if ns-3 would not take it.
  [[nodiscard]] bool send(std::size_t link, const Packet& packet, std::span<const std::byte> bytes);

 private:
  struct PathSocket {
    ns3::Ptr<ns3::Socket> socket;
    ns3::InetSocketAddress peer;
  };
  void DoDispose() override;
  void on_readable(ns3::Ptr<ns3::Socket> socket);

  OnDatagram sink_;
  std::vector<PathSocket> paths_;
  std::vector<std::byte> buffer_;
};

}  // namespace mpquic::sim
