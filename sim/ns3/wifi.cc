#include "sim/ns3/wifi.h"

#include <fmt/format.h>
#include <ns3/boolean.h>
#include <ns3/constant-position-mobility-model.h>
#include <ns3/ssid.h>
#include <ns3/wifi-helper.h>
#include <ns3/wifi-mac-helper.h>
#include <ns3/yans-wifi-helper.h>

#include <algorithm>

namespace mpquic::sim {
namespace {

void place(const ns3::Ptr<ns3::Node>& node, double x) {
  if (node->GetObject<ns3::MobilityModel>() != nullptr) return;
  const auto position = ns3::CreateObject<ns3::ConstantPositionMobilityModel>();
  position->SetPosition(ns3::Vector(x, 0, 0));
  node->AggregateObject(position);
}

}  // namespace

Wifi::Wifi(std::uint64_t distance_m, std::string pcap, std::int64_t& streams)
    : distance_m_(distance_m), pcap_(std::move(pcap)), streams_(streams) {
  auto channel = ns3::YansWifiChannelHelper::Default();
  channel_ = channel.Create();
  streams_ += channel.AssignStreams(channel_, streams_);
}

std::pair<ns3::Ptr<ns3::NetDevice>, ns3::Ptr<ns3::NetDevice>> Wifi::connect(const ns3::Ptr<ns3::Node>& station,
                                                                            const ns3::Ptr<ns3::Node>& access_point) {
  const AccessPoint& at = access_point_on(access_point);
  place(station, static_cast<double>(distance_m_));
  return {install(station, at.ssid, false), at.device};
}

const Wifi::AccessPoint& Wifi::access_point_on(const ns3::Ptr<ns3::Node>& node) {
  const auto known = std::ranges::find(access_points_, node, &AccessPoint::node);
  if (known != access_points_.end()) return *known;
  place(node, 0);
  const std::string ssid = fmt::format("ap{}", access_points_.size());
  return access_points_.emplace_back(AccessPoint{.node = node, .device = install(node, ssid, true), .ssid = ssid});
}

ns3::Ptr<ns3::NetDevice> Wifi::install(const ns3::Ptr<ns3::Node>& node, const std::string& ssid, bool access_point) {
  ns3::YansWifiPhyHelper phy;
  phy.SetChannel(channel_);
  ns3::WifiHelper wifi;
  wifi.SetStandard(ns3::WIFI_STANDARD_80211ac);
  wifi.SetRemoteStationManager("ns3::IdealWifiManager");
  ns3::WifiMacHelper mac;
  if (access_point)
    mac.SetType("ns3::ApWifiMac", "Ssid", ns3::SsidValue(ns3::Ssid(ssid)));
  else
    mac.SetType("ns3::StaWifiMac", "Ssid", ns3::SsidValue(ns3::Ssid(ssid)), "ActiveProbing", ns3::BooleanValue(false));
  const ns3::NetDeviceContainer devices = wifi.Install(phy, mac, node);
  streams_ += wifi.AssignStreams(devices, streams_);
  if (!pcap_.empty()) {
    phy.SetPcapDataLinkType(ns3::WifiPhyHelper::DLT_IEEE802_11_RADIO);
    phy.EnablePcap(
        fmt::format("{}/wifi-{}-{}.pcap", pcap_, ssid, access_point ? "ap" : fmt::format("node{}", node->GetId())),
        devices.Get(0), false, true);
  }
  return devices.Get(0);
}

}  // namespace mpquic::sim
