#include "sim/run/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mpquic::sim {
namespace {

[[nodiscard]] double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

[[nodiscard]] std::string with_thousands(double value) {
  const std::string digits = fmt::format("{:.0f}", value);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

[[nodiscard]] std::string bytes_text(std::uint64_t bytes) {
  if (bytes >= 1'000'000) return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
  return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
}

void add_workloads(std::string& out, const Report& report) {
  std::size_t width = 12;
  for (const WorkloadReport& w : report.workloads) width = std::max(width, w.label.size());
  for (const WorkloadReport& w : report.workloads) {
    out += fmt::format("  {:<{}} {:>10}  ", w.label, width, bytes_text(w.bytes));
    out += w.completion_s ? fmt::format("done at {:.3f} s", *w.completion_s) : std::string("not done");
    out += fmt::format(", longest stall {:.0f} ms", w.longest_stall_s * 1e3);
    if (w.datagrams_sent > 0) out += fmt::format(", {} of {} delivered", w.datagrams_received, w.datagrams_sent);
    if (w.latency.count > 0)
      out += fmt::format(", delay p50 {:.1f} p95 {:.1f} p99 {:.1f} max {:.1f} ms", w.latency.p50_ms, w.latency.p95_ms,
                         w.latency.p99_ms, w.latency.max_ms);
    if (w.late) out += fmt::format(", {:.2f}% too late or lost", *w.late * 100);
    if (w.mos) out += fmt::format(", MOS {:.2f}", *w.mos);
    if (w.startup_s)
      out += fmt::format(", plays after {:.0f} ms, {} stalls of {:.0f} ms", *w.startup_s * 1e3, w.stalls,
                         w.rebuffering_s.value_or(0) * 1e3);
    if (w.inner.segments > 0)
      out += fmt::format(", {} segments of {} sent again, {} timeouts", w.inner.retransmitted, w.inner.segments,
                         w.inner.timeouts);
    out += '\n';
  }
}

void add_goodput(std::string& out, const Report& report) {
  const Oracles& oracles = report.oracles;
  out += fmt::format("\n  goodput        {:.2f} Mbit/s", report.goodput_mbps);
  const auto percent_of = [&](double whole) { return whole > 0 ? report.goodput_mbps / whole * 100 : 0; };
  if (oracles.sum_of_links_mbps > 0)
    out += fmt::format(": {:.1f}% of the links' {:.2f}, {:.1f}% of the best link's {:.2f}",
                       percent_of(oracles.sum_of_links_mbps), oracles.sum_of_links_mbps,
                       percent_of(oracles.best_link_mbps), oracles.best_link_mbps);
  out += '\n';
  if (report.tcp_goodput_mbps) out += fmt::format("  TCP beside it  {:.2f} Mbit/s\n", *report.tcp_goodput_mbps);
}

void add_oracles(std::string& out, const Report& report) {
  const Oracles& oracles = report.oracles;
  if (oracles.completion_bound_s)
    out += fmt::format("  lower bound    {:.3f} s over all links", *oracles.completion_bound_s);
  if (oracles.completion_bound_s && report.completed)
    out += fmt::format(": this run took {:.2f} times that", report.completion_s / *oracles.completion_bound_s);
  if (oracles.completion_bound_s && oracles.single_path_bound_s)
    out += fmt::format("; {:.3f} s over {} alone", *oracles.single_path_bound_s, oracles.single_path);
  if (oracles.completion_bound_s) out += '\n';
  if (!oracles.unbounded.empty()) out += fmt::format("  lower bound    none: {}\n", oracles.unbounded);
  for (const FailoverReport& failover : report.failovers)
    out += fmt::format("  failover       {} after {} died at {:.3f} s ({})\n",
                       failover.seconds ? fmt::format("{:.0f} ms", *failover.seconds * 1e3) : "never", failover.path,
                       failover.at_s, report.workloads[failover.workload].label);
  for (const DrawnValue& drawn : report.drawn)
    out += fmt::format("  drawn          {} = {} of {}\n", drawn.key, drawn.value, drawn.range);
}

/// Zero: nobody knows.
[[nodiscard]] nlohmann::ordered_json known(double mbps) {
  return mbps > 0 ? nlohmann::ordered_json(mbps) : nlohmann::ordered_json(nullptr);
}

[[nodiscard]] nlohmann::ordered_json to_json(const Oracles& oracles, const Report& report) {
  const auto optional = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
  };
  const auto ratio = [](double part, double whole) {
    return whole > 0 ? nlohmann::ordered_json(part / whole) : nlohmann::ordered_json(nullptr);
  };
  return {{"sum_of_links_mbps", known(oracles.sum_of_links_mbps)},
          {"best_link_mbps", known(oracles.best_link_mbps)},
          {"completion_bound_s", optional(oracles.completion_bound_s)},
          {"unbounded", oracles.unbounded},
          {"single_path", oracles.single_path},
          {"single_path_bound_s", optional(oracles.single_path_bound_s)},
          {"goodput_of_sum", ratio(report.goodput_mbps, oracles.sum_of_links_mbps)},
          {"goodput_of_best", ratio(report.goodput_mbps, oracles.best_link_mbps)},
          {"completion_of_bound",
           ratio(report.completion_s, report.completed ? oracles.completion_bound_s.value_or(0) : 0)},
          {"completion_of_single_path",
           ratio(report.completion_s, report.completed ? oracles.single_path_bound_s.value_or(0) : 0)}};
}

[[nodiscard]] nlohmann::ordered_json paths_json(const Report& report) {
  auto json = nlohmann::ordered_json::array();
  for (const PathReport& path : report.paths) {
    const auto retransmitted = report.counts_retransmissions ? nlohmann::json(path.retransmitted) : nlohmann::json();
    json.push_back({{"name", path.name},
                    {"goodput_mbps", path.goodput_mbps},
                    {"share", path.share},
                    {"rtt_ms", path.rtt_ms},
                    {"lost", path.lost},
                    {"spurious", path.spurious},
                    {"retransmitted", retransmitted},
                    {"duplicated", path.duplicated},
                    {"probes", path.probes},
                    {"datagram_size", path.datagram_size},
                    {"link_drops", path.link_drops},
                    {"link_repeats", path.link_repeats},
                    {"link_corrupted", path.link_corrupted},
                    {"link_marks", path.link_marks}});
  }
  return json;
}

}  // namespace

