#include "sim/ns3/lte.h"

#include <fmt/format.h>
#include <ns3/config.h>
#include <ns3/constant-position-mobility-model.h>
#include <ns3/enum.h>
#include <ns3/ipv4.h>
#include <ns3/lte-enb-rrc.h>
#include <ns3/nstime.h>
#include <ns3/simulator.h>
#include <ns3/uinteger.h>

#include "stack/base/check.h"

namespace mpquic::sim {
namespace {

constexpr double kMastHeight = 30;
constexpr double kPhoneHeight = 1.5;
/// Shortly before our own first packet: ns-3 lives for two seconds by then.
constexpr std::uint64_t kBearersUpMs = 1900;

void place(const ns3::Ptr<ns3::Node>& node, double x, double z) {
  if (node->GetObject<ns3::MobilityModel>() != nullptr) return;
  const auto position = ns3::CreateObject<ns3::ConstantPositionMobilityModel>();
  position->SetPosition(ns3::Vector(x, 0, z));
  node->AggregateObject(position);
}

/// ns-3's own queues hold 10 kB, a hundredth of what base stations and modems have.
void set_defaults(const LteConfig& config) {
  const ns3::UintegerValue queue(config.queue.value());
  ns3::Config::SetDefault("ns3::LteRlcAm::MaxTxBufferSize", queue);
  ns3::Config::SetDefault("ns3::LteRlcUm::MaxTxBufferSize", queue);
  ns3::Config::SetDefault("ns3::LteEnbRrc::EpsBearerToRlcMapping", ns3::EnumValue(ns3::LteEnbRrc::RLC_AM_ALWAYS));
}

}  // namespace

Lte::Lte(const LteConfig& config, std::int64_t& streams) : config_(config), streams_(streams) {
  set_defaults(config);
  core_ = ns3::CreateObject<ns3::PointToPointEpcHelper>();
  radio_ = ns3::CreateObject<ns3::LteHelper>();
  radio_->SetEpcHelper(core_);
  const ns3::UintegerValue blocks(config.resource_blocks);
  radio_->SetEnbDeviceAttribute("DlBandwidth", blocks);
  radio_->SetEnbDeviceAttribute("UlBandwidth", blocks);
  const auto mast = ns3::CreateObject<ns3::Node>();
  place(mast, 0, kMastHeight);
  const ns3::NetDeviceContainer devices = radio_->InstallEnbDevice(mast);
  base_station_ = devices.Get(0);
  streams_ += radio_->AssignStreams(devices, streams_);
}

Lte::~Lte() {
  radio_->Dispose();
  core_->Dispose();
}

ns3::Ptr<ns3::NetDevice> Lte::gateway_device() const {
  const auto ipv4 = gateway()->GetObject<ns3::Ipv4>();
  const std::int32_t interface = ipv4->GetInterfaceForAddress(gateway_address());
  MPQUIC_CHECK(interface >= 0);
  return ipv4->GetNetDevice(static_cast<std::uint32_t>(interface));
}

void Lte::watch_queues(const OnDrop& on_drop) {
  ns3::Simulator::Schedule(ns3::MilliSeconds(kBearersUpMs), [on_drop] {
    const auto callback = ns3::Callback<void, ns3::Ptr<const ns3::Packet>>(on_drop);
    for (const char* side : {"LteEnbRrc/UeMap/*", "LteUeRrc"})
      ns3::Config::ConnectWithoutContextFailSafe(
          fmt::format("/NodeList/*/DeviceList/*/{}/DataRadioBearerMap/*/LteRlc/TxDrop", side), callback);
  });
}

Lte::Phone Lte::connect(const ns3::Ptr<ns3::Node>& node) {
  place(node, static_cast<double>(config_.distance_m), kPhoneHeight);
  const ns3::NetDeviceContainer devices = radio_->InstallUeDevice(node);
  Phone phone{.device = devices.Get(0), .address = core_->AssignUeIpv4Address(devices).GetAddress(0)};
  radio_->Attach(phone.device, base_station_);
  streams_ += radio_->AssignStreams(devices, streams_);
  return phone;
}

}  // namespace mpquic::sim
