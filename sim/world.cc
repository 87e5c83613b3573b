#include "sim/world.h"

#include <algorithm>

namespace mpquic::sim {
namespace {

constexpr std::uint16_t kClientPort = 50000;
constexpr std::uint16_t kServerPort = 4433;

[[nodiscard]] SocketAddress v4(std::array<std::uint8_t, 4> octets, std::uint16_t port) {
  return {.ip = IpAddress::v4(octets), .port = port};
}

[[nodiscard]] std::size_t largest_payload(const std::vector<PathConfig>& paths) {
  std::size_t mtu = kMinInitialDatagram + kIpUdpOverhead;
  for (const PathConfig& path : paths) mtu = std::max({mtu, path.up.mtu, path.down.mtu});
  return std::min(mtu - kIpUdpOverhead, kMaxDatagram);
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

World::World(const std::vector<PathConfig>& paths, std::uint64_t seed)
    : pool_(largest_payload(paths)), server_(v4({192, 0, 2, 1}, kServerPort)) {
  const Link::Services services{.events = events_, .pool = pool_, .observer = *this};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto client = v4({10, static_cast<std::uint8_t>(i + 1), 0, 2}, static_cast<std::uint16_t>(kClientPort + i));
    paths_.push_back(Path{.name = paths[i].name, .client = client, .interface_up = true, .bindings = {}});
    for (const LinkConfig* config : {&paths[i].up, &paths[i].down}) {
      const LinkId id(static_cast<std::uint32_t>(links_.size()));
      links_.push_back(std::make_unique<Link>(id, *config, services, seed));
    }
  }
}

FourTuple World::client_tuple(std::size_t path) const { return {.local = paths_[path].client, .remote = server_}; }

SocketAddress World::new_client_address(std::size_t path) {
  return {.ip = paths_[path].client.ip, .port = next_client_port_++};
}

std::optional<std::size_t> World::path_of(const SocketAddress& local) const {
  for (std::size_t i = 0; i < paths_.size(); ++i)
    if (paths_[i].client.ip == local.ip) return i;
  return std::nullopt;
}

std::optional<TransmitFailure> World::send(Role from, const Transmit& train, Bytes bytes) {
  const auto route = this->route(from, train.tuple);
  if (!route) {
    ++unroutable_;
    hash_.add(mark(Mark::unroutable, train.size));
    return std::nullopt;
  }
  if (from == Role::client && !paths_[route->path].interface_up) return TransmitFailure::unreachable;
  Packet packet{.tuple = route->tuple, .sent_at = now(), .serial = 0, .size = 0, .ecn = train.ecn};
  const std::size_t link = link_index(route->path, from == Role::client ? Direction::up : Direction::down);
  const std::size_t step = train.segment_size == 0 ? train.size : train.segment_size;
  bool too_big = false;
  for (std::size_t at = 0; at < train.size; at += step) {
    const Bytes datagram = bytes.subspan(at, std::min(step, train.size - at));
    packet.size = static_cast<std::uint32_t>(datagram.size());
    packet.serial = serial_++;
    if (observer_ != nullptr) observer_->on_sent(from, train.tuple, packet);
    if (datagram.size() > pool_.capacity()) {
      too_big = true;
      continue;
    }
    put_on_link(link, packet, datagram);
  }
  if (too_big) return TransmitFailure::too_big;
  return std::nullopt;
}

void World::put_on_link(std::size_t link, const Packet& packet, Bytes bytes) {
  const PacketRef ref = pool_.acquire();
  pool_[ref] = packet;
  std::ranges::copy(bytes, pool_.bytes(ref).begin());
  hash_.add(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  hash_.add(mark(Mark::sent, link << 8 | static_cast<std::uint64_t>(packet.ecn)));
  add(hash_, packet.tuple.local);
  add(hash_, packet.tuple.remote);
  add_datagram(hash_, bytes);
  links_[link]->offer(ref);
}

bool World::dispatch(const SimEvent& event) {
  switch (event.kind) {
    case EventKind::link_serviced: links_[event.target]->on_serviced(); return true;
    case EventKind::link_arrival: links_[event.target]->on_arrival(); return true;
    case EventKind::link_straggler:
      links_[event.target]->on_straggler(PacketRef(static_cast<std::uint32_t>(event.payload)));
      return true;
    case EventKind::host_timer:
    case EventKind::app_timer:
    case EventKind::script:
    case EventKind::open_path:
    case EventKind::sample: break;
  }
  return false;
}

void World::on_delivered(LinkId link, PacketRef ref) {
  const Packet& packet = pool_[ref];
  const Role to = link.value() % 2 == static_cast<std::uint32_t>(Direction::up) ? Role::server : Role::client;
  hash_.add(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  hash_.add(mark(Mark::delivered, packet.serial));
  const MutableBytes bytes = pool_.bytes(ref);
  if (observer_ != nullptr) observer_->on_received(to, packet, bytes);
  hosts_[static_cast<std::size_t>(to)]->on_packet(
      {.tuple = packet.tuple, .ecn = packet.ecn, .bytes = bytes, .segment_size = bytes.size()});
  pool_.release(ref);
}

void World::on_dropped(LinkId /*link*/, PacketRef ref, LinkDrop reason) {
  hash_.add(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  hash_.add(mark(Mark::dropped, pool_[ref].serial << 4 | static_cast<std::uint64_t>(reason)));
  pool_.release(ref);
}

std::optional<World::Route> World::route(Role from, const FourTuple& tuple) {
  std::size_t& last = last_path_[static_cast<std::size_t>(from)];
  for (std::size_t tried = 0; tried < paths_.size(); ++tried) {
    const std::size_t path = (last + tried) % paths_.size();
    if (from == Role::client) {
      if (paths_[path].client.ip != tuple.local.ip || tuple.remote != server_) continue;
      last = path;
      return Route{.path = path, .tuple = {.local = server_, .remote = binding_of(path, tuple.local).outside}};
    }
    for (const Binding& binding : paths_[path].bindings) {
      if (binding.outside != tuple.remote) continue;
      last = path;
      return Route{.path = path, .tuple = {.local = binding.inside, .remote = server_}};
    }
  }
  return std::nullopt;
}

World::Binding& World::binding_of(std::size_t path, const SocketAddress& inside) {
  auto& bindings = paths_[path].bindings;
  const auto found = std::ranges::find(bindings, inside, &Binding::inside);
  if (found != bindings.end()) return *found;
  return bindings.emplace_back(Binding{.inside = inside, .outside = inside});
}

void World::rebind(std::size_t path) {
  for (Binding& binding : paths_[path].bindings)
    binding.outside = v4({198, 51, 100, static_cast<std::uint8_t>(path + 1)}, next_outside_port_++);
}

void World::set_interface_up(std::size_t path, bool up) {
  paths_[path].interface_up = up;
  for (const Direction direction : {Direction::up, Direction::down}) link(path, direction).set_up(up);
}

}  // namespace mpquic::sim
