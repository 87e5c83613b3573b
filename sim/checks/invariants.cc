#include "sim/checks/invariants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace mpquic::sim {
namespace {

/// RFC 9000 §8.1.
constexpr std::uint64_t kAmplificationFactor = 3;
/// Services per in-flight check: path statistics cost more than all other checks together.
constexpr std::uint64_t kWindowCheckEvery = 64;
/// Two probes of a PTO (RFC 9002 §6.2.4), and the packet that crosses the window's edge.
constexpr std::uint64_t kWindowSlackDatagrams = 3;
constexpr std::uint32_t kMaxWakeupsAtInstant = 64;
constexpr std::uint32_t kMaxIdleWakeupsPerSecond = 20'000;

[[nodiscard]] std::string_view name_of(Role role) { return role == Role::client ? "client" : "server"; }

class PacketNumberSink final : public trace::Sink {
 public:
  PacketNumberSink(Role role, Violations& violations, std::unique_ptr<trace::Sink> inner)
      : role_(role), violations_(violations), inner_(std::move(inner)) {}
  void on_event(const trace::Event& event, Instant now) override {
    if (const auto* sent = trace::event_if<trace::PacketSent>(event)) check(*sent, now);
    if (inner_ != nullptr) inner_->on_event(event, now);
  }
  [[nodiscard]] bool wants_payload() const override { return inner_ != nullptr && inner_->wants_payload(); }

 private:
  /// What a nonce is without its packet number: the IV of a key and a path's share. Nonces with equal ones differ if,
  /// and only if, their packet numbers do.
  struct Base {
    std::uint32_t front = 0;
    std::uint64_t back = 0;  // what the packet number is added to (RFC 9001 §5.3)
    bool operator==(const Base&) const = default;
  };
  struct Used {
    Base base{};
    std::uint64_t next = 0;  // the least packet number not used yet
  };
  struct OfPath {
    std::uint64_t next = 0;
    std::size_t nonce = 0;  // where its last one was found among the nonces
  };
  struct Numbers {  // of one space
    std::vector<OfPath> paths;
    std::vector<Used> nonces;  // of the key in use
    bool key_phase = false;
  };
  [[nodiscard]] static Base base_of(const trace::PacketSent& sent) {
    const std::uint64_t number = sent.number.value();
    Base base;
    static_assert(sizeof(base.front) + sizeof(base.back) == sizeof(sent.nonce));
    std::memcpy(&base.front, sent.nonce.data(), sizeof(base.front));
    std::memcpy(&base.back, sent.nonce.data() + sizeof(base.front), sizeof(base.back));
    base.back ^= std::endian::native == std::endian::little ? std::byteswap(number) : number;
    return base;
  }
  void check(const trace::PacketSent& sent, Instant now) {
    Numbers& numbers = numbers_[static_cast<std::size_t>(space_of(sent.level))];
    const std::size_t path = sent.path.value();
    if (path >= numbers.paths.size()) numbers.paths.resize(path + 1);
    check(sent, numbers.paths[path].next, "is not above the ones before", now);
    if (sent.key_phase != numbers.key_phase) numbers.nonces.clear();
    numbers.key_phase = sent.key_phase;
    Used& used = used_of(numbers.nonces, base_of(sent), numbers.paths[path].nonce);
    check(sent, used.next, "has the nonce of another packet under the same key", now);
  }
  /// `guess` is where to look first, and becomes where it was found.
  [[nodiscard]] static Used& used_of(std::vector<Used>& nonces, const Base& base, std::size_t& guess) {
    if (guess < nonces.size() && nonces[guess].base == base) return nonces[guess];
    const auto known = std::ranges::find(nonces, base, &Used::base);
    guess = static_cast<std::size_t>(known - nonces.begin());
    return known == nonces.end() ? nonces.emplace_back(Used{.base = base}) : *known;
  }
  void check(const trace::PacketSent& sent, std::uint64_t& next, std::string_view what, Instant now) {
    if (sent.number.value() < next)
      return violations_.add(now, fmt::format("{}: packet number {} on path {} {}: a nonce repeats", name_of(role_),
                                              sent.number.value(), sent.path.value(), what));
    next = sent.number.value() + 1;
  }
  Role role_;
  Violations& violations_;
  std::unique_ptr<trace::Sink> inner_;
  Numbers numbers_[kSpaceCount];
};

}  // namespace

std::unique_ptr<trace::Sink> PacketNumberWatch::make_sink(Role role, const ConnectionId& original_dcid) {
  return std::make_unique<PacketNumberSink>(role, violations_,
                                            inner_ == nullptr ? nullptr : inner_->make_sink(role, original_dcid));
}

Invariants::Invariants(const Parts& parts) : parts_(parts), up_since_(parts.world.path_count()) { on_network_change(); }

void Invariants::on_network_change() {
  for (std::size_t path = 0; path < up_since_.size(); ++path) {
    const bool up = parts_.world.link(path, Direction::up).up() && parts_.world.link(path, Direction::down).up();
    if (!up)
      up_since_[path].reset();
    else if (!up_since_[path])
      up_since_[path] = parts_.world.now();
  }
}

void Invariants::sample() {
  on_network_change();  // outages come by themselves
  check_conservation();
  check_liveness();
}

void Invariants::check_conservation() {
  std::uint64_t held = 0;
  bool conserved = true;
  for (std::size_t path = 0; path < parts_.world.path_count(); ++path) {
    for (const Direction direction : {Direction::up, Direction::down}) {
      const LinkCounters& counters = parts_.world.link(path, direction).counters();
      held += counters.held;
      conserved &= counters.conserved();
    }
  }
  if ((conserved && held == parts_.world.packets_held()) || conservation_reported_) return;
  conservation_reported_ = true;
  parts_.violations.add(parts_.world.now(), "packets were created or lost without a reason on a link");
}

