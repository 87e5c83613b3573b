// Traffic of others: it takes its place in the queue and its time at the transmitter, and carries nothing.
#pragma once

#include "sim/link/packet.h"
#include "sim/link/reproducible_math.h"
#include "stack/base/bandwidth.h"

namespace mpquic::sim {

struct CrossTrafficConfig {
  Bandwidth rate;              // while it is on; above zero
  std::uint32_t bytes = 1500;  // of each packet
  std::uint32_t flows = 1;     // packets take turns among so many flows
  // Poisson arrivals, unless both are above zero: then packets are evenly spaced and the source goes on and off after
  // exponentially distributed times.
  Duration mean_on{};
  Duration mean_off{};
};

class CrossTraffic {
 public:
  CrossTraffic(const CrossTrafficConfig& config, const RandomStream& random);
  [[nodiscard]] Instant next() const { return next_; }
  /// The packet of next().
  [[nodiscard]] LinkPacket emit();

 private:
  [[nodiscard]] bool on_off() const {
    return config_.mean_on > Duration::zero() && config_.mean_off > Duration::zero();
  }
  CrossTrafficConfig config_;
  SeededRng rng_;
  Duration spacing_;
  Instant next_{};
  Instant on_until_{};
  std::uint32_t flow_ = 0;
};

}  // namespace mpquic::sim
