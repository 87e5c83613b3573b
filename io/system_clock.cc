#include "io/system_clock.h"

#include <ctime>

namespace mpquic::io {
namespace {

[[nodiscard]] Duration read_clock(clockid_t clock) {
  timespec ts{};
  clock_gettime(clock, &ts);
  return std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec);
}

}  // namespace

Instant SystemClock::now() { return Instant(read_clock(CLOCK_MONOTONIC)); }

Duration SystemClock::cpu_time() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace mpquic::io
