// What work costs, as processor time of this thread: other programs on the machine do not count.
#pragma once

#include <time.h>

#include <chrono>

#include "stack/base/time.h"

namespace mpquic::test {

[[nodiscard]] inline Duration thread_cpu_time() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

}  // namespace mpquic::test