void Invariants::check_liveness() {
  if (stall_reported_ || !parts_.ledger.outstanding()) return;
  std::optional<Instant> up_since;
  for (const auto& since : up_since_)
    if (since && (!up_since || *since < *up_since)) up_since = since;
  if (!up_since) return;
  const Duration stalled = parts_.world.now() - std::max(*up_since, parts_.ledger.last_progress());
  if (stalled <= parts_.max_stall) return;
  stall_reported_ = true;
  parts_.violations.add(
      parts_.world.now(),
      fmt::format("no progress for {:.1f} s although a path is up and work is outstanding", to_seconds(stalled)));
}

Invariants::Address& Invariants::address_of(const SocketAddress& address) {
  if (last_address_ < addresses_.size() && addresses_[last_address_].address == address)
    return addresses_[last_address_];
  const auto found = std::ranges::find(addresses_, address, &Address::address);
  last_address_ = static_cast<std::size_t>(found - addresses_.begin());
  if (found != addresses_.end()) return *found;
  ++unvalidated_;
  Address& added = addresses_.emplace_back();
  added.address = address;
  return added;
}

void Invariants::on_sent(Role from, const FourTuple& tuple, const Packet& packet) {
  if (from != Role::server) return;
  Address& to = address_of(tuple.remote);
  if (to.validated) return;
  to.sent += packet.size;
  if (!to.client_heard) to.serials.push_back(packet.serial);
  if (to.reported || to.sent <= kAmplificationFactor * to.received) return;
  to.reported = true;
  parts_.violations.add(parts_.world.now(),
                        fmt::format("server sent {} bytes to {} after receiving {}: over 3x before validation", to.sent,
                                    to.address.to_string(), to.received));
}

void Invariants::on_received(Role to, const Packet& packet, Bytes /*bytes*/) {
  if (to == Role::server) address_of(packet.tuple.remote).received += packet.size;
  if (unvalidated_ == 0) return;
  for (Address& address : addresses_) {
    if (address.validated) continue;
    if (to == Role::client) {
      // Whatever the client says from now on may prove that it got this packet, by whichever path.
      if (!address.client_heard && std::ranges::find(address.serials, packet.serial) != address.serials.end())
        address.client_heard = parts_.world.now();
    } else if (address.client_heard && packet.sent_at >= *address.client_heard) {
      address.validated = true;
      --unvalidated_;
    }
  }
}

void Invariants::before_service(Role host, Transport& transport) {
  HostState& state = hosts_[static_cast<std::size_t>(host)];
  const auto& connection = connections_[static_cast<std::size_t>(host)];
  state.comparing = ++state.services % kWindowCheckEvery == 0 && connection.has_value();
  if (!state.comparing) return;
  state.before.clear();
  transport.path_stats(*connection, state.before);
}

void Invariants::after_service(Role host, Transport& transport) {
  HostState& state = hosts_[static_cast<std::size_t>(host)];
  if (!state.comparing || !connections_[static_cast<std::size_t>(host)]) return;
  state.after.clear();
  transport.path_stats(*connections_[static_cast<std::size_t>(host)], state.after);
  const std::size_t paths = std::min(state.before.size(), state.after.size());
  for (std::size_t i = 0; i < paths; ++i)
    if (state.before[i].id == state.after[i].id) check_window(state, host, state.before[i], state.after[i]);
}

/// Within one service, acknowledgements and losses come first and sending last: whoever sends data while more is in
/// flight than the window allows overruns it. In flight above the window is fine otherwise: the window has shrunk.
void Invariants::check_window(HostState& state, Role host, const PathStats& before, const PathStats& after) {
  const ByteCount slack(kWindowSlackDatagrams * after.max_datagram_size);
  if (after.stream_bytes_sent == before.stream_bytes_sent || after.pto_count != before.pto_count) return;
  if (after.bytes_in_flight <= after.congestion_window + slack) return;
  // Probes pass the window, once for each PTO; at an amplification limit they wait, and go out long after it fired.
  std::uint64_t& probed = state.probed[after.id];
  if (std::exchange(probed, after.pto_count) < after.pto_count) return;
  parts_.violations.add(parts_.world.now(),
                        fmt::format("{}: path {} sent data into a window of {} bytes with {} in flight", name_of(host),
                                    after.id.value(), after.congestion_window.value(), after.bytes_in_flight.value()));
}

void Invariants::on_wakeup(Role host, bool worked) {
  HostState& state = hosts_[static_cast<std::size_t>(host)];
  const Instant now = parts_.world.now();
  if (state.wakeup_instant != now) state.wakeups_at_instant = 0;
  state.wakeup_instant = now;
  if (++state.wakeups_at_instant > kMaxWakeupsAtInstant)
    report_storm(state, fmt::format("{}: {} wakeups without time moving", name_of(host), state.wakeups_at_instant));
  if (worked) return;
  if (now - state.idle_window_start > std::chrono::seconds(1)) {
    state.idle_window_start = now;
    state.idle_wakeups = 0;
  }
  if (++state.idle_wakeups > kMaxIdleWakeupsPerSecond)
    report_storm(state, fmt::format("{}: over {} idle wakeups in a second", name_of(host), kMaxIdleWakeupsPerSecond));
}

void Invariants::on_runaway(Role host) {
  report_storm(hosts_[static_cast<std::size_t>(host)], fmt::format("{}: sends for ever at one instant", name_of(host)));
}

void Invariants::report_storm(HostState& state, std::string what) {
  must_stop_ = true;
  if (state.storm_reported) return;
  state.storm_reported = true;
  parts_.violations.add(parts_.world.now(), "timer storm: " + std::move(what));
}

}  // namespace mpquic::sim
