// What a Simulation says about itself when it is over.
#include <fmt/format.h>

#include <algorithm>

#include "sim/network/carrier.h"
#include "sim/run/simulation.h"

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
  report.p95_ms = at(95);
  report.p99_ms = at(99);
  report.max_ms = at(100);
  return report;
}

void describe_real_time(WorkloadReport& entry, const WorkloadSpec& spec, const WorkloadProgress& progress) {
  if (spec.playout > Duration::zero()) {
    const auto budget = static_cast<std::uint32_t>(spec.playout.count() / 1000);
    const auto in_time = std::ranges::count_if(progress.latencies_us, [&](std::uint32_t us) { return us <= budget; });
    const auto offered = static_cast<double>(progress.datagrams.sent + progress.datagrams.refused);
    entry.late = offered > 0 ? 1 - static_cast<double>(in_time) / offered : 0;
    if (spec.kind == WorkloadKind::voip) entry.mos = mean_opinion_score(spec.playout, *entry.late);
  }
  if (spec.kind == WorkloadKind::video && progress.started_at) {
    const Playback& playback = progress.playback;
    if (playback.playing()) entry.startup_s = to_seconds(playback.started_at() - *progress.started_at);
    entry.rebuffering_s = to_seconds(playback.rebuffering());
    entry.stalls = playback.stalls();
  }
  entry.inner = progress.inner;
}

void describe_link(PathReport& entry, const LinkCounters& counters) {
  entry.link_drops += counters.dropped_total();
  entry.link_repeats += counters.duplicated;
  entry.link_corrupted += counters.corrupted;
  entry.link_marks += counters.marked;
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
    if (ledger_.spec(i).asks() || ledger_.spec(i).direction == direction) bytes += ledger_.progress(i).bytes_received;
  report.goodput_mbps = mbps(bytes, report.completion_s);
  if (const auto tcp = options_.carrier == nullptr ? std::nullopt : options_.carrier->tcp_bytes())
    report.tcp_goodput_mbps = mbps(*tcp, to_seconds(world_->now().time_since_epoch()));
  report.oracles = oracles_of(scenario_, options_.seed);
  report.drawn = scenario_.drawn;
  report.resolved_json = scenario_.resolved_json;
  report.engines = {scenario_.endpoints.client.engine, scenario_.endpoints.server.engine};
  report.baseline = scenario_.baseline;
  if (report.baseline == Baseline::one_path || report.baseline == Baseline::best_path)
    report.single_path = world_->path_name(scenario_.first_path());
  for (const Failover& failover : failovers_.failovers(world_->now()))
    report.failovers.push_back(
        {.path = world_->path_name(failover.path),
         .at_s = to_seconds(failover.at.time_since_epoch()),
         .workload = failover.workload,
         .seconds = failover.silence ? std::optional(to_seconds(*failover.silence)) : std::nullopt});
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
      describe_link(entry, world_->link(path, direction).counters());
    if (options_.carrier != nullptr) entry.link_drops += options_.carrier->drops(path);
  }
  const auto client = app(Role::client).connection();
  const auto server = app(Role::server).connection();
  if (client) report.key_updates = engine(Role::client).transport().stats(*client).key_updates;
  if (!client || !server) return;
  std::vector<PathStats> at_client;
  std::vector<PathStats> at_server;
  engine(Role::client).transport().path_stats(*client, at_client);
  engine(Role::server).transport().path_stats(*server, at_server);
  report.validated_paths = static_cast<std::size_t>(std::ranges::count(at_client, true, &PathStats::validated));
  report.key_updates = std::max(report.key_updates, engine(Role::server).transport().stats(*server).key_updates);
  const bool up = scenario_.main_direction() == Direction::up;
  report.counts_retransmissions = report.engines[up ? 0 : 1] == EngineKind::mpquic;
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
    report.paths[*path].duplicated += sender.bytes_duplicated;
    report.paths[*path].probes += sender.pto_count;
    report.paths[*path].datagram_size =
        std::max<std::uint64_t>(report.paths[*path].datagram_size, sender.max_datagram_size);
  }
  for (std::size_t path = 0; path < received.size(); ++path) {
    const LinkCounters& link = world_->link(path, scenario_.main_direction()).counters();
    const std::uint64_t elsewhere = options_.carrier == nullptr ? 0 : options_.carrier->drops(path);
    const std::uint64_t broken = link.dropped_total() + link.corrupted + link.truncated + elsewhere;
    report.paths[path].spurious = report.paths[path].lost - std::min(report.paths[path].lost, broken);
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
    entry.label = ledger_.label(i);
    entry.name = ledger_.spec(i).name;
    entry.direction = ledger_.spec(i).asks() ? Direction::down : ledger_.spec(i).direction;
    if (progress.completed_at) entry.completion_s = to_seconds(progress.completed_at->time_since_epoch());
    entry.bytes = progress.bytes_received;
    entry.longest_stall_s = to_seconds(progress.longest_stall);
    entry.latency = latencies_of(progress.latencies_us);
    describe_real_time(entry, ledger_.spec(i), progress);
    entry.datagrams_sent = progress.datagrams.sent;
    entry.datagrams_received = progress.datagrams.received;
  }
}

}  // namespace mpquic::sim
