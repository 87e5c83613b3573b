// The network between one client host and one server host: N paths, each two links, one address of the client each.
//
//   client 10.<n>.0.2:port --[up]--> NAT --> server address
//                          <--[down]-- NAT <--
//
// The NAT stands at the server's end of the links. It is transparent (the server sees the client's own address) until a
// rebinding, scripted or after an idle time, gives the path's flows new outside addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/event_queue.h"
#include "sim/base/trace_hash.h"
#include "sim/link/link.h"
#include "sim/link/outage.h"
#include "sim/network/ack_watch.h"
#include "sim/network/carrier.h"
#include "sim/network/link_end.h"
#include "sim/network/meddler.h"
#include "sim/network/packet_pool.h"
#include "sim/network/tap.h"
#include "stack/base/packet_io.h"

namespace mpquic::sim {

/// RFC 4787 §5: from whom packets may come in through a binding.
enum class NatFilter : std::uint8_t {
  endpoint_independent,  // from anyone
  endpoint_dependent,    // only from addresses and ports that the flow has sent to
};

struct NatConfig {
  NatFilter filter = NatFilter::endpoint_independent;
  Duration idle_timeout{};  // a binding without traffic for so long is gone; 0: never
};

struct PathOutage {
  OutageConfig config;
  std::optional<Direction> direction;  // both if absent
};

struct PathConfig {
  std::string name;
  LinkConfig up;
  LinkConfig down;
  NatConfig nat;
  std::vector<PathOutage> outages;
};

/// Paths that fail together.
struct FailureGroupConfig {
  OutageConfig outage;
  std::vector<std::size_t> paths;
};

/// What several paths have in common.
struct CommonConfig {
  std::vector<BottleneckConfig> bottlenecks;  // LinkConfig::shared_bottleneck names them by index
  std::vector<FailureGroupConfig> groups;
  std::size_t largest_mtu = 0;  // that set_mtu() will give any link
};

/// A host's network side. `bytes` of the train may be changed in place; they are gone after the call.
class Receiver {
 public:
  Receiver() = default;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  virtual ~Receiver() = default;
  virtual void on_packet(const ReceivedTrain& train) = 0;
};

/// Sees every datagram that leaves or reaches a host.
class TrafficObserver {
 public:
  TrafficObserver() = default;
  TrafficObserver(const TrafficObserver&) = delete;
  TrafficObserver& operator=(const TrafficObserver&) = delete;
  virtual ~TrafficObserver() = default;
  /// `tuple` as the sender sees it.
  virtual void on_sent(Role from, const FourTuple& tuple, const Packet& packet) = 0;
  virtual void on_received(Role to, const Packet& packet, Bytes bytes) = 0;
};

class World final : private LinkObserver {
 public:
  World(const std::vector<PathConfig>& paths, std::uint64_t seed, const CommonConfig& common = {});

  /// Both must be attached before anything is sent, and outlive the world's last event.
  void attach(Role role, Receiver& host) { hosts_[static_cast<std::size_t>(role)] = &host; }
  void observe(TrafficObserver& observer) { observer_ = &observer; }
  /// Another pair of eyes, for traces: it also sees losses. May be null.
  void set_tap(Tap* tap) { tap_ = tap; }
  /// For drop_datagrams() of acknowledgements. Outlives the world's last packet.
  void set_ack_watch(AckWatch& watch) { ack_watch_ = &watch; }
  /// Packets go its way from now on. May be null: then hosts stand at the ends of the links.
  void set_carrier(Carrier* carrier);

  /// Cuts the train into datagrams and puts them on the path that the tuple belongs to. The failure is the one that a
  /// socket call would report.
  [[nodiscard]] std::optional<TransmitFailure> send(Role from, const Transmit& train, Bytes bytes);
  /// When the next event is due, once a carrier has lived until then.
  [[nodiscard]] Deadline next_time();
  /// Handles the event if it is a link's.
  [[nodiscard]] bool dispatch(const SimEvent& event);

  // --- For the carrier; `link` is path * 2, + 1 for the way down
  void enter_link(std::size_t link, const Packet& packet, Bytes bytes);
  void deliver(std::size_t link, const Packet& packet, Bytes bytes);

  // --- Scripted changes
  [[nodiscard]] Link& link(std::size_t path, Direction direction) { return *links_[link_index(path, direction)]; }
  [[nodiscard]] const Link& link(std::size_t path, Direction direction) const {
    return *links_[link_index(path, direction)];
  }
  /// Up also ends a hold.
  void set_link_up(std::size_t path, Direction direction, bool up);
  /// Packets wait in the link's queue (Link::begin_hold) until it is up or held no more.
  void set_link_held(std::size_t path, Direction direction, bool held);
  /// What the sender has learnt of another MTU is forgotten.
  void set_mtu(std::size_t path, Direction direction, std::size_t mtu);
  /// The client's interface: while it is down, its sends fail at once.
  void set_interface_up(std::size_t path, bool up);
  /// The client's interface gets another address at once; what is on the way to the old one is lost, and sends from it
  /// fail. client_tuple() names the new one.
  void change_address(std::size_t path);
  /// Sends of this host on this path fail with `failure` before `until`; the first failure ends it if there is no
  /// `until`. Without `failure` nobody is told: the packets are lost in the host.
  void fail_sends(Role from, std::size_t path, std::optional<TransmitFailure> failure, Deadline until);
  /// Drops datagrams that come to the link from now on.
  void drop_datagrams(std::size_t path, Direction direction, const Meddler::Cull& cull) {
    meddler_.drop(link_index(path, direction), cull);
  }
  /// Holds back what comes to the link until release_burst(), which puts it there in reverse order.
  void hold_burst(std::size_t path, Direction direction) { meddler_.hold(link_index(path, direction)); }
  void release_burst(std::size_t path, Direction direction);
  /// The interface is up, sends no longer fail, no more datagrams are picked out, and bursts of losses, policing and
  /// the NAT's forgetting end. Bindings and addresses stay.
  void heal(std::size_t path);
  /// Those that come by themselves, of all paths and groups.
  void end_outages();
  /// From now on the server sees the flows of this path from new addresses; packets to the old ones are lost.
  void rebind(std::size_t path);

