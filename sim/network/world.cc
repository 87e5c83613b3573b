#include "sim/network/world.h"

#include <algorithm>
#include <utility>

#include "stack/wire/header.h"

namespace mpquic::sim {
namespace {

constexpr std::uint16_t kClientPort = 50000;
constexpr std::uint16_t kServerPort = 4433;
constexpr std::uint64_t kOutagesPerPath = 256;

[[nodiscard]] SocketAddress v4(std::array<std::uint8_t, 4> octets, std::uint16_t port) {
  return {.ip = IpAddress::v4(octets), .port = port};
}

[[nodiscard]] std::size_t largest_payload(const std::vector<PathConfig>& paths, const CommonConfig& common) {
  std::size_t mtu = std::max(kMinInitialDatagram + kIpUdpOverhead, common.largest_mtu);
  for (const PathConfig& path : paths) mtu = std::max({mtu, path.up.mtu, path.down.mtu});
  return std::min(mtu - kIpUdpOverhead, kMaxDatagram);
}

/// RFC 9000 §17.3.
[[nodiscard]] bool has_short_header(Bytes datagram) {
  return !datagram.empty() && (std::to_integer<std::uint8_t>(datagram.front()) & first_byte::kLongForm) == 0;
}

/// Marks in the trace hash, so that no event can pass for another.
enum class Mark : std::uint64_t { sent = 1, delivered = 2, dropped = 3, unroutable = 4 };

[[nodiscard]] std::uint64_t mark(Mark what, std::uint64_t detail) {
  return static_cast<std::uint64_t>(what) << 56 | detail;
}

void add(TraceHash& hash, const SocketAddress& address) {
  hash.add(std::as_bytes(std::span(address.ip.octets())));
  hash.add(address.port);
}

/// Headers and tag. The tag of the last packet depends on every byte of it, so that the rest needs no look; packets
/// coalesced before it belong to the handshake and are mostly short of this.
constexpr std::size_t kHashedHead = 64;
constexpr std::size_t kHashedTail = 64;
void add_datagram(TraceHash& hash, Bytes datagram) {
  if (datagram.size() <= kHashedHead + kHashedTail) return hash.add(datagram);
  hash.add(datagram.first(kHashedHead));
  hash.add(datagram.last(kHashedTail));
  hash.add(datagram.size());
}

}  // namespace

World::World(const std::vector<PathConfig>& paths, std::uint64_t seed, const CommonConfig& common)
    : pool_(largest_payload(paths, common)), meddler_(2 * paths.size()), server_(v4({192, 0, 2, 1}, kServerPort)) {
  for (std::size_t i = 0; i < common.bottlenecks.size(); ++i) {
    bottlenecks_.push_back(
        std::make_unique<Bottleneck>(common.bottlenecks[i], RandomSource{.seed = seed, .entity = kSharedEntity + i}));
    bottleneck_timers_.push_back(
        events_.make_timer({.kind = EventKind::bottleneck, .target = static_cast<std::uint32_t>(i)}));
  }
  for (const PathConfig& path : paths) add_links(path, seed);
  add_outages(paths, common, seed);
  for (std::size_t i = 0; i < bottlenecks_.size(); ++i) rearm_bottleneck(i);
  for (std::size_t i = 0; i < links_.size(); ++i) rearm_link(i, links_[i]->due());
}

void World::add_links(const PathConfig& path, std::uint64_t seed) {
  const std::size_t i = paths_.size();
  const auto client = v4({10, static_cast<std::uint8_t>(i + 1), 0, 2}, static_cast<std::uint16_t>(kClientPort + i));
  Path& added = paths_.emplace_back();
  added.name = path.name;
  added.client = client;
  added.nat = path.nat;
  for (const LinkConfig* config : {&path.up, &path.down}) {
    const LinkId id(static_cast<std::uint32_t>(links_.size()));
    Link::Services services{.store = pool_, .observer = *this};
    if (config->shared_bottleneck) services.shared = bottlenecks_.at(*config->shared_bottleneck).get();
    links_.push_back(std::make_unique<Link>(id, *config, services, seed));
    link_armed_.push_back(kNever);
    link_timers_.push_back(events_.make_timer({.kind = EventKind::link, .target = id.value()}));
  }
}

void World::add_outages(const std::vector<PathConfig>& paths, const CommonConfig& common, std::uint64_t seed) {
  for (std::size_t path = 0; path < paths.size(); ++path) {
    for (std::size_t i = 0; i < paths[path].outages.size(); ++i) {
      const PathOutage& outage = paths[path].outages[i];
      std::vector<Link*> links;
      for (const Direction direction : {Direction::up, Direction::down})
        if (!outage.direction || *outage.direction == direction) links.push_back(&link(path, direction));
      const RandomSource random{.seed = seed, .entity = path * kOutagesPerPath + i};
      add_outage(outage.config, random.of(Purpose::outage), std::move(links));
    }
  }
  for (std::size_t i = 0; i < common.groups.size(); ++i) {
    std::vector<Link*> links;
    for (const std::size_t path : common.groups[i].paths)
      for (const Direction direction : {Direction::up, Direction::down}) links.push_back(&link(path, direction));
    const RandomSource random{.seed = seed, .entity = kSharedEntity + i};
    add_outage(common.groups[i].outage, random.of(Purpose::outage), std::move(links));
  }
}

void World::add_outage(const OutageConfig& config, const RandomStream& random, std::vector<Link*> links) {
  outage_timers_.push_back(
      events_.make_timer({.kind = EventKind::outage, .target = static_cast<std::uint32_t>(outages_.size())}));
  outages_.push_back(std::make_unique<Outage>(config, random, std::move(links)));
  rearm_timer(outage_timers_.back(), outages_.back()->next_deadline());
}

FourTuple World::client_tuple(std::size_t path) const { return {.local = paths_[path].client, .remote = server_}; }

SocketAddress World::new_client_address(std::size_t path) {
  return {.ip = paths_[path].client.ip, .port = next_client_port_++};
}

std::optional<std::size_t> World::path_of(const SocketAddress& local) const {
  for (std::size_t i = 0; i < paths_.size(); ++i)
    if (paths_[i].client.ip == local.ip || std::ranges::find(paths_[i].former, local.ip) != paths_[i].former.end())
      return i;
  return std::nullopt;
}

std::optional<TransmitFailure> World::send(Role from, const Transmit& train, Bytes bytes) {
  const std::vector<bool> acks = ack_watch_ != nullptr ? ack_watch_->take(from) : std::vector<bool>{};
  const auto route = this->route(from, train.tuple);
  if (!route && is_former(train.tuple.local)) return TransmitFailure::unreachable;
  if (!route) {
    ++unroutable_;
    hash_.add(mark(Mark::unroutable, train.size));
    if (tap_ != nullptr) tap_->on_unroutable(now(), train.size);
    return std::nullopt;
  }
  if (from == Role::client && !paths_[route->path].interface_up) return TransmitFailure::unreachable;
  if (const auto fault = send_fault(from, paths_[route->path])) return fault->failure;
  Packet packet{.tuple = route->tuple, .sent_at = now(), .serial = 0, .size = 0, .ecn = train.ecn};
  const Direction direction = from == Role::client ? Direction::up : Direction::down;
  const std::size_t link = link_index(route->path, direction);
  const KnownMtu& known = paths_[route->path].known_mtu[static_cast<std::size_t>(direction)];
  const std::size_t step = train.segment_size == 0 ? train.size : train.segment_size;
  std::size_t short_headers = 0;
  bool too_big = false;
  for (std::size_t at = 0; at < train.size; at += step) {
    const Bytes datagram = bytes.subspan(at, std::min(step, train.size - at));
    packet.size = static_cast<std::uint32_t>(datagram.size());
    packet.serial = serial_++;
    packet.acks = has_short_header(datagram) && short_headers < acks.size() && acks[short_headers++];
    if (observer_ != nullptr) observer_->on_sent(from, train.tuple, packet);
    if (datagram.size() > pool_.capacity() || (datagram.size() + kIpUdpOverhead > known.mtu && now() >= known.since)) {
      too_big = true;
      continue;
    }
    meddle(link, packet, train.tuple, datagram);
  }
  if (too_big) return TransmitFailure::too_big;
  return std::nullopt;
}

void World::meddle(std::size_t link, const Packet& packet, const FourTuple& sender, Bytes bytes) {
  switch (meddler_.judge(link, packet, sender, bytes)) {
    case Meddler::Verdict::pass: return put_on_link(link, packet, sender, bytes);
    case Meddler::Verdict::drop: return hash_.add(mark(Mark::dropped, packet.serial));
    case Meddler::Verdict::hold: return;
  }
}

void World::release_burst(std::size_t path, Direction direction) {
  const std::size_t link = link_index(path, direction);
  for (const Meddler::Held& held : meddler_.release(link)) put_on_link(link, held.packet, held.sender, held.bytes);
}

void World::heal(std::size_t path) {
  set_interface_up(path, true);
  for (auto& fault : paths_[path].send_fault) fault.reset();
  paths_[path].nat.idle_timeout = {};
  for (const Direction direction : {Direction::up, Direction::down}) {
    link(path, direction).end_faults();
    meddler_.heal(link_index(path, direction));
  }
}

void World::end_outages() {
  for (std::size_t i = 0; i < outages_.size(); ++i) {
    outages_[i]->end(now());
    rearm_outage(i);
  }
}

void World::put_on_link(std::size_t link, const Packet& packet, const FourTuple& sender, Bytes bytes) {
  hash_.add(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  hash_.add(mark(Mark::sent, link << 8 | static_cast<std::uint64_t>(packet.ecn)));
  add(hash_, packet.tuple.local);
  add(hash_, packet.tuple.remote);
  add_datagram(hash_, bytes);
  if (tap_ != nullptr)
    tap_->on_sent({.at = now(), .link = static_cast<std::uint32_t>(link), .packet = packet, .bytes = bytes}, sender);
  if (carrier_ != nullptr) return carrier_->on_sent(link, packet, bytes);
  enter_link(link, packet, bytes);
}

void World::enter_link(std::size_t link, const Packet& packet, Bytes bytes) {
  const PacketRef ref = pool_.acquire();
  pool_[ref] = packet;
  pool_.fill(ref, bytes);
  const auto flow = static_cast<std::uint32_t>(link << 24 ^ packet.tuple.local.port << 8U ^ packet.tuple.remote.port);
  links_[link]->offer(
      {.ref = ref, .bytes = static_cast<std::uint32_t>(packet.ip_size()), .flow = flow, .ecn = packet.ecn}, now());
  rearm(link);
}

void World::rearm(std::size_t link) {
  rearm_link(link, links_[link]->due());
  if (!bottlenecks_.empty())
    if (const auto shared = links_[link]->config().shared_bottleneck) rearm_bottleneck(*shared);
}

void World::rearm_timer(TimerId timer, Deadline deadline) {
  if (deadline)
    events_.arm(timer, *deadline);
  else
    events_.disarm(timer);
}

void World::rearm_link(std::size_t link, Instant due) {
  if (due == link_armed_[link]) return;
  link_armed_[link] = due;
  if (due == kNever)
    events_.disarm(link_timers_[link]);
  else
    events_.arm(link_timers_[link], due);
}

void World::rearm_bottleneck(std::size_t bottleneck) {
  rearm_timer(bottleneck_timers_[bottleneck], bottlenecks_[bottleneck]->next_deadline());
}

void World::on_outage(std::size_t outage) {
  outages_[outage]->on_deadline(now());
  rearm_outage(outage);
}

void World::rearm_outage(std::size_t outage) {
  rearm_timer(outage_timers_[outage], outages_[outage]->next_deadline());
  for (const Link* link : outages_[outage]->links()) rearm_link(link->id().value(), link->due());
  for (std::size_t i = 0; i < bottlenecks_.size(); ++i) rearm_bottleneck(i);
}

void World::set_carrier(Carrier* carrier) {
  carrier_ = carrier;
  if (carrier_ == nullptr) return;
  carrier_timer_ = events_.make_timer({.kind = EventKind::carrier});
  carrier_->attach(*this);
}

Deadline World::next_time() {
  const Deadline next = events_.next_time();
  if (carrier_ == nullptr || !next || *next == now()) return next;
  if (const auto due = carrier_->run_until(*next)) events_.arm(*carrier_timer_, *due);
  return events_.next_time();
}

bool World::dispatch(const SimEvent& event) {
  switch (event.kind) {
    case EventKind::link:
      link_armed_[event.target] = kNever;
      rearm_link(event.target, links_[event.target]->on_deadline(now()));
      return true;
    case EventKind::bottleneck:
      bottlenecks_[event.target]->on_deadline(now());
      rearm_bottleneck(event.target);
      for (std::size_t i = 0; i < links_.size(); ++i)
        if (links_[i]->config().shared_bottleneck == event.target) rearm_link(i, links_[i]->due());
      return true;
    case EventKind::outage: on_outage(event.target); return true;
    case EventKind::carrier: carrier_->on_due(); return true;
    case EventKind::host_timer:
    case EventKind::app_timer:
    case EventKind::script:
    case EventKind::open_path:
    case EventKind::sample: break;
  }
  return false;
}

void World::deliver(std::size_t link, const Packet& packet, Bytes bytes) {
  const PacketRef ref = pool_.acquire();
  pool_[ref] = packet;
  std::ranges::copy(bytes, pool_.bytes(ref).begin());
  hand_over(LinkId(static_cast<std::uint32_t>(link)), ref);
}

void World::on_delivered(LinkId link, PacketRef ref) {
  if (carrier_ == nullptr) return hand_over(link, ref);
  carrier_->on_link_exit(link.value(), pool_[ref], pool_.bytes(ref));
  pool_.release(ref);
}

void World::hand_over(LinkId link, PacketRef ref) {
  const Packet& packet = pool_[ref];
  if (is_former(packet.tuple.local)) {
    ++unroutable_;
    hash_.add(mark(Mark::unroutable, packet.size));
    if (tap_ != nullptr) tap_->on_unroutable(now(), packet.size);
    return pool_.release(ref);
  }
  const Role to = LinkEnd::of(link.value()).receiver();
  hash_.add(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  hash_.add(mark(Mark::delivered, packet.serial));
  const MutableBytes bytes = pool_.bytes(ref);
  if (observer_ != nullptr) observer_->on_received(to, packet, bytes);
  if (tap_ != nullptr) tap_->on_delivered({.at = now(), .link = link.value(), .packet = packet, .bytes = bytes});
  hosts_[static_cast<std::size_t>(to)]->on_packet(
      {.tuple = packet.tuple, .ecn = packet.ecn, .bytes = bytes, .segment_size = bytes.size()});
  pool_.release(ref);
}

void World::on_dropped(LinkId link, PacketRef ref, LinkDrop reason) {
  hash_.add(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  hash_.add(mark(Mark::dropped, pool_[ref].serial << 4 | static_cast<std::uint64_t>(reason)));
  if (tap_ != nullptr)
    tap_->on_dropped({.at = now(), .link = link.value(), .packet = pool_[ref], .bytes = pool_.bytes(ref)}, reason);
  if (reason == LinkDrop::too_big && links_[link.value()]->config().mtu_signal) learn_mtu(link);
  if (carrier_ != nullptr) carrier_->on_link_drop(pool_[ref]);
  pool_.release(ref);
}

/// The message comes from somewhere on the path, after a round trip at the latest; the sender's IP layer refuses larger
/// packets from then on.
void World::learn_mtu(LinkId id) {
  const auto [path, direction] = LinkEnd::of(id.value());
  KnownMtu& known = paths_[path].known_mtu[std::to_underlying(direction)];
  if (known.mtu != SIZE_MAX) return;
  known.mtu = links_[id.value()]->config().mtu;
  known.since = now() + link(path, Direction::up).config().delay + link(path, Direction::down).config().delay;
}

std::optional<World::Route> World::route(Role from, const FourTuple& tuple) {
  std::size_t& last = last_path_[static_cast<std::size_t>(from)];
  for (std::size_t tried = 0; tried < paths_.size(); ++tried) {
    const std::size_t path = (last + tried) % paths_.size();
    const auto found = from == Role::client ? route_from_client(path, tuple) : route_from_server(path, tuple);
    if (!found) continue;
    last = path;
    return found;
  }
  return std::nullopt;
}

std::optional<World::Route> World::route_from_client(std::size_t path, const FourTuple& tuple) {
  if (paths_[path].client.ip != tuple.local.ip || tuple.remote != server_) return std::nullopt;
  Binding& binding = binding_of(path, tuple.local);
  if (expired(paths_[path], binding)) {
    binding.outside = new_outside_address(path);
    binding.peers.clear();
  }
  binding.last_used = now();
  if (paths_[path].nat.filter == NatFilter::endpoint_dependent &&
      std::ranges::find(binding.peers, tuple.remote) == binding.peers.end())
    binding.peers.push_back(tuple.remote);
  return Route{.path = path, .tuple = {.local = server_, .remote = binding.outside}};
}

std::optional<World::Route> World::route_from_server(std::size_t path, const FourTuple& tuple) {
  for (Binding& binding : paths_[path].bindings) {
    if (binding.outside != tuple.remote) continue;
    if (expired(paths_[path], binding)) return std::nullopt;
    if (paths_[path].nat.filter == NatFilter::endpoint_dependent &&
        std::ranges::find(binding.peers, tuple.local) == binding.peers.end())
      return std::nullopt;
    binding.last_used = now();
    return Route{.path = path, .tuple = {.local = binding.inside, .remote = tuple.local}};
  }
  return std::nullopt;
}

bool World::expired(const Path& path, const Binding& binding) const {
  return path.nat.idle_timeout > Duration::zero() && now() - binding.last_used > path.nat.idle_timeout;
}

World::Binding& World::binding_of(std::size_t path, const SocketAddress& inside) {
  auto& bindings = paths_[path].bindings;
  const auto found = std::ranges::find(bindings, inside, &Binding::inside);
  if (found != bindings.end()) return *found;
  return bindings.emplace_back(Binding{.inside = inside, .outside = inside, .last_used = now(), .peers = {}});
}

SocketAddress World::new_outside_address(std::size_t path) {
  return v4({198, 51, 100, static_cast<std::uint8_t>(path + 1)}, next_outside_port_++);
}

void World::rebind(std::size_t path) {
  for (Binding& binding : paths_[path].bindings) {
    binding.outside = new_outside_address(path);
    binding.peers.clear();
  }
}

void World::set_link_up(std::size_t path, Direction direction, bool up) {
  if (up) set_link_held(path, direction, false);
  link(path, direction).set_up(up, now());
  rearm_link(link_index(path, direction), link(path, direction).due());
}

void World::set_link_held(std::size_t path, Direction direction, bool held) {
  if (std::exchange(paths_[path].held[static_cast<std::size_t>(direction)], held) == held) return;
  if (held)
    link(path, direction).begin_hold();
  else
    link(path, direction).end_hold(now());
  rearm(link_index(path, direction));
}

void World::set_mtu(std::size_t path, Direction direction, std::size_t mtu) {
  if (link(path, direction).config().mtu == mtu) return;
  link(path, direction).set_mtu(mtu);
  paths_[path].known_mtu[static_cast<std::size_t>(direction)] = {};
}

void World::change_address(std::size_t path) {
  Path& changed = paths_[path];
  changed.former.push_back(changed.client.ip);
  changed.client.ip =
      IpAddress::v4({10, static_cast<std::uint8_t>(path + 1), static_cast<std::uint8_t>(changed.former.size()), 2});
  changed.bindings.clear();
  ++address_changes_;
}

void World::fail_sends(Role from, std::size_t path, std::optional<TransmitFailure> failure, Deadline until) {
  paths_[path].send_fault[static_cast<std::size_t>(from)] = SendFault{.failure = failure, .until = until};
}

std::optional<World::SendFault> World::send_fault(Role from, Path& path) {
  auto& fault = path.send_fault[static_cast<std::size_t>(from)];
  if (!fault) return std::nullopt;
  const SendFault now_active = *fault;
  if (!fault->until || *fault->until <= now()) fault.reset();
  if (now_active.until && *now_active.until <= now()) return std::nullopt;
  return now_active;
}

bool World::is_former(const SocketAddress& local) const {
  return address_changes_ > 0 && std::ranges::any_of(paths_, [&](const Path& path) {
           return std::ranges::find(path.former, local.ip) != path.former.end();
         });
}

void World::set_interface_up(std::size_t path, bool up) {
  paths_[path].interface_up = up;
  for (const Direction direction : {Direction::up, Direction::down}) set_link_up(path, direction, up);
}

}  // namespace mpquic::sim
