#include "tunnel/perf/progress.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "tunnel/perf/report.h"

namespace mpquic::perf {

void Progress::show(std::uint64_t bytes, std::span<const PathStats> paths, Instant now) {
  const Duration since = last_time_ ? now - *last_time_ : Duration::zero();
  std::string line = fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
  if (total_ > 0)
    line += fmt::format(" of {:.1f} MB ({:.0f} %)", static_cast<double>(total_) / 1e6,
                        100.0 * static_cast<double>(bytes) / static_cast<double>(total_));
  line += fmt::format(", {:.1f} Mbit/s", megabits_per_second(bytes - last_bytes_, since));
  std::uint64_t sum = 0;
  for (const PathStats& path : paths) sum += path.bytes_received + path.bytes_sent;
  if (paths.size() > 1 && sum > 0) {
    line += ", paths";
    for (const PathStats& path : paths)
      line += fmt::format(" {}:{}%", path.id.value(), 100 * (path.bytes_received + path.bytes_sent) / sum);
  }
  std::fputs(terminal_ ? fmt::format("\r\x1b[K{}", line).c_str() : fmt::format("{}\n", line).c_str(), stderr);
  shown_ = true;
  last_bytes_ = bytes;
  last_time_ = now;
}

void Progress::end() {
  if (shown_ && terminal_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

}  // namespace mpquic::perf
