// One LTE cell of ns-3's LENA with an evolved packet core behind it: radio, HARQ, RLC and a proportional fair
// scheduler.
#pragma once

#include <ns3/lte-helper.h>
#include <ns3/net-device.h>
#include <ns3/node.h>
#include <ns3/packet.h>
#include <ns3/point-to-point-epc-helper.h>

#include <cstdint>
#include <functional>

#include "stack/base/ids.h"

namespace mpquic::sim {

struct LteConfig {
  std::uint64_t distance_m = 500;      // of all phones from the base station
  std::uint64_t resource_blocks = 50;  // each way: 6, 15, 25, 50, 75 or 100 (TS 36.101 table 5.6-1)
  ByteCount queue{250'000};            // for each phone and direction
};

class Lte {
 public:
  /// `streams` counts ns-3's random streams that are taken.
  Lte(const LteConfig& config, std::int64_t& streams);
  Lte(const Lte&) = delete;
  Lte& operator=(const Lte&) = delete;
  ~Lte();

  /// The node whose device gateway_device() is where packets leave for the Internet.
  [[nodiscard]] ns3::Ptr<ns3::Node> gateway() const { return core_->GetPgwNode(); }
  [[nodiscard]] ns3::Ptr<ns3::NetDevice> gateway_device() const;
  [[nodiscard]] ns3::Ipv4Address gateway_address() const { return core_->GetUeDefaultGatewayAddress(); }

  struct Phone {
    ns3::Ptr<ns3::NetDevice> device;
    ns3::Ipv4Address address;
  };
  /// Tells of every packet that a full queue of the base station or of a phone refuses, from our first one on:
  /// before, phones connect, and have no queues.
  using OnDrop = std::function<void(ns3::Ptr<const ns3::Packet>)>;
  void watch_queues(const OnDrop& on_drop);

  /// A modem for a node with an internet stack, attached, with a default bearer.
  [[nodiscard]] Phone connect(const ns3::Ptr<ns3::Node>& node);

 private:
  LteConfig config_;
  std::int64_t& streams_;
  ns3::Ptr<ns3::PointToPointEpcHelper> core_;
  ns3::Ptr<ns3::LteHelper> radio_;
  ns3::Ptr<ns3::NetDevice> base_station_;
};

}  // namespace mpquic::sim
