#include "sim/scenario/link_reader.h"
#include "sim/scenario/readers.h"
#include "sim/scenario/yaml_values.h"

namespace mpquic::sim {
namespace {

struct What {
  Compound compound = Compound::none;
  Action action = Action::link_down;
};

/// A jump of this much is already beyond any timer of a connection that is alive.
constexpr Duration kLongestJump = std::chrono::minutes(10);
constexpr std::uint64_t kMostFlaps = 10'000;
constexpr Duration kShortestFlap = std::chrono::microseconds(100);
constexpr std::uint64_t kMostDropped = 1U << 24;
constexpr std::uint64_t kMaxStreamNumber = 1U << 24;

[[nodiscard]] Parsed<What> parse_what(std::string_view text) {
  if (text == "outage") return What{.compound = Compound::outage, .action = Action::silent_death};
  if (text == "flap") return What{.compound = Compound::flap, .action = Action::silent_death};
  if (text == "handover") return What{.compound = Compound::handover, .action = Action::silent_death};
  for (int i = 0; i <= static_cast<int>(Action::heal); ++i)
    if (text == name_of(static_cast<Action>(i)))
      return What{.compound = Compound::none, .action = static_cast<Action>(i)};
  return std::unexpected(
      "one of link_down, silent_death, hold, link_up, outage, flap, handover, set_rate, set_delay, set_loss, set_mtu, "
      "nat_rebind, address_change, socket_error, abandon_path, migrate_path, path_status, clock_jump, peer_restart, "
      "key_update, "
      "close, open_path, drop_datagrams, reorder_burst, reset_stream, stop_sending, heal");
}

[[nodiscard]] Parsed<bool> parse_status(std::string_view text) {
  if (text == "available") return true;
  if (text == "backup") return false;
  return std::unexpected("available or backup");
}

[[nodiscard]] Parsed<Action> parse_mode(std::string_view text) {
  if (text == "silent") return Action::silent_death;
  if (text == "interface") return Action::link_down;
  if (text == "hold") return Action::hold;
  return std::unexpected("silent (nobody is told), interface (sends fail) or hold (packets wait)");
}

/// By what becomes of the send, or by what the socket call says, which hosts translate so (io/udp_socket).
[[nodiscard]] Parsed<SocketError> parse_socket_error(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(SocketError::no_buffers); ++i)
    if (text == name_of(static_cast<SocketError>(i))) return static_cast<SocketError>(i);
  if (text == "EMSGSIZE") return SocketError::too_big;
  if (text == "ENETUNREACH" || text == "EPERM" || text == "EIO") return SocketError::unreachable;
  if (text == "ECONNREFUSED") return SocketError::refused;
  if (text == "EAGAIN") return SocketError::would_block;
  if (text == "ENOBUFS") return SocketError::no_buffers;
  return std::unexpected(
      "too_big (EMSGSIZE), unreachable (ENETUNREACH, EPERM, EIO), refused (ECONNREFUSED), would_block (EAGAIN) or "
      "no_buffers (ENOBUFS)");
}

[[nodiscard]] Parsed<Duration> parse_jump(std::string_view text) {
  const bool back = text.starts_with('-');
  const auto by = parse_duration(back ? text.substr(1) : text);
  if (!by || *by > kLongestJump) return std::unexpected("a time up to 10min like 2s, or -2s");
  return back ? -*by : *by;
}

[[nodiscard]] Parsed<ByteCount> parse_mtu(std::string_view text) {
  const auto mtu = parse_size(text);
  if (!mtu || mtu->value() < kMinMtu || mtu->value() > kMaxMtu) return std::unexpected("a size from 1228B to 9kB");
  return *mtu;
}

template <class T>
void read_value(YamlMap& map, Parsed<T> (*parse)(std::string_view), ScriptedEvent& event) {
  map.require("value", "what to change it to");
  std::optional<T> value;
  map.read("value", parse, value);
  if (value) event.value = *value;
}

[[nodiscard]] Duration read_length(YamlMap& map, const char* key) {
  Duration length{};
  map.require(key, "how long, like 500ms");
  map.read(key, parse_duration, length);
  return length;
}

[[nodiscard]] bool is_about_a_path(Action action) { return !is_about_host(action) && action != Action::heal; }

/// The keys of a single action, beside `at`, `do` and `path`.
void read_action(YamlMap& map, ScriptedEvent& event) {
  switch (event.action) {
    case Action::link_down:
    case Action::link_up:
    case Action::nat_rebind:
    case Action::open_path:
    case Action::heal:
    case Action::address_change: return;
    case Action::abandon_path:
    case Action::migrate_path: map.read("if_open", parse_switch, event.if_open); return;
    case Action::path_status:
      map.read("if_open", parse_switch, event.if_open);
      return read_value(map, parse_status, event);
    case Action::drop_datagrams:
      map.read("nth", parse_count, event.nth);
      check_range(map, "nth", event.nth, 1, kMostDropped);
      map.read("count", parse_count, event.count);
      check_range(map, "count", event.count, 1, kMostDropped);
      map.read("acks", parse_switch, event.acks);
      break;
    case Action::reorder_burst: event.length = read_length(map, "for"); break;
    case Action::silent_death:
    case Action::hold: break;
    case Action::set_rate: read_value(map, parse_rate, event); break;
    case Action::set_delay: read_value(map, parse_duration, event); break;
    case Action::set_loss: read_value(map, parse_probability, event); break;
    case Action::set_mtu: read_value(map, parse_mtu, event); break;
    case Action::socket_error:
      map.require("value", "too_big, unreachable, refused, would_block or no_buffers");
      map.read("value", parse_socket_error, event.error);
      map.read("for", parse_duration, event.length);
      map.read("side", parse_role, event.side);
      if (event.error != SocketError::would_block) return;
      if (event.length == Duration::zero()) map.fail("for", "missing; expected a time like 500ms");
      if (event.side == Role::server) map.fail("side", "only the client's sockets may block");
      return;
    case Action::clock_jump:
      map.require("side", "client or server");
      map.read("side", parse_role, event.side);
      return read_value(map, parse_jump, event);
    case Action::peer_restart:
      event.side = Role::server;  // a client that restarts has no connection left to speak of
      return;
    case Action::reset_stream:
    case Action::stop_sending:
      map.read("nth", parse_count, event.nth);
      check_range(map, "nth", event.nth, 1, kMaxStreamNumber);
      map.read("side", parse_role, event.side);
      return;
    case Action::key_update:
    case Action::close: map.read("side", parse_role, event.side); return;
  }
  map.read("direction", parse_direction, event.direction);
}

/// Appends the same event at another time.
ScriptedEvent& later(std::vector<ScriptedEvent>& events, ScriptedEvent event, Duration by, Action action) {
  event.at += by;
  event.action = action;
  event.length = {};
  return events.emplace_back(event);
}

void read_outage(YamlMap& map, ScriptedEvent event, std::vector<ScriptedEvent>& events) {
  const Duration length = read_length(map, "for");
  map.read("mode", parse_mode, event.action);
  if (event.action != Action::link_down) map.read("direction", parse_direction, event.direction);
  event.length = length;
  events.push_back(event);
  later(events, event, length, Action::link_up);
}

void read_flap(YamlMap& map, ScriptedEvent event, std::vector<ScriptedEvent>& events) {
  const Duration down = read_length(map, "down");
  const Duration up = read_length(map, "up");
  check_time(map, "down", down, kShortestFlap);
  check_time(map, "up", up, kShortestFlap);
  std::uint64_t count = 1;
  map.require("count", "how many outages");
  map.read("count", parse_count, count);
  check_range(map, "count", count, 1, kMostFlaps);
  map.read("mode", parse_mode, event.action);
  if (!map.ok()) return;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Duration begins = static_cast<std::int64_t>(i) * (down + up);
    later(events, event, begins, event.action).length = down;
    later(events, event, begins + down, Action::link_up);
  }
}

