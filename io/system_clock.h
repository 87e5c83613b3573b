// The production clock, and the only one: CLOCK_MONOTONIC.
#pragma once

#include "stack/base/time.h"

namespace mpquic::io {

struct SystemClock {
  [[nodiscard]] static Instant now();
  /// Processor time that this process has used so far, all threads, user and system.
  [[nodiscard]] static Duration cpu_time();
};

}  // namespace mpquic::io
