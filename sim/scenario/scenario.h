// A scenario: a network, two endpoints, what they transfer, what happens meanwhile, and what must hold afterwards. The
// same as scenarios/*.yaml (scenarios/SCHEMA.md), as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/network/world.h"
#include "sim/scenario/ns3_spec.h"
#include "sim/workload/workload.h"
#include "stack/conn/close_source.h"
#include "stack/conn/config.h"

namespace mpquic::sim {

enum class Crypto : std::uint8_t { real, null };
[[nodiscard]] std::string_view name_of(Crypto crypto);

/// Whose QUIC runs on a host: ours, or the independent peer of sim/peers.
enum class EngineKind : std::uint8_t { mpquic, ngtcp2 };
[[nodiscard]] std::string_view name_of(EngineKind engine);

struct SideSpec {
  EngineKind engine = EngineKind::mpquic;
  ConnectionConfig connection;
  double buggify = 0;  // probability of legal but unusual choices (stack/base/buggify.h)
};

struct EndpointsSpec {
  SideSpec client;
  SideSpec server;
  bool require_retry = false;
  std::size_t certificate_chain = 0;             // bytes; 0: one certificate
  InjectedBug injected_bug = InjectedBug::none;  // in both sides, for tests of the tests
  std::optional<std::size_t> first_path;         // index of the path that the handshake uses; the first one by default

  [[nodiscard]] const SideSpec& side(Role role) const { return role == Role::client ? client : server; }
  /// Both sides are able and willing to use several paths.
  [[nodiscard]] bool multipath() const;
  [[nodiscard]] bool any(EngineKind engine) const { return client.engine == engine || server.engine == engine; }
  [[nodiscard]] bool both(EngineKind engine) const { return client.engine == engine && server.engine == engine; }
  /// The side whose datagrams may be smaller: links never carry larger ones.
  [[nodiscard]] const ConnectionConfig& narrower() const;
};

[[nodiscard]] std::string_view name_of(InjectedBug bug);

/// What a user without multipath has, to compare with.
enum class Baseline : std::uint8_t {
  none,       // one multipath connection, or the first path alone if multipath is off
  one_path,   // `path NAME`: one connection over `first_path`
  best_path,  // the same; `first_path` is absent until sim/run/best_path.h has measured which one it is
  per_path,   // one connection per WAN; streams and datagram flows are hashed over them
};

[[nodiscard]] std::string_view name_of(Baseline baseline);

struct PathSpec {
  PathConfig config;
  bool used = true;     // false: the link exists, the client ignores it
  bool backup = false;  // PATH_STATUS_BACKUP
  Duration open_at{};   // not before
  std::string source;   // where the figures come from
};

enum class Action : std::uint8_t {
  link_down,     // the client's interface goes: its sends fail, everything on the way is lost
  silent_death,  // everything on the way and to come vanishes, and nobody is told; `direction` may restrict it
  hold,          // packets wait in the queue and leave in a burst afterwards; `direction` may restrict it
  link_up,       // ends all three
  set_rate,
  set_delay,
  set_loss,
  set_mtu,
  nat_rebind,      // the server sees the path's flows from new addresses
  abandon_path,    // the client's application gives the path up
  migrate_path,    // the client moves the path to another local port (RFC 9000 §9)
  path_status,     // PATH_STATUS_AVAILABLE or PATH_STATUS_BACKUP
  address_change,  // the client's interface gets another address; the old one is gone, and the path moves along
  socket_error,    // sends on the path end in `error`, once or for `length`
  clock_jump,      // the host clock of `side` jumps by `value`
  peer_restart,    // `side` loses all connections, but keeps its static key (stateless reset)
  key_update,      // `side` starts one (RFC 9001 §6)
  close,           // the application of `side` closes the connection
  open_path,       // the client asks for a path there, in addition to those that it has
  drop_datagrams,  // the datagrams `nth` to `nth + count - 1` from now on are dropped, or of those with `acks`
  reorder_burst,   // what comes within `length` is held back and then sent in reverse order
  reset_stream,    // the application of `side` gives up a stream that it sends, the `nth` of those (RFC 9000 §3.1)
  stop_sending,    // or wants no more of the `nth` of those that it receives (RFC 9000 §3.5)
  heal,            // ends every fault of every path: all links as they began, without losses
};
[[nodiscard]] std::string_view name_of(Action action);

/// What becomes of sends: the failures that a transport hears of, and two that it does not.
enum class SocketError : std::uint8_t {
  too_big,
  unreachable,
  refused,
  would_block,  // the packets wait
  no_buffers,   // they are lost in the host
};
[[nodiscard]] std::string_view name_of(SocketError error);

/// One of the streams of `side` ends before its time.
[[nodiscard]] bool gives_up_stream(Action action);
/// It happens to a host, else to a path.
[[nodiscard]] bool is_about_host(Action action);

/// What a file may say that comes down to several actions.
enum class Compound : std::uint8_t { none, outage, flap, handover };
[[nodiscard]] std::string_view name_of(Compound compound);

struct ScriptedEvent {
  Duration at{};
  Action action = Action::link_down;
  std::size_t path = 0;
  std::optional<Direction> direction;                                                // both if absent
  std::variant<std::monostate, Bandwidth, Duration, double, bool, ByteCount> value;  // as it needs; bool: available
  Role side = Role::client;
  SocketError error = SocketError::refused;
  Duration length{};  // zero: once
  std::uint64_t nth = 1;
  std::uint64_t count = 1;
  bool acks = false;                  // drop_datagrams: those that carry acknowledgements
  bool if_open = false;               // nothing happens, and nothing is wrong, where the path is not open
  Compound part_of = Compound::none;  // for people; then `length` of what begins is how long it will last