std::uint64_t PathReport::value_of(PathMeasure measure) const {
  switch (measure) {
    case PathMeasure::lost: return lost;
    case PathMeasure::spurious: return spurious;
    case PathMeasure::retransmitted: return retransmitted;
    case PathMeasure::duplicated: return duplicated;
    case PathMeasure::probes: return probes;
    case PathMeasure::datagram_size: return datagram_size;
    case PathMeasure::link_drops: return link_drops;
    case PathMeasure::link_repeats: return link_repeats;
    case PathMeasure::link_corrupted: return link_corrupted;
    case PathMeasure::link_marks: return link_marks;
  }
  return 0;
}

std::string to_table(const Report& report) {
  std::string out = fmt::format("{}  seed {}  crypto {}", report.scenario, report.seed, name_of(report.crypto));
  if (report.engines[0] == EngineKind::ngtcp2 || report.engines[1] == EngineKind::ngtcp2)
    out += fmt::format("  engines {} to {}", name_of(report.engines[0]), name_of(report.engines[1]));
  if (report.baseline != Baseline::none) out += fmt::format("  baseline {}", name_of(report.baseline));
  if (!report.single_path.empty()) out += fmt::format(" ({})", report.single_path);
  out += "\n\n";
  const bool copies = std::ranges::any_of(report.paths, [](const PathReport& path) { return path.duplicated > 0; });
  out += fmt::format("  {:<14} {:>7} {:>14} {:>11} {:>8} {:>14}{}\n", "path", "share", "goodput", "RTT", "lost",
                     "retransmitted", copies ? "     duplicated" : "");
  for (const PathReport& path : report.paths) {
    out += fmt::format("  {:<14} {:>6.1f}% {:>7.2f} Mbit/s {:>8.1f} ms {:>8} {:>14}", path.name, path.share * 100,
                       path.goodput_mbps, path.rtt_ms, path.lost,
                       report.counts_retransmissions ? bytes_text(path.retransmitted) : "-");
    out += copies ? fmt::format(" {:>14}\n", bytes_text(path.duplicated)) : "\n";
  }
  out += '\n';
  add_workloads(out, report);
  add_goodput(out, report);
  add_oracles(out, report);
  out += fmt::format("  {:<14} {:.3f} s simulated, {:.3f} s of wall time\n",
                     report.completed ? "completed in" : "NOT COMPLETE", report.completion_s, report.wall_s);
  out += fmt::format("  speed          {} packets/s, {} events/s\n",
                     with_thousands(per_second(report.packets, report.wall_s)),
                     with_thousands(per_second(report.events, report.wall_s)));
  out += fmt::format("  trace hash     {:016x}\n", report.trace_hash);
  for (const Violation& violation : report.violations)
    out += fmt::format("  VIOLATION at {:.6f} s: {}\n", to_seconds(violation.at.time_since_epoch()), violation.what);
  if (report.violations_total > report.violations.size())
    out += fmt::format("  ... and {} more\n", report.violations_total - report.violations.size());
  return out;
}

