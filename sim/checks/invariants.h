// Rules that hold in every run, whatever the scenario. They watch from outside: the traffic on the wire, the hosts, the
// ledger of the workloads, and (for packet numbers) the trace events of each connection.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/violations.h"
#include "sim/network/world.h"
#include "sim/workload/host.h"
#include "sim/workload/workload.h"
#include "stack/trace/sink.h"

namespace mpquic::sim {

/// Asks nobody to trust the core: packet numbers may only grow on each path, and no key sees one AEAD nonce twice
/// (draft-21 §2.4), judged by the nonces themselves. Wraps the factory of the sinks that the user wants.
class PacketNumberWatch final : public trace::SinkFactory {
 public:
  /// `inner` may be null.
  PacketNumberWatch(Violations& violations, trace::SinkFactory* inner) : violations_(violations), inner_(inner) {}
  [[nodiscard]] std::unique_ptr<trace::Sink> make_sink(Role role, const ConnectionId& original_dcid) override;

 private:
  Violations& violations_;
  trace::SinkFactory* inner_;
};

class Invariants final : public TrafficObserver, public HostObserver {
 public:
  struct Parts {  // all outlive this
    const World& world;
    const Ledger& ledger;
    Violations& violations;
    Duration max_stall;  // without progress while a path is up
  };
  explicit Invariants(const Parts& parts);

  /// Which connection's paths to look at on this host.
  void watch(Role role, ConnectionHandle connection) { connections_[static_cast<std::size_t>(role)] = connection; }
  /// This host has none any more.
  void forget(Role role) { connections_[static_cast<std::size_t>(role)].reset(); }
  /// A path went up or down just now.
  void on_network_change();
  /// Cheap checks that need no event of their own; call them every few simulated milliseconds and at the end.
  void sample();
  /// The run cannot usefully go on.
  [[nodiscard]] bool must_stop() const { return must_stop_; }

  // --- TrafficObserver
  void on_sent(Role from, const FourTuple& tuple, const Packet& packet) override;
  void on_received(Role to, const Packet& packet, Bytes bytes) override;

  // --- HostObserver
  void before_service(Role host, Transport& transport) override;
  void after_service(Role host, Transport& transport) override;
  void on_wakeup(Role host, bool worked) override;
  void on_runaway(Role host) override;

 private:
  /// What the server and the wire know about one client address (RFC 9000 §8).
  struct Address {
    SocketAddress address;
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    bool validated = false;
    bool reported = false;
    std::vector<std::uint64_t> serials;   // of what was sent to it, until the client has seen one of them
    std::optional<Instant> client_heard;  // when the client could first answer
  };
  struct HostState {
    std::uint64_t services = 0;
    bool comparing = false;
    Instant wakeup_instant;
    std::uint32_t wakeups_at_instant = 0;
    Instant idle_window_start;
    std::uint32_t idle_wakeups = 0;
    bool storm_reported = false;
    std::vector<PathStats> before;
    std::vector<PathStats> after;
    std::map<PathId, std::uint64_t> probed;  // PTOs, by path, whose probes were seen above the window
  };
  [[nodiscard]] Address& address_of(const SocketAddress& address);
  void check_window(HostState& state, Role host, const PathStats& before, const PathStats& after);
  void check_conservation();
  void check_liveness();
  void report_storm(HostState& state, std::string what);

  Parts parts_;
  std::optional<ConnectionHandle> connections_[2];
  HostState hosts_[2];
  std::vector<Address> addresses_;
  std::size_t last_address_ = 0;
  std::size_t unvalidated_ = 0;
  std::vector<std::optional<Instant>> up_since_;  // per path
  bool stall_reported_ = false;
  bool conservation_reported_ = false;
  bool must_stop_ = false;
};

}  // namespace mpquic::sim
