#include "sim/ns3/parts.h"

#include <ns3/node.h>
#include <ns3/nstime.h>
#include <ns3/simulator.h>

#include <array>
#include <cstring>
#include <type_traits>

namespace mpquic::sim {

ns3::TypeId DatagramTag::GetTypeId() {
  static const ns3::TypeId id = ns3::TypeId("mpquic::DatagramTag").SetParent<ns3::Tag>().AddConstructor<DatagramTag>();
  return id;
}

void DatagramTag::Serialize(ns3::TagBuffer buffer) const {
  static_assert(std::is_trivially_copyable_v<Content>);
  std::array<std::uint8_t, sizeof(Content)> raw{};
  std::memcpy(raw.data(), &content_, raw.size());
  buffer.Write(raw.data(), static_cast<std::uint32_t>(raw.size()));
}

void DatagramTag::Deserialize(ns3::TagBuffer buffer) {
  std::array<std::uint8_t, sizeof(Content)> raw{};
  buffer.Read(raw.data(), static_cast<std::uint32_t>(raw.size()));
  std::memcpy(&content_, raw.data(), raw.size());
}

void DatagramTag::Print(std::ostream& out) const {
  out << "link=" << content_.link << " serial=" << content_.packet.serial;
}

ns3::TypeId TwoDelayChannel::GetTypeId() {
  static const ns3::TypeId id =
      ns3::TypeId("mpquic::TwoDelayChannel").SetParent<ns3::SimpleChannel>().AddConstructor<TwoDelayChannel>();
  return id;
}

void TwoDelayChannel::set_delays(Duration from_first, Duration from_second) {
  delays_[0] = ns3::NanoSeconds(from_first.count());
  delays_[1] = ns3::NanoSeconds(from_second.count());
}

void TwoDelayChannel::Send(ns3::Ptr<ns3::Packet> packet, std::uint16_t protocol, ns3::Mac48Address to,
                           ns3::Mac48Address from, ns3::Ptr<ns3::SimpleNetDevice> sender) {
  const std::size_t end = sender == GetDevice(0) ? 0 : 1;
  const auto receiver = ns3::DynamicCast<ns3::SimpleNetDevice>(GetDevice(1 - end));
  ns3::Simulator::ScheduleWithContext(receiver->GetNode()->GetId(), delays_[end], &ns3::SimpleNetDevice::Receive,
                                      receiver, packet->Copy(), protocol, to, from);
}

ns3::TypeId SeededLoss::GetTypeId() {
  static const ns3::TypeId id = ns3::TypeId("mpquic::SeededLoss").SetParent<ns3::ErrorModel>();
  return id;
}

}  // namespace mpquic::sim
