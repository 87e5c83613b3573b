// What the death of a path costs those who were at work: the longest silence of each workload from the death on, until
// the path is back or the workload is done. A workload's own data counts, and nothing else: what others receive is no
// comfort, and the first packet that was still on its way elsewhere does not say that the lost ones are replaced, nor
// that nobody sends into the dead path any more.
#pragma once

#include <optional>
#include <vector>

#include "sim/workload/workload.h"

namespace mpquic::sim {

/// Of one death, the workload that suffered most.
struct Failover {
  std::size_t path = 0;
  Instant at;
  std::size_t workload = 0;
  std::optional<Duration> silence;  // absent: it has received nothing since
};

class FailoverWatch {
 public:
  /// The ledger outlives the watch.
  explicit FailoverWatch(const Ledger& ledger) : ledger_(ledger) {}

  void on_death(std::size_t path, Instant now);
  void on_return(std::size_t path);
  /// Something arrived.
  void on_progress(Instant now);
  /// At the end of the run: in the order of the deaths, without those that met no work.
  [[nodiscard]] std::vector<Failover> failovers(Instant now) const;

 private:
  struct Case {  // of one death and one workload
    std::size_t death = 0;
    std::size_t workload = 0;
    std::uint64_t received = 0;  // bytes, when we looked last
    Instant since;               // the death, or the last progress
    std::optional<Duration> silence{};
    bool path_is_back = false;  // then it ends with the next progress
    bool over = false;
  };

  [[nodiscard]] bool is_under_way(std::size_t workload) const;

  const Ledger& ledger_;
  std::vector<Failover> deaths_;
  std::vector<Case> cases_;
  std::size_t open_ = 0;  // of them
};

}  // namespace mpquic::sim