  /// The path stops carrying packets, at least one way.
  [[nodiscard]] bool is_death() const { return action == Action::link_down || action == Action::silent_death; }
};

/// How the connection must end, as `side` sees it. Empty fields say nothing.
struct ExpectedClose {
  Role side = Role::client;
  std::optional<CloseSource> source;
  std::optional<std::uint64_t> error;
  std::string reason;          // contained in the reason
  std::optional<Duration> by;  // at the latest, of simulated time
};

/// The share of a path in what arrived.
struct ShareBound {
  std::size_t path = 0;
  double least = 0;
  double most = 1;
};

/// What is counted of each path in a report.
enum class PathMeasure : std::uint8_t {
  lost,
  spurious,
  retransmitted,
  duplicated,
  probes,
  datagram_size,
  link_drops,
  link_repeats,
  link_corrupted,
  link_marks,
};
inline constexpr PathMeasure kPathMeasures[] = {
    PathMeasure::lost,           PathMeasure::spurious,      PathMeasure::retransmitted, PathMeasure::duplicated,
    PathMeasure::probes,         PathMeasure::datagram_size, PathMeasure::link_drops,    PathMeasure::link_repeats,
    PathMeasure::link_corrupted, PathMeasure::link_marks,
};
[[nodiscard]] std::string_view name_of(PathMeasure measure);
/// In bytes, else it is a plain count.
[[nodiscard]] bool is_size(PathMeasure measure);

struct PathBound {
  std::size_t path = 0;
  PathMeasure measure = PathMeasure::lost;
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
};

/// Absent: not asserted. What a single workload must do stands in WorkloadSpec::expect.
struct Assertions {
  bool completes = true;
  std::optional<Duration> completion;            // the budget
  std::optional<Bandwidth> goodput;              // at least
  std::optional<Bandwidth> tcp_goodput;          // of ns-3's TCP flows together, at least
  std::optional<double> goodput_of_sum;          // at least this share of sum_of_links
  std::optional<double> goodput_of_best;         // at least this multiple of the best link alone
  std::optional<double> completion_of_bound;     // at most this multiple of the omniscient lower bound
  std::optional<Duration> stall;                 // the longest silence of any workload
  std::optional<double> datagrams_delivered;     // at least this share of those sent
  std::optional<Duration> failover;              // the silence after any path's death (sim/checks/failover_watch.h)
  std::optional<std::uint64_t> validated_paths;  // at least, as the client sees it at the end
  std::optional<std::uint64_t> key_updates;      // at least, on either side
  bool refused_paths = false;                    // paths may be refused
  std::optional<ExpectedClose> closed;
  std::vector<ShareBound> shares;
  std::vector<PathBound> bounds;
};

/// A value that was drawn from a range of the file.
struct DrawnValue {
  std::string key;    // dotted
  std::string range;  // as written
  std::string value;
};

struct Scenario {
  std::string name;
  std::string description;
  std::string protects;
  std::vector<std::vector<std::string>> broken_by;  // each of them breaks that: overrides of one run
  std::string source;                               // the file, for messages and replays
  std::string resolved;                             // the document with all overrides and drawn values, as YAML
  std::string resolved_json;                        // the same as JSON, every scalar a string
  std::vector<DrawnValue> drawn;                    // in the order of the document
  Duration duration = std::chrono::seconds(60);     // limit
  Duration max_stall = std::chrono::seconds(10);    // the liveness invariant
  Crypto crypto = Crypto::real;
  EndpointsSpec endpoints;
  Baseline baseline = Baseline::none;
  std::vector<PathSpec> paths;
  CommonConfig common;                        // what paths share
  std::vector<std::string> bottleneck_names;  // of common.bottlenecks
  std::vector<WorkloadSpec> workloads;
  std::vector<ScriptedEvent> events;  // in order of time
  Assertions assertions;
  Ns3Spec ns3;

  [[nodiscard]] std::size_t first_path() const;
  /// The direction that goodput is about: that of the first workload which carries data.
  [[nodiscard]] Direction main_direction() const;
  [[nodiscard]] const LinkConfig& link(std::size_t path, Direction direction) const {
    return direction == Direction::up ? paths[path].config.up : paths[path].config.down;
  }
};

/// Payload that a link can carry: its rate less IP and UDP headers (28), the QUIC short header (1 + 8 connection ID +
/// 2 packet number) and the AEAD tag (16), in full-size packets:
///   capacity = rate * (D - 27) / (D + 28), where D = min(mtu - 28, max_datagram_size).
[[nodiscard]] double payload_capacity_mbps(const LinkConfig& link, const ConnectionConfig& connection);

}  // namespace mpquic::sim
