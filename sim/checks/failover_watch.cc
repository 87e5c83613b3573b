#include "sim/checks/failover_watch.h"

#include <algorithm>

namespace mpquic::sim {

bool FailoverWatch::is_under_way(std::size_t workload) const {
  const WorkloadProgress& progress = ledger_.progress(workload);
  if (!progress.started_at || progress.completed_at) return false;
  const std::uint64_t offered = progress.datagrams.sent + progress.datagrams.refused;
  return !ledger_.spec(workload).paced() || offered < ledger_.spec(workload).count;  // nobody repeats the last ones
}

void FailoverWatch::on_death(std::size_t path, Instant now) {
  const std::size_t before = cases_.size();
  for (std::size_t workload = 0; workload < ledger_.size(); ++workload)
    if (is_under_way(workload))
      cases_.push_back({.death = deaths_.size(),
                        .workload = workload,
                        .received = ledger_.progress(workload).bytes_received,
                        .since = std::max(now, ledger_.progress(workload).last_progress)});
  open_ += cases_.size() - before;
  if (cases_.size() > before) deaths_.push_back({.path = path, .at = now, .workload = 0, .silence = std::nullopt});
}

void FailoverWatch::on_return(std::size_t path) {
  for (Case& one : cases_) one.path_is_back |= deaths_[one.death].path == path;
}

void FailoverWatch::on_progress(Instant now) {
  if (open_ == 0) return;
  for (Case& one : cases_) {
    const WorkloadProgress& progress = ledger_.progress(one.workload);
    if (one.over || progress.bytes_received == one.received) continue;
    one.received = progress.bytes_received;
    one.silence = std::max(one.silence.value_or(Duration::zero()), now - one.since);
    one.since = progress.last_progress;  // later than now where a player's buffer is full
    one.over = one.path_is_back || progress.completed_at;
    open_ -= one.over ? 1 : 0;
  }
}

std::vector<Failover> FailoverWatch::failovers(Instant now) const {
  std::vector<Failover> worst = deaths_;
  std::vector<bool> known(deaths_.size());
  for (const Case& one : cases_) {
    Failover& death = worst[one.death];
    if (known[one.death] && !death.silence) continue;
    std::optional<Duration> silence = one.silence;
    const auto completed = ledger_.progress(one.workload).completed_at;
    if (!one.over && completed)  // without another byte
      silence = std::max(silence.value_or(Duration::zero()), *completed - one.since);
    else if (!one.over && silence)
      silence = std::max(*silence, now - one.since);
    if (known[one.death] && silence && *silence <= *death.silence) continue;
    known[one.death] = true;
    death.workload = one.workload;
    death.silence = silence;
  }
  return worst;
}

}  // namespace mpquic::sim
