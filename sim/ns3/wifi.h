// Stations and access points of ns-3 (802.11ac, 5 GHz), all of them in one channel.
#pragma once

#include <ns3/net-device.h>
#include <ns3/node.h>
#include <ns3/yans-wifi-channel.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mpquic::sim {

class Wifi {
 public:
  /// `pcap`: directory, or empty. `streams` counts ns-3's random streams that are taken.
  Wifi(std::uint64_t distance_m, std::string pcap, std::int64_t& streams);
  /// A new station device on one node, with the device of its access point on the other. A node that is an access point
  /// already keeps its device.
  [[nodiscard]] std::pair<ns3::Ptr<ns3::NetDevice>, ns3::Ptr<ns3::NetDevice>> connect(
      const ns3::Ptr<ns3::Node>& station, const ns3::Ptr<ns3::Node>& access_point);

 private:
  struct AccessPoint {
    ns3::Ptr<ns3::Node> node;
    ns3::Ptr<ns3::NetDevice> device;
    std::string ssid;
  };
  [[nodiscard]] const AccessPoint& access_point_on(const ns3::Ptr<ns3::Node>& node);
  [[nodiscard]] ns3::Ptr<ns3::NetDevice> install(const ns3::Ptr<ns3::Node>& node, const std::string& ssid,
                                                 bool access_point);

  std::uint64_t distance_m_;
  std::string pcap_;
  std::int64_t& streams_;
  ns3::Ptr<ns3::YansWifiChannel> channel_;
  std::vector<AccessPoint> access_points_;
};

}  // namespace mpquic::sim