std::string to_json(const Report& report) {
  nlohmann::ordered_json json;
  json["scenario"] = report.scenario;
  json["seed"] = report.seed;
  json["crypto"] = name_of(report.crypto);
  json["trace_hash"] = fmt::format("{:016x}", report.trace_hash);
  json["completed"] = report.completed;
  json["completion_s"] = report.completion_s;
  json["goodput_mbps"] = report.goodput_mbps;
  if (report.tcp_goodput_mbps) json["tcp_goodput_mbps"] = *report.tcp_goodput_mbps;
  json["sum_of_links_mbps"] = known(report.oracles.sum_of_links_mbps);
  json["best_link_mbps"] = known(report.oracles.best_link_mbps);
  json["oracles"] = to_json(report.oracles, report);
  json["engines"] = {{"client", name_of(report.engines[0])}, {"server", name_of(report.engines[1])}};
  json["baseline"] = name_of(report.baseline);
  json["single_path"] = report.single_path.empty() ? nlohmann::json() : nlohmann::json(report.single_path);
  json["packets"] = report.packets;
  json["events"] = report.events;
  json["wall_s"] = report.wall_s;
  json["violations"] = nlohmann::json::array();
  for (const Violation& violation : report.violations)
    json["violations"].push_back({{"at_s", to_seconds(violation.at.time_since_epoch())}, {"what", violation.what}});
  json["paths"] = paths_json(report);
  json["workloads"] = nlohmann::json::array();
  for (const WorkloadReport& w : report.workloads) {
    nlohmann::ordered_json item;
    item["kind"] = name_of(w.kind);
    if (!w.name.empty()) item["name"] = w.name;
    item["direction"] = w.direction == Direction::up ? "up" : "down";
    item["completion_s"] = w.completion_s ? nlohmann::json(*w.completion_s) : nlohmann::json(nullptr);
    item["bytes"] = w.bytes;
    item["longest_stall_s"] = w.longest_stall_s;
    item["latency_ms"] = {{"count", w.latency.count},
                          {"p50", w.latency.p50_ms},
                          {"p95", w.latency.p95_ms},
                          {"p99", w.latency.p99_ms},
                          {"max", w.latency.max_ms}};
    if (w.late) item["late"] = *w.late;
    if (w.mos) item["mos"] = *w.mos;
    if (w.startup_s) item["startup_s"] = *w.startup_s;
    if (w.rebuffering_s) item["rebuffering_s"] = *w.rebuffering_s;
    if (w.kind == WorkloadKind::video) item["stalls"] = w.stalls;
    if (w.inner.segments > 0)
      item["inner_tcp"] = {
          {"segments", w.inner.segments}, {"retransmitted", w.inner.retransmitted}, {"timeouts", w.inner.timeouts}};
    item["datagrams_sent"] = w.datagrams_sent;
    item["datagrams_received"] = w.datagrams_received;
    json["workloads"].push_back(std::move(item));
  }
  json["validated_paths"] = report.validated_paths;
  json["key_updates"] = report.key_updates;
  json["failovers"] = nlohmann::json::array();
  for (const FailoverReport& failover : report.failovers)
    json["failovers"].push_back({{"path", failover.path},
                                 {"at_s", failover.at_s},
                                 {"workload", failover.workload},
                                 {"seconds", failover.seconds ? nlohmann::json(*failover.seconds) : nlohmann::json()}});
  json["drawn"] = nlohmann::json::array();
  for (const DrawnValue& drawn : report.drawn)
    json["drawn"].push_back({{"key", drawn.key}, {"range", drawn.range}, {"value", drawn.value}});
  if (!report.resolved_json.empty())
    json["resolved"] = nlohmann::ordered_json::parse(report.resolved_json, nullptr, false);
  return json.dump(2) + "\n";
}

std::string replay_command(const Report& report) {
  std::string command = fmt::format("./dev replay {} --seed {}", report.source, report.seed);
  if (report.crypto != Crypto::real) command += fmt::format(" --crypto {}", name_of(report.crypto));
  command += report.engine_flags;
  for (const std::string& assignment : report.overrides) command += fmt::format(" --set '{}'", assignment);
  return command;
}

}  // namespace mpquic::sim
