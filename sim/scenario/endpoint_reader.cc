#include "sim/peers/ngtcp2_options.h"
#include "sim/scenario/readers.h"
#include "sim/scenario/yaml_values.h"
#include "stack/cc/congestion_controller.h"
#include "stack/redundancy/duplication.h"
#include "stack/redundancy/reinjection.h"
#include "stack/sched/scheduler.h"

namespace mpquic::sim {
namespace {

constexpr std::size_t kMaxOpenPaths = 64;
// RFC 9000 §18.2.
constexpr std::uint64_t kLeastCidLimit = 2;
constexpr std::uint64_t kMostCidLimit = 1024;  // ours
constexpr Duration kLongestAckDelay = std::chrono::milliseconds((1 << 14) - 1);
/// No timer of a connection means anything below.
constexpr Duration kShortestTimer = std::chrono::milliseconds(1);
constexpr std::uint64_t kMostStreams = std::uint64_t{1} << 60;  // §4.6
/// What a client keeps of a handshake that has a gap has room for more (conn/crypto_stream).
constexpr std::size_t kLongestChain = 50'000;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;

[[nodiscard]] Parsed<EngineKind> parse_engine(std::string_view text) {
  for (const auto kind : {EngineKind::mpquic, EngineKind::ngtcp2})
    if (text == name_of(kind)) return kind;
  return std::unexpected("mpquic or ngtcp2");
}

[[nodiscard]] Parsed<InjectedBug> parse_bug(std::string_view text) {
  for (const auto bug :
       {InjectedBug::none, InjectedBug::free_unacked, InjectedBug::nonce_without_path, InjectedBug::timer_on_send})
    if (text == name_of(bug)) {
      if (bug != InjectedBug::none && !kBugsCanBeInjected)
        return std::unexpected("a build with expensive checks (--preset sim), for this one has no bugs to inject");
      return bug;
    }
  return std::unexpected("none, free-unacked, nonce-without-path or timer-on-send");
}

[[nodiscard]] std::span<const std::string_view> controllers_of(EngineKind engine) {
  return engine == EngineKind::ngtcp2 ? peers::kNgtcp2Controllers : congestion_controller_names();
}

/// Where the engine was `chosen` on the command line, as `compare` does, the file was written for another one: then
/// what it says and this one lacks is set aside.
[[nodiscard]] bool is_meant(YamlMap& map, const char* key, bool chosen) {
  return map.has(key) && (!chosen || map.overridden(key));
}

/// Which engine a side has shows when all keys of the side are read.
void check_controller(YamlMap& map, SideSpec& side, bool chosen) {
  std::string& controller = side.connection.congestion_control;
  const auto names = controllers_of(side.engine);
  if (!map.has("cc") || std::ranges::find(names, controller) != names.end()) return;
  if (is_meant(map, "cc", chosen))
    return map.fail("cc", fmt::format("expected one of {} (engine {}), got '{}'", listed(names), name_of(side.engine),
                                      shortened(controller)));
  controller = ConnectionConfig{}.congestion_control;
}

void check_keys(YamlMap& map, const SideSpec& side, bool chosen) {
  if (side.engine != EngineKind::ngtcp2) return;
  for (const std::string_view key : peers::kNgtcp2Lacks)
    if (is_meant(map, key.data(), chosen))
      return map.fail(key.data(), fmt::format("engine ngtcp2 does not have it, only {}", listed(peers::kNgtcp2Keys)));
}

/// The keys that both sides together and each side alone may have.
void read_side(YamlMap& map, SideSpec& side) {
  ConnectionConfig& c = side.connection;
  map.read("engine", parse_engine, side.engine);
  map.read("cc", c.congestion_control);
  read_name(map, "scheduler", scheduler_names(), c.scheduler);
  read_name(map, "duplication", duplication_policy_names(), c.duplication);
  read_count(map, "duplicate_copies", c.duplicate_copies);
  check_range(map, "duplicate_copies", c.duplicate_copies, 1, kMaxCopies);
  read_name(map, "reinjection", reinjection_policy_names(), c.reinjection);
  map.read("multipath", parse_switch, c.multipath);
  map.read("pacing", parse_switch, c.pacing);
  map.read("ecn", parse_switch, c.ecn);
  map.read("discover_mtu", parse_switch, c.discover_mtu);
  map.read("grease", parse_switch, c.grease);
  map.read("keep_alive", parse_duration, c.keep_alive);
  map.read("idle_timeout", parse_duration, c.idle_timeout);
  map.read("handshake_timeout", parse_duration, c.handshake_timeout);
  check_time(map, "handshake_timeout", c.handshake_timeout, kShortestTimer);
  map.read("max_ack_delay", parse_duration, c.max_ack_delay);
  check_time(map, "max_ack_delay", c.max_ack_delay, Duration::zero(), kLongestAckDelay);
  map.read("initial_rtt", parse_duration, c.initial_rtt);
  check_time(map, "initial_rtt", c.initial_rtt, kShortestTimer);
  read_bytes(map, "max_data", c.max_data);
  check_range(map, "max_data", c.max_data, 1, kMostBytes);
  read_bytes(map, "max_stream_data", c.max_stream_data);
  check_range(map, "max_stream_data", c.max_stream_data, 1, kMostBytes);
  read_bytes(map, "send_buffer", c.send_buffer);
  check_range(map, "send_buffer", c.send_buffer, 1, kMostBytes);
  map.read("max_streams_bidi", parse_count, c.max_streams_bidi);
  check_range(map, "max_streams_bidi", c.max_streams_bidi, 0, kMostStreams);
  map.read("max_streams_uni", parse_count, c.max_streams_uni);
  check_range(map, "max_streams_uni", c.max_streams_uni, 0, kMostStreams);
  read_count(map, "max_paths", c.max_paths);
  check_range(map, "max_paths", c.max_paths, 1, kMaxOpenPaths);
  read_size(map, "initial_datagram_size", c.initial_datagram_size);
  check_range(map, "initial_datagram_size", c.initial_datagram_size, kMinInitialDatagram, kMaxDatagram);
  read_size(map, "max_datagram_size", c.max_datagram_size);
  check_range(map, "max_datagram_size", c.max_datagram_size, kMinInitialDatagram, kMaxDatagram);
  read_count(map, "key_update_after_packets", c.key_update_after_packets);
  read_count(map, "active_connection_id_limit", c.active_connection_id_limit);
  check_range(map, "active_connection_id_limit", c.active_connection_id_limit, kLeastCidLimit, kMostCidLimit);
  map.read("address_advertisement", parse_switch, c.address_advertisement);
  map.read("active_migration", parse_switch, c.active_migration);
  map.read("buggify", parse_probability, side.buggify);
  ConnectionConfig ours = c;
  ours.congestion_control = ConnectionConfig{}.congestion_control;  // check_controller() knows whose names count
  if (const auto valid = validate(ours); !valid) map.fail(valid.error().field.c_str(), valid.error().reason);
}

}  // namespace

void read_endpoints(YamlMap& map, EndpointsSpec& spec, NamedPaths& named) {
  read_side(map, spec.client);
  spec.server = spec.client;
  bool chosen = false;  // the engine of the side that was read last
  for (const auto& [key, side] : {std::pair{"client", &spec.client}, std::pair{"server", &spec.server}}) {
    chosen = map.overridden("engine");
    map.map(key, [&](YamlMap& inner) {
      read_side(inner, *side);
      chosen |= inner.overridden("engine");
      check_controller(inner, *side, chosen);
      check_keys(inner, *side, chosen);
    });
    check_controller(map, *side, chosen);
    if (map.has("engine")) check_keys(map, *side, chosen);  // else they may be meant for the other side
  }
  map.read("retry", parse_switch, spec.require_retry);
  read_size(map, "certificate_chain", spec.certificate_chain);
  check_range(map, "certificate_chain", spec.certificate_chain, 0, kLongestChain);
  if (spec.server.engine == EngineKind::ngtcp2 && is_meant(map, "certificate_chain", chosen))
    map.fail("certificate_chain", "engine ngtcp2 sends one certificate");
  map.read("inject", parse_bug, spec.injected_bug);
  map.read("first_path", named.first_path);
}

}  // namespace mpquic::sim
