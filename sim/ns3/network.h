// ns-3's network as the carrier of a simulation. ns-3 has one scheduler for each process, so there is one Network at a
// time; its destructor leaves ns-3 as it was before the first one.
#pragma once

#include <ns3/event-id.h>
#include <ns3/flow-monitor-helper.h>
#include <ns3/packet.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/network/carrier.h"
#include "sim/ns3/host_application.h"
#include "sim/ns3/topology.h"
#include "sim/scenario/scenario.h"

namespace mpquic::sim {

struct Ns3Options {
  std::uint64_t seed = 1;
  std::string pcap;          // directory for one file for each device; empty: none
  std::string flow_monitor;  // XML file; empty: none
};

class Ns3Network final : public Carrier {
 public:
  /// The scenario outlives this.
  Ns3Network(const Scenario& scenario, const Ns3Options& options);
  ~Ns3Network() override;

  /// After the run: writes what FlowMonitor has seen.
  void finish();

  // --- Carrier
  void attach(World& world) override;
  void on_sent(std::size_t link, const Packet& packet, Bytes bytes) override;
  void on_link_exit(std::size_t link, const Packet& packet, Bytes bytes) override;
  void on_link_drop(const Packet& packet) override { on_links_.erase(packet.serial); }
  [[nodiscard]] std::optional<Instant> run_until(Instant limit) override;
  void on_due() override;
  [[nodiscard]] std::uint64_t drops(std::size_t path) const override { return drops_[path]; }
  [[nodiscard]] std::optional<std::uint64_t> tcp_bytes() const override;

 private:
  /// Something for the World that happened while ns-3 was running.
  struct Pending {
    bool enters_link = false;  // else it arrived
    std::size_t link = 0;
    Packet packet;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] Topology::Options callbacks();
  void start_hosts();
  [[nodiscard]] bool on_link(std::size_t link, ns3::Ptr<ns3::Packet> packet);
  void on_drop(ns3::Ptr<const ns3::Packet> packet);
  void to_world(Pending pending);
  void tell(const Pending& pending);
  [[nodiscard]] ns3::Ptr<ns3::Packet> leaving(std::size_t link, const Packet& packet, Bytes bytes);
  [[nodiscard]] ns3::Ptr<ns3::Packet> rebuilt(std::size_t link, const Packet& packet, Bytes bytes) const;
  [[nodiscard]] ns3::Time to_ns3(Instant at) const {
    return ns3::NanoSeconds(at.time_since_epoch().count()) + warm_up_;
  }

  const Scenario& scenario_;
  Ns3Options options_;
  std::optional<Topology> topology_;
  ns3::Ptr<HostApplication> hosts_[2];  // by role
  std::unique_ptr<ns3::FlowMonitorHelper> flow_monitor_;
  World* world_ = nullptr;
  ns3::Time warm_up_;
  std::uint64_t tcp_bytes_before_ = 0;  // what TCP delivered in it
  ns3::EventId stop_;
  ns3::Time stop_at_;
  bool running_ = false;
  std::vector<Pending> pending_;
  std::map<std::uint64_t, ns3::Ptr<ns3::Packet>> on_links_;  // by serial: what is on our links, with ns-3's tags
  std::vector<std::byte> scratch_;
  std::vector<std::uint64_t> drops_;
};

}  // namespace mpquic::sim
