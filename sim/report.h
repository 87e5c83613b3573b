// What a run gave, as a table for people and as JSON for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario.h"
#include "sim/violations.h"

namespace mpquic::sim {

struct PathReport {
  std::string name;
  double goodput_mbps = 0;  // stream and datagram payload that arrived by this path, repeats included, over the run
  double share = 0;         // of all paths' payload
  double rtt_ms = 0;        // smoothed, as the sender saw it last
  std::uint64_t lost = 0;   // packets that the sender declared lost
  std::uint64_t retransmitted = 0;  // stream payload bytes that the sender wrote again
  std::uint64_t link_drops = 0;     // packets that the link dropped, both directions
};

struct LatencyReport {
  std::size_t count = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

struct WorkloadReport {
  WorkloadKind kind = WorkloadKind::bulk;
  std::optional<double> completion_s;
  std::uint64_t bytes = 0;
  double longest_stall_s = 0;
  LatencyReport latency;
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
  double sum_of_links_mbps = 0;
  double best_link_mbps = 0;
  std::uint64_t packets = 0;  // datagrams that both endpoints sent
  std::uint64_t events = 0;
  double wall_s = 0;
  std::vector<Violation> violations;
  std::size_t violations_total = 0;
  std::vector<PathReport> paths;
  std::vector<WorkloadReport> workloads;

  [[nodiscard]] bool passed() const { return violations_total == 0; }
};

[[nodiscard]] std::string to_table(const Report& report);
[[nodiscard]] std::string to_json(const Report& report);
/// The command that repeats the run.
[[nodiscard]] std::string replay_command(const Report& report);

}  // namespace mpquic::sim
