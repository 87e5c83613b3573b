// What a run gave, as a table for people and as JSON for programs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/violations.h"
#include "sim/checks/oracles.h"
#include "sim/scenario/scenario.h"

namespace mpquic::sim {

struct PathReport {
  std::string name;
  double goodput_mbps = 0;     // stream and datagram payload that arrived by this path, repeats included, over the run
  double share = 0;            // of all paths' payload
  double rtt_ms = 0;           // smoothed, as the sender saw it last
  std::uint64_t lost = 0;      // packets that the sender declared lost
  std::uint64_t spurious = 0;  // of these, at least so many had arrived
  std::uint64_t retransmitted = 0;  // stream payload bytes that the sender wrote again
  std::uint64_t duplicated = 0;     // payload bytes that the sender wrote here as copies of another path's
  std::uint64_t probes = 0;         // probe timeouts of the sender
  std::uint64_t datagram_size = 0;  // UDP payload: the largest that the sender has found to arrive
  std::uint64_t link_drops = 0;     // packets that the link dropped, both directions; the following likewise
  std::uint64_t link_repeats = 0;   // that it delivered twice
  std::uint64_t link_corrupted = 0;
  std::uint64_t link_marks = 0;  // ECN CE

  [[nodiscard]] std::uint64_t value_of(PathMeasure measure) const;
};

struct LatencyReport {
  std::size_t count = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

/// A path died while work was under way.
struct FailoverReport {
  std::string path;
  double at_s = 0;
  std::size_t workload = 0;       // that stood still longest
  std::optional<double> seconds;  // how long (sim/checks/failover_watch.h); absent: it never got over it
};

struct WorkloadReport {
  WorkloadKind kind = WorkloadKind::bulk;
  std::string name;   // of the file
  std::string label;  // Ledger::label()
  Direction direction = Direction::up;
  std::optional<double> completion_s;
  std::uint64_t bytes = 0;
  double longest_stall_s = 0;
  LatencyReport latency;
  std::optional<double> late;       // voip, game: share that missed the playout budget, lost ones included
  std::optional<double> mos;        // voip
  std::optional<double> startup_s;  // video
  std::optional<double> rebuffering_s;
  std::uint64_t stalls = 0;
  InnerTcpTally inner;
  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagrams_received = 0;
};

struct Report {
  std::string scenario;
  std::string source;
  std::vector<std::string> overrides;  // for the replay command
  std::uint64_t seed = 0;
  Crypto crypto = Crypto::real;
  std::uint64_t trace_hash = 0;
  bool completed = false;
  double completion_s = 0;  // simulated, from the start; the time limit where it did not complete
  double goodput_mbps = 0;
  std::optional<double> tcp_goodput_mbps;  // of ns-3's TCP flows together, for as long as the run lasted
  Oracles oracles;
  std::array<EngineKind, 2> engines{};  // by role
  Baseline baseline = Baseline::none;
  std::string single_path;             // of the baselines that have one
  bool counts_retransmissions = true;  // the sender does
  std::size_t validated_paths = 0;
  std::uint64_t key_updates = 0;
  std::uint64_t packets = 0;  // datagrams that both endpoints sent
  std::uint64_t events = 0;
  double wall_s = 0;
  std::vector<Violation> violations;
  std::size_t violations_total = 0;
  std::vector<PathReport> paths;
  std::vector<WorkloadReport> workloads;
  std::vector<FailoverReport> failovers;
  std::vector<DrawnValue> drawn;
  std::string resolved_json;
  std::string engine_flags;  // of the command line, for the replay command

  [[nodiscard]] bool passed() const { return violations_total == 0; }
};

[[nodiscard]] std::string to_table(const Report& report);
/// What each figure of the table says, a line each.
[[nodiscard]] std::string explain(const Report& report);
[[nodiscard]] std::string to_json(const Report& report);
/// The command that repeats the run.
[[nodiscard]] std::string replay_command(const Report& report);

}  // namespace mpquic::sim
