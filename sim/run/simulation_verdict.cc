// Whether a run did what its scenario asserts.
#include <fmt/format.h>

#include <algorithm>

#include "sim/run/simulation.h"

namespace mpquic::sim {
namespace {

/// A limit that is met exactly is met: 12 of 400 are 3 %, though neither has an exact double. Counts, bytes and
/// nanoseconds of a run are far too few for two different ones to be this close.
constexpr double kRounding = 1e-9;
[[nodiscard]] bool is_over(double value, double most) { return value > most + std::max(most, 1.0) * kRounding; }
[[nodiscard]] bool is_under(double value, double least) { return value < least - least * kRounding; }

}  // namespace

void Simulation::check_assertions(const Report& report) {
  const Assertions& wanted = scenario_.assertions;
  if (wanted.completes && !report.completed)
    broken("not complete after {:.3f} s", to_seconds(world_->now().time_since_epoch()));
  if (wanted.completion && is_over(report.completion_s, to_seconds(*wanted.completion)))
    broken("took {:.3f} s, the budget is {:.3f} s", report.completion_s, to_seconds(*wanted.completion));
  check_rates(report);
  check_paths(report);
  check_close();
  for (std::size_t i = 0; i < ledger_.size(); ++i) check_workload(i, report.workloads[i]);
}

void Simulation::check_rates(const Report& report) {
  const Assertions& wanted = scenario_.assertions;
  const auto mbps = [](Bandwidth rate) { return static_cast<double>(rate.bits_per_second()) / 1e6; };
  if (wanted.goodput && is_under(report.goodput_mbps, mbps(*wanted.goodput)))
    broken("goodput {:.2f} Mbit/s is under {:.2f}", report.goodput_mbps, mbps(*wanted.goodput));
  if (wanted.tcp_goodput && is_under(report.tcp_goodput_mbps.value_or(0), mbps(*wanted.tcp_goodput)))
    broken("TCP's goodput {:.2f} Mbit/s is under {:.2f}", report.tcp_goodput_mbps.value_or(0),
           mbps(*wanted.tcp_goodput));
  if ((wanted.goodput_of_sum || wanted.goodput_of_best) && report.oracles.sum_of_links_mbps == 0)
    return broken("there are no links to compare with: {}", report.oracles.unbounded);
  if (wanted.goodput_of_sum && is_under(report.goodput_mbps, *wanted.goodput_of_sum * report.oracles.sum_of_links_mbps))
    broken("goodput {:.2f} Mbit/s is under {:.2f} of the links' {:.2f}", report.goodput_mbps, *wanted.goodput_of_sum,
           report.oracles.sum_of_links_mbps);
  if (wanted.goodput_of_best && is_under(report.goodput_mbps, *wanted.goodput_of_best * report.oracles.best_link_mbps))
    broken("goodput {:.2f} Mbit/s is under {:.2f} of the best link's {:.2f}", report.goodput_mbps,
           *wanted.goodput_of_best, report.oracles.best_link_mbps);
  if (wanted.completion_of_bound && !report.oracles.completion_bound_s)
    return broken("there is no lower bound to compare with {}", report.oracles.unbounded);
  const double bound = report.oracles.completion_bound_s.value_or(0);
  if (wanted.completion_of_bound && is_over(report.completion_s, *wanted.completion_of_bound * bound))
    broken("took {:.3f} s, over {:.2f} times the lower bound of {:.3f} s", report.completion_s,
           *wanted.completion_of_bound, bound);
}

void Simulation::check_paths(const Report& report) {
  const Assertions& wanted = scenario_.assertions;
  for (const ShareBound& bound : wanted.shares) {
    const PathReport& path = report.paths[bound.path];
    if (is_under(path.share, bound.least) || is_over(path.share, bound.most))
      broken("path {} carried {:.1f}% of the payload, expected {:.1f}% to {:.1f}%", path.name, path.share * 100,
             bound.least * 100, bound.most * 100);
  }
  for (const PathBound& bound : wanted.bounds) {
    const PathReport& path = report.paths[bound.path];
    const std::uint64_t value = path.value_of(bound.measure);
    if (value < bound.least)
      broken("path {}: {} is {}, at least {} expected", path.name, name_of(bound.measure), value, bound.least);
    if (value > bound.most)
      broken("path {}: {} is {}, allowed are {}", path.name, name_of(bound.measure), value, bound.most);
  }
  if (wanted.validated_paths && report.validated_paths < *wanted.validated_paths)
    broken("{} paths were validated, expected {}", report.validated_paths, *wanted.validated_paths);
  if (wanted.key_updates && report.key_updates < *wanted.key_updates)
    broken("{} key updates, expected {}", report.key_updates, *wanted.key_updates);
  if (wanted.failover && report.failovers.empty()) broken("failover: no path died while work was under way");
  for (const FailoverReport& failover : report.failovers) {
    if (!wanted.failover || (failover.seconds && !is_over(*failover.seconds, to_seconds(*wanted.failover)))) continue;
    if (failover.seconds)
      broken("after {} died at {:.3f} s, workload {} stood still for {:.3f} s, allowed are {:.3f} s", failover.path,
             failover.at_s, ledger_.label(failover.workload), *failover.seconds, to_seconds(*wanted.failover));
    else
      broken("after {} died at {:.3f} s, workload {} received nothing any more", failover.path, failover.at_s,
             ledger_.label(failover.workload));
  }
}

void Simulation::check_close() {
  const auto& wanted = scenario_.assertions.closed;
  if (!wanted) return;
  const std::string_view side = wanted->side == Role::client ? "client" : "server";
  const auto& closed = app(wanted->side).closed();
  if (!closed) return broken("the {}'s connection did not close", side);
  if ((wanted->source && *wanted->source != closed->source) || (wanted->error && *wanted->error != closed->error) ||
      closed->reason.find(wanted->reason) == std::string::npos)
    broken("{}: closed ({}), error {:#x} '{}'; expected otherwise", side, name_of(closed->source), closed->error,
           closed->reason);
  // The run ends with the event that it waits for.
  if (wanted->by && world_->now() > Instant{} + *wanted->by)
    broken("{}: closed at {:.3f} s, expected by {:.3f} s", side, to_seconds(world_->now().time_since_epoch()),
           to_seconds(*wanted->by));
}

void Simulation::check_workload(std::size_t i, const WorkloadReport& report) {
  const std::string& label = report.label;
  const WorkloadSpec& spec = ledger_.spec(i);
  const WorkloadProgress& progress = ledger_.progress(i);
  const WorkloadAssertions& own = spec.expect;
  if (progress.completed_at && progress.sent_flows != progress.received_flows)
    broken("workload {}: the streams that arrived are not those that were sent", label);
  const auto delivered = spec.paced() && scenario_.assertions.datagrams_delivered
                             ? std::max(own.delivered.value_or(0), *scenario_.assertions.datagrams_delivered)
                             : own.delivered.value_or(0);
  const auto offered = progress.datagrams.sent + progress.datagrams.refused;
  if (is_under(static_cast<double>(progress.datagrams.received), delivered * static_cast<double>(offered)))
    broken("workload {}: {} of {} datagrams delivered", label, progress.datagrams.received, offered);
  for (const auto& allowed : {scenario_.assertions.stall, own.stall})
    if (allowed && progress.longest_stall > *allowed)
      broken("workload {} stood still for {:.3f} s, allowed are {:.3f} s", label, to_seconds(progress.longest_stall),
             to_seconds(*allowed));
  if (own.completion && (!report.completion_s || is_over(*report.completion_s, to_seconds(*own.completion))))
    broken("workload {} took {:.3f} s, the budget is {:.3f} s", label,
           report.completion_s.value_or(to_seconds(world_->now().time_since_epoch())), to_seconds(*own.completion));
  const auto delay = [&](std::string_view name, double value_ms, const std::optional<Duration>& most) {
    if (most && (report.latency.count == 0 || is_over(value_ms, to_milliseconds(*most))))
      broken("workload {}: {} delay is {:.1f} ms, allowed are {:.1f} ms", label, name, value_ms,
             to_milliseconds(*most));
  };
  delay("p50", report.latency.p50_ms, own.p50);
  delay("p95", report.latency.p95_ms, own.p95);
  delay("p99", report.latency.p99_ms, own.p99);
  if (own.late && is_over(report.late.value_or(1), *own.late))
    broken("workload {}: {:.2f}% missed the playout budget, allowed are {:.2f}%", label, report.late.value_or(1) * 100,
           *own.late * 100);
  if (own.mos && is_under(report.mos.value_or(0), *own.mos))
    broken("workload {}: the mean opinion score is {:.2f}, expected {:.2f}", label, report.mos.value_or(0), *own.mos);
  if (own.startup && (!report.startup_s || is_over(*report.startup_s, to_seconds(*own.startup))))
    broken("workload {}: playing did not start within {:.3f} s", label, to_seconds(*own.startup));
  if (own.rebuffering && is_over(report.rebuffering_s.value_or(0), to_seconds(*own.rebuffering)))
    broken("workload {}: the player stood still for {:.3f} s, allowed are {:.3f} s", label,
           report.rebuffering_s.value_or(0), to_seconds(*own.rebuffering));
}

}  // namespace mpquic::sim
