// A scenario: a network, two endpoints, what they transfer, what happens meanwhile, and what must hold afterwards. The
// same as scenarios/*.yaml (scenarios/SCHEMA.md), as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/workload.h"
#include "sim/world.h"
#include "stack/conn/config.h"

namespace mpquic::sim {

enum class Crypto : std::uint8_t { real, null };
[[nodiscard]] std::string_view name_of(Crypto crypto);

struct EndpointsSpec {
  ConnectionConfig connection;  // of both
  bool require_retry = false;
  std::optional<std::size_t> first_path;  // index of the path that the handshake uses; the first one by default
};

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
  link_up,       // ends both
  set_rate,
  set_delay,
  set_loss,
  nat_rebind,    // the server sees the path's flows from new addresses
  abandon_path,  // the client's application gives the path up
  migrate_path,  // the client moves the path to another local port (RFC 9000 §9)
  path_status,   // PATH_STATUS_AVAILABLE or PATH_STATUS_BACKUP
};
[[nodiscard]] std::string_view name_of(Action action);

struct ScriptedEvent {
  Duration at{};
  Action action = Action::link_down;
  std::size_t path = 0;
  std::optional<Direction> direction;                                     // both if absent
  std::variant<std::monostate, Bandwidth, Duration, double, bool> value;  // as the action needs; bool: available
};

/// Absent: not asserted.
struct Assertions {
  bool completes = true;
  std::optional<Duration> completion;         // the budget
  std::optional<double> goodput_of_sum;       // at least this share of sum_of_links
  std::optional<double> goodput_of_best;      // at least this multiple of the best link alone
  std::optional<Duration> stall;              // the longest silence of any workload
  std::optional<double> datagrams_delivered;  // at least this share of those sent
};

struct Scenario {
  std::string name;
  std::string description;
  std::string protects;
  std::string source;                             // the file, for messages and replays
  std::string resolved;                           // the document with all overrides, as YAML
  Duration duration = std::chrono::seconds(60);   // limit
  Duration max_stall = std::chrono::seconds(10);  // the liveness invariant
  Crypto crypto = Crypto::real;
  EndpointsSpec endpoints;
  std::vector<PathSpec> paths;
  CommonConfig common;                        // what paths share
  std::vector<std::string> bottleneck_names;  // of common.bottlenecks
  std::vector<WorkloadSpec> workloads;
  std::vector<ScriptedEvent> events;  // in order of time
  Assertions assertions;

  [[nodiscard]] std::size_t first_path() const;
  /// The direction that goodput is about: that of the first workload which carries data.
  [[nodiscard]] Direction main_direction() const;
};

/// Payload that a link can carry: its rate less IP and UDP headers (28), the QUIC short header (1 + 8 connection ID +
/// 2 packet number) and the AEAD tag (16), in full-size packets:
///   capacity = rate * (D - 27) / (D + 28), where D = min(mtu - 28, max_datagram_size).
[[nodiscard]] double payload_capacity_mbps(const LinkConfig& link, const ConnectionConfig& connection);

}  // namespace mpquic::sim