  [[nodiscard]] std::size_t path_count() const { return paths_.size(); }
  [[nodiscard]] const std::string& path_name(std::size_t path) const { return paths_[path].name; }
  /// The client's 4-tuple for a new flow on `path`, on the path's default port.
  [[nodiscard]] FourTuple client_tuple(std::size_t path) const;
  /// The same address of the client with a port that it has not used yet.
  [[nodiscard]] SocketAddress new_client_address(std::size_t path);
  /// The path whose client address is, or was, `local`.
  [[nodiscard]] std::optional<std::size_t> path_of(const SocketAddress& local) const;

  [[nodiscard]] EventQueue& events() { return events_; }
  [[nodiscard]] const EventQueue& events() const { return events_; }
  [[nodiscard]] Instant now() const { return events_.now(); }
  [[nodiscard]] TraceHash& hash() { return hash_; }
  [[nodiscard]] std::uint64_t trace_hash() const { return hash_.value(); }
  [[nodiscard]] std::uint64_t packets_sent() const { return serial_; }
  /// Datagrams to addresses that nobody has, the outside of an expired NAT binding for example.
  [[nodiscard]] std::uint64_t unroutable() const { return unroutable_; }
  [[nodiscard]] std::size_t packets_held() const { return pool_.in_use(); }

 private:
  struct Binding {  // NAT: of one flow
    SocketAddress inside;
    SocketAddress outside;
    Instant last_used;
    std::vector<SocketAddress> peers;  // that the flow has sent to
  };
  struct KnownMtu {  // what the sender's IP layer has learnt from "too big"
    std::size_t mtu = SIZE_MAX;
    Instant since;
  };
  struct SendFault {
    std::optional<TransmitFailure> failure;
    Deadline until;
  };
  struct Path {
    std::string name;
    SocketAddress client;
    bool interface_up = true;
    bool held[2] = {};  // by direction, by set_link_held()
    NatConfig nat;
    std::vector<Binding> bindings;
    KnownMtu known_mtu[2];                   // by direction
    std::vector<IpAddress> former;           // addresses that the interface no longer has
    std::optional<SendFault> send_fault[2];  // by role
  };
  struct Route {
    std::size_t path = 0;
    FourTuple tuple;  // as the receiver will see it
  };
  [[nodiscard]] static std::size_t link_index(std::size_t path, Direction direction) {
    return LinkEnd{path, direction}.index();
  }
  [[nodiscard]] std::optional<Route> route(Role from, const FourTuple& tuple);
  [[nodiscard]] std::optional<Route> route_from_client(std::size_t path, const FourTuple& tuple);
  [[nodiscard]] std::optional<Route> route_from_server(std::size_t path, const FourTuple& tuple);
  [[nodiscard]] Binding& binding_of(std::size_t path, const SocketAddress& inside);
  [[nodiscard]] bool expired(const Path& path, const Binding& binding) const;
  [[nodiscard]] SocketAddress new_outside_address(std::size_t path);
  void add_links(const PathConfig& path, std::uint64_t seed);
  void add_outages(const std::vector<PathConfig>& paths, const CommonConfig& common, std::uint64_t seed);
  void add_outage(const OutageConfig& config, const RandomStream& random, std::vector<Link*> links);
  void rearm(std::size_t link);  // and its bottleneck
  void rearm_link(std::size_t link, Instant due);
  void rearm_bottleneck(std::size_t bottleneck);
  void rearm_timer(TimerId timer, Deadline deadline);
  void on_outage(std::size_t outage);
  void rearm_outage(std::size_t outage);
  void learn_mtu(LinkId link);
  void put_on_link(std::size_t link, const Packet& packet, const FourTuple& sender, Bytes bytes);
  [[nodiscard]] std::optional<SendFault> send_fault(Role from, Path& path);
  [[nodiscard]] bool is_former(const SocketAddress& local) const;
  void meddle(std::size_t link, const Packet& packet, const FourTuple& sender, Bytes bytes);
  void hand_over(LinkId link, PacketRef packet);
  void on_delivered(LinkId link, PacketRef packet) override;
  void on_dropped(LinkId link, PacketRef packet, LinkDrop reason) override;

  EventQueue events_;
  PacketPool pool_;
  TraceHash hash_;
  Meddler meddler_;
  std::vector<Path> paths_;
  std::vector<std::unique_ptr<Bottleneck>> bottlenecks_;  // shared ones
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Outage>> outages_;
  std::vector<TimerId> bottleneck_timers_;
  std::vector<TimerId> link_timers_;
  std::vector<Instant> link_armed_;  // when each link's timer fires: mostly it need not move
  std::vector<TimerId> outage_timers_;
  SocketAddress server_;
  Receiver* hosts_[2] = {};
  TrafficObserver* observer_ = nullptr;
  Tap* tap_ = nullptr;
  Carrier* carrier_ = nullptr;
  AckWatch* ack_watch_ = nullptr;
  std::optional<TimerId> carrier_timer_;
  std::size_t last_path_[2] = {};  // where each host sent last: usually again
  std::uint64_t serial_ = 0;
  std::uint64_t unroutable_ = 0;
  std::uint64_t address_changes_ = 0;
  std::uint16_t next_outside_port_ = 20000;
  std::uint16_t next_client_port_ = 51000;
};

}  // namespace mpquic::sim
