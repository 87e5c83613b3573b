// What the network adds to ns-3: a tag that says whose datagram a packet is, a channel with a delay for each direction,
// and losses from the project's own random streams.
#pragma once

#include <ns3/error-model.h>
#include <ns3/simple-channel.h>
#include <ns3/simple-net-device.h>
#include <ns3/tag.h>

#include "sim/base/random_streams.h"
#include "sim/network/packet_pool.h"

namespace mpquic::sim {

/// Travels with a datagram's bytes through all of ns-3's layers, also where LTE cuts and joins packets: it is added as
/// a byte tag.
class DatagramTag final : public ns3::Tag {
 public:
  [[nodiscard]] static ns3::TypeId GetTypeId();
  [[nodiscard]] ns3::TypeId GetInstanceTypeId() const override { return GetTypeId(); }
  [[nodiscard]] std::uint32_t GetSerializedSize() const override { return sizeof(content_); }
  void Serialize(ns3::TagBuffer buffer) const override;
  void Deserialize(ns3::TagBuffer buffer) override;
  void Print(std::ostream& out) const override;

  void set(std::size_t link, const Packet& packet) { content_ = {.packet = packet, .link = link}; }
  [[nodiscard]] const Packet& packet() const { return content_.packet; }
  [[nodiscard]] std::size_t link() const { return content_.link; }

 private:
  struct Content {
    Packet packet;
    std::uint64_t link = 0;
  };
  Content content_;
};

/// Between two devices, with a delay for each direction. (SimpleNetDevice and not PointToPointNetDevice: that adds two
/// bytes of PPP to each packet, and then no packet leaves when it would leave our link.)
class TwoDelayChannel final : public ns3::SimpleChannel {
 public:
  [[nodiscard]] static ns3::TypeId GetTypeId();
  void set_delays(Duration from_first, Duration from_second);
  void Send(ns3::Ptr<ns3::Packet> packet, std::uint16_t protocol, ns3::Mac48Address to, ns3::Mac48Address from,
            ns3::Ptr<ns3::SimpleNetDevice> sender) override;

 private:
  ns3::Time delays_[2];
};

/// The same draws as sim::IidLoss: the n-th packet that crosses the line has the same fate in both simulators.
class SeededLoss final : public ns3::ErrorModel {
 public:
  [[nodiscard]] static ns3::TypeId GetTypeId();
  SeededLoss(double probability, const RandomStream& random) : chance_(probability, random) {}

 private:
  bool DoCorrupt(ns3::Ptr<ns3::Packet>) override { return chance_.happens(); }
  void DoReset() override {}

  Chance chance_;
};

}  // namespace mpquic::sim