void read_handover(YamlMap& map, ScriptedEvent event, std::vector<ScriptedEvent>& events) {
  Duration gap{};
  map.read("gap", parse_duration, gap);
  std::optional<Bandwidth> rate;
  std::optional<Duration> delay;
  std::optional<double> loss;
  bool rebind = true;
  map.read("rate", parse_rate, rate);
  map.read("delay", parse_duration, delay);
  map.read("loss", parse_probability, loss);
  map.read("rebind", parse_switch, rebind);
  event.length = gap;
  if (gap > Duration::zero()) events.push_back(event);
  if (rate) later(events, event, gap, Action::set_rate).value = *rate;
  if (delay) later(events, event, gap, Action::set_delay).value = *delay;
  if (loss) later(events, event, gap, Action::set_loss).value = *loss;
  if (rebind) later(events, event, gap, Action::nat_rebind);
  if (gap > Duration::zero()) later(events, event, gap, Action::link_up);
}

/// Of set_mtu: packets of that size must pass the buckets that they meet, and the network have room for them.
void check_mtu(YamlMap& map, const ScriptedEvent& event, Scenario& scenario) {
  const auto* mtu = std::get_if<ByteCount>(&event.value);
  if (mtu == nullptr) return;
  scenario.common.largest_mtu = std::max<std::size_t>(scenario.common.largest_mtu, mtu->value());
  for (const Direction direction : {Direction::up, Direction::down}) {
    if (event.direction && *event.direction != direction) continue;
    const LinkConfig& link = scenario.link(event.path, direction);
    const auto* bucket = std::get_if<BucketRate>(&link.service);
    if ((link.policer && link.policer->burst < *mtu) || (bucket != nullptr && bucket->burst < *mtu))
      map.fail("value", fmt::format("is above a burst of path {}: full packets would never pass",
                                    scenario.paths[event.path].config.name));
  }
}

}  // namespace

void read_event(YamlMap& map, Scenario& scenario) {
  ScriptedEvent event;
  What what;
  map.require("at", "a time like 3s");
  map.require("do", "what happens");
  map.read("at", parse_duration, event.at);
  if (event.at > scenario.duration) map.fail("at", "is after the end of the scenario: see duration");
  map.read("do", parse_what, what);
  event.action = what.action;
  event.part_of = what.compound;
  std::size_t first = 0;
  std::size_t last = 1;
  if (is_about_a_path(event.action)) {
    map.require("path", path_names(scenario));
    std::string name;
    map.read("path", name);
    if (name == kEveryPath) {
      last = scenario.paths.size();
    } else {
      const auto path = read_path_name(map, "path", scenario);
      if (!path) return;
      first = *path;
      last = first + 1;
    }
  }
  std::vector<ScriptedEvent> events;
  switch (what.compound) {
    case Compound::none:
      read_action(map, event);
      events.push_back(event);
      break;
    case Compound::outage: read_outage(map, event, events); break;
    case Compound::flap: read_flap(map, event, events); break;
    case Compound::handover: read_handover(map, event, events); break;
  }
  for (ScriptedEvent& each : events) {
    for (each.path = first; each.path < last; ++each.path) {
      check_mtu(map, each, scenario);
      scenario.events.push_back(each);
    }
  }
}

}  // namespace mpquic::sim
