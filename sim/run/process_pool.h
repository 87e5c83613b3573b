// Work that may end or hang its process, in processes of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace mpquic::sim {

/// `count` jobs, `processes` at a time. Each process runs every `processes`-th job; one that dies is replaced for the
/// jobs that were left. The callbacks are called in this process, in the order in which jobs are over.
struct JobBatch {
  std::size_t count = 0;
  std::size_t processes = 1;
  unsigned hang_seconds = 0;  // of wall time, for one job; 0: no limit
  /// In the other process: what it found out, without line breaks.
  std::function<std::string(std::size_t job)> run;
  std::function<void(std::size_t job, const std::string& result)> done;
  /// The job ended its process, or none could be started for it.
  std::function<void(std::size_t job, const std::string& why)> died;
};
void run_in_processes(const JobBatch& batch);

/// One for each core.
[[nodiscard]] std::size_t default_processes();

}  // namespace mpquic::sim
