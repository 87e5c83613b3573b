// What a Simulation says about itself when it is over.
#include <fmt/format.h>

#include <algorithm>

#include "sim/simulation.h"

namespace mpquic::sim {
namespace {

[[nodiscard]] LatencyReport latencies_of(std::vector<std::uint32_t> samples) {
  LatencyReport report;
  report.count = samples.size();
  if (samples.empty()) return report;
  std::ranges::sort(samples);
  const auto at = [&](std::size_t percent) {
    return static_cast<double>(samples[(samples.size() - 1) * percent / 100]) / 1e3;
  };
  report.p50_ms = at(50);
  report.p99_ms = at(99);
  report.max_ms = at(100);
  return report;
}

[[nodiscard]] double mbps(std::uint64_t bytes, double seconds) {
  return seconds > 0 ? static_cast<double>(bytes) * 8 / 1e6 / seconds : 0;
}

}  // namespace

Report Simulation::describe() {
  Report report;
  report.scenario = scenario_.name;
  report.source = scenario_.source;
  report.seed = options_.seed;
  report.crypto = scenario_.crypto;
  report.completed = ledger_.complete();
  Instant end = report.completed ? Instant{} : world_->now();
  for (std::size_t i = 0; i < ledger_.size(); ++i)
    if (const auto completed = ledger_.progress(i).completed_at; completed && report.completed)
      end = std::max(end, *completed);
  report.completion_s = to_seconds(end.time_since_epoch());
  const Direction direction = scenario_.main_direction();
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < ledger_.size(); ++i)
    if (ledger_.spec(i).kind == WorkloadKind::requests || ledger_.spec(i).direction == direction)
      bytes += ledger_.progress(i).bytes_received;
  report.goodput_mbps = mbps(bytes, report.completion_s);
  for (const PathSpec& path : scenario_.paths) {
    if (!path.used) continue;
    const LinkConfig& link = direction == Direction::up ? path.config.up : path.config.down;
    const double capacity = payload_capacity_mbps(link, scenario_.endpoints.connection);
    report.sum_of_links_mbps += capacity;
    report.best_link_mbps = std::max(report.best_link_mbps, capacity);
  }
  report.packets = world_->packets_sent();
  report.events = world_->events().popped();
  describe_paths(report);
  describe_workloads(report);
  return report;
}

void Simulation::describe_paths(Report& report) {
  std::vector<std::uint64_t> received(world_->path_count());
  for (std::size_t path = 0; path < world_->path_count(); ++path) {
    PathReport& entry = report.paths.emplace_back();
    entry.name = world_->path_name(path);
    for (const Direction direction : {Direction::up, Direction::down})
      entry.link_drops += world_->link(path, direction).counters().dropped_total();
  }
  const auto client = app(Role::client).connection();
  const auto server = app(Role::server).connection();
  if (!client || !server) return;
  std::vector<PathStats> at_client;
  std::vector<PathStats> at_server;
  engine(Role::client).transport().path_stats(*client, at_client);
  engine(Role::server).transport().path_stats(*server, at_server);
  const bool up = scenario_.main_direction() == Direction::up;
  for (const PathStats& stats : at_client) {
    const auto path = world_->path_of(stats.tuple.local);
    const auto other = std::ranges::find(at_server, stats.id, &PathStats::id);
    if (!path || other == at_server.end()) continue;
    const PathStats& sender = up ? stats : *other;
    const PathStats& receiver = up ? *other : stats;
    received[*path] += receiver.stream_bytes_received;
    report.paths[*path].rtt_ms = to_milliseconds(sender.smoothed_rtt);
    report.paths[*path].lost += sender.packets_lost;
    report.paths[*path].retransmitted += sender.bytes_retransmitted;
  }
  std::uint64_t total = 0;
  for (const std::uint64_t bytes : received) total += bytes;
  for (std::size_t path = 0; path < received.size(); ++path) {
    report.paths[path].goodput_mbps = mbps(received[path], report.completion_s);
    report.paths[path].share = total == 0 ? 0 : static_cast<double>(received[path]) / static_cast<double>(total);
  }
}

void Simulation::describe_workloads(Report& report) const {
  for (std::size_t i = 0; i < ledger_.size(); ++i) {
    const WorkloadProgress& progress = ledger_.progress(i);
    WorkloadReport& entry = report.workloads.emplace_back();
    entry.kind = ledger_.spec(i).kind;
    if (progress.completed_at) entry.completion_s = to_seconds(progress.completed_at->time_since_epoch());
    entry.bytes = progress.bytes_received;
    entry.longest_stall_s = to_seconds(progress.longest_stall);
    entry.latency = latencies_of(progress.latencies_us);
    entry.datagrams_sent = progress.datagrams.sent;
    entry.datagrams_received = progress.datagrams.received;
  }
}

void Simulation::check_assertions(const Report& report) {
  const Assertions& wanted = scenario_.assertions;
  const auto broken = [&](std::string what) { violations_.add(world_->now(), "assertion: " + std::move(what)); };
  if (wanted.completes && !report.completed)
    broken(fmt::format("not complete after {:.3f} s", to_seconds(world_->now().time_since_epoch())));
  if (wanted.completion && report.completion_s > to_seconds(*wanted.completion))
    broken(fmt::format("took {:.3f} s, the budget is {:.3f} s", report.completion_s, to_seconds(*wanted.completion)));
  if (wanted.goodput_of_sum && report.goodput_mbps < *wanted.goodput_of_sum * report.sum_of_links_mbps)
    broken(fmt::format("goodput {:.2f} Mbit/s is under {:.2f} of the links' {:.2f}", report.goodput_mbps,
                       *wanted.goodput_of_sum, report.sum_of_links_mbps));
  if (wanted.goodput_of_best && report.goodput_mbps < *wanted.goodput_of_best * report.best_link_mbps)
    broken(fmt::format("goodput {:.2f} Mbit/s is under {:.2f} of the best link's {:.2f}", report.goodput_mbps,
                       *wanted.goodput_of_best, report.best_link_mbps));
  for (std::size_t i = 0; i < ledger_.size(); ++i) {
    const WorkloadProgress& progress = ledger_.progress(i);
    if (wanted.stall && progress.longest_stall > *wanted.stall)
      broken(fmt::format("workload {} stood still for {:.3f} s, allowed are {:.3f} s", i,
                         to_seconds(progress.longest_stall), to_seconds(*wanted.stall)));
    if (progress.completed_at && progress.sent_checksum != progress.received_checksum)
      broken(fmt::format("workload {}: checksums of what was sent and of what arrived differ", i));
    const DatagramTally& tally = progress.datagrams;
    if (wanted.datagrams_delivered && ledger_.spec(i).kind == WorkloadKind::datagrams &&
        static_cast<double>(tally.received) <
            *wanted.datagrams_delivered * static_cast<double>(tally.sent + tally.refused))
      broken(fmt::format("workload {}: {} of {} datagrams delivered", i, tally.received, tally.sent + tally.refused));
  }
}

}  // namespace mpquic::sim
