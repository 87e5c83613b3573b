#pragma once

#include <chrono>
#include <cstdint>

#include "stack/cc/congestion_controller.h"

namespace mpquic::cc_test {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr Instant kStart{seconds(1000)};
inline constexpr std::uint64_t kDatagram = 1200;

struct AckOptions {
  Instant now = kStart;
  std::uint64_t bytes = kDatagram;
  Instant sent = kStart;
  Duration rtt = milliseconds(100);
  bool application_limited = false;
};
inline void acknowledge(CongestionController& controller, const AckOptions& ack) {
  controller.on_acked({.now = ack.now,
                       .acked = ByteCount{ack.bytes},
                       .largest_sent_time = ack.sent,
                       .prior_in_flight = controller.window(),
                       .rtt = {.latest = ack.rtt, .smoothed = ack.rtt, .min = ack.rtt},
                       .application_limited = ack.application_limited});
}
inline void lose(CongestionController& controller, Instant sent, Instant now, bool from_ecn = false) {
  controller.on_congestion(sent, ByteCount{kDatagram}, from_ecn, now);
}

}  // namespace mpquic::cc_test
