// Propagation delay that is not constant: a trace, jitter on top of it, or both.
#pragma once

#include <memory>

#include "sim/link/reproducible_math.h"
#include "sim/link/trace.h"

namespace mpquic::sim {

/// Delay wanders around its base as an AR(1) process in time, constant within a step. The link's FIFO clamp keeps
/// packets in order: a packet never arrives before an earlier one.
struct JitterConfig {
  Duration deviation{};  // standard deviation
  Duration step = std::chrono::milliseconds(10);
  Duration memory = std::chrono::milliseconds(100);  // correlation falls to 1/e; 0: white noise
  Duration least{};                                  // no delay is below this
};

class DelayModel {
 public:
  /// `trace` may be null: then the base is the link's delay.
  DelayModel(const std::optional<JitterConfig>& jitter, std::shared_ptr<const DelayTrace> trace,
             const RandomStream& random);
  /// Time may only move forward.
  [[nodiscard]] Duration at(Instant now, Duration base);
  /// From now on the link's own delay is the base.
  void forget_trace() { trace_.reset(); }

 private:
  struct Jitter {
    Jitter(const JitterConfig& how, const RandomStream& random)
        : config(how), process(how.step, how.memory, random), next_step(Instant{} + how.step) {}
    JitterConfig config;
    Ar1 process;
    Instant next_step;
  };
  std::optional<Jitter> jitter_;
  std::optional<TraceCursor<Duration>> trace_;
};

}  // namespace mpquic::sim
