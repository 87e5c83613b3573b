#include "stack/cc/window.h"

namespace mpquic {

Bandwidth window_pacing_rate(std::uint64_t window, bool slow_start, const RttSample& rtt) {
  if (rtt.smoothed <= Duration::zero()) return Bandwidth{};
  const std::uint64_t paced = slow_start ? window * 2 : window * 5 / 4;
  return Bandwidth::from_bytes_and_time(ByteCount{paced}, rtt.smoothed);
}

}  // namespace mpquic
