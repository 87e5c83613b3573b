#include "sim/ns3/tcp_flows.h"

#include <ns3/application-container.h>
#include <ns3/bulk-send-helper.h>
#include <ns3/config.h>
#include <ns3/inet-socket-address.h>
#include <ns3/packet-sink-helper.h>
#include <ns3/tcp-bbr.h>
#include <ns3/tcp-cubic.h>
#include <ns3/tcp-l4-protocol.h>
#include <ns3/tcp-linux-reno.h>
#include <ns3/uinteger.h>

namespace mpquic::sim {
namespace {

constexpr std::uint16_t kFirstPort = 5001;
constexpr std::uint64_t kSegment = 1448;            // of a 1500-byte packet with timestamps
constexpr std::uint64_t kSocketBuffer = 4'000'000;  // enough for the window of any of our lines
constexpr const char* kFactory = "ns3::TcpSocketFactory";

[[nodiscard]] ns3::TypeId type_of(const std::string& congestion_control) {
  if (congestion_control == "bbr") return ns3::TcpBbr::GetTypeId();
  if (congestion_control == "newreno") return ns3::TcpLinuxReno::GetTypeId();
  return ns3::TcpCubic::GetTypeId();
}

}  // namespace

void TcpFlows::start(const Config& wanted) {
  ns3::Config::SetDefault("ns3::TcpSocket::SegmentSize", ns3::UintegerValue(kSegment));
  ns3::Config::SetDefault("ns3::TcpSocket::SndBufSize", ns3::UintegerValue(kSocketBuffer));
  ns3::Config::SetDefault("ns3::TcpSocket::RcvBufSize", ns3::UintegerValue(kSocketBuffer));
  for (const auto& node : {wanted.from, wanted.to})
    node->GetObject<ns3::TcpL4Protocol>()->SetAttribute("SocketType",
                                                        ns3::TypeIdValue(type_of(wanted.congestion_control)));
  for (std::uint64_t flow = 0; flow < wanted.flows; ++flow) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + flow);
    ns3::PacketSinkHelper sink(kFactory, ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), port));
    auto receiver = sink.Install(wanted.to);
    receiver.Start(ns3::Seconds(0));
    sinks_.push_back(ns3::DynamicCast<ns3::PacketSink>(receiver.Get(0)));
    ns3::BulkSendHelper sender(kFactory, ns3::InetSocketAddress(wanted.address, port));
    sender.Install(wanted.from).Start(ns3::MilliSeconds(static_cast<std::uint64_t>(100 + flow * 20)));
  }
}

std::uint64_t TcpFlows::bytes_received() const {
  std::uint64_t bytes = 0;
  for (const auto& sink : sinks_) bytes += sink->GetTotalRx();
  return bytes;
}

}  // namespace mpquic::sim
