// A process that switches between off and on: at regular times or after exponentially distributed gaps, for lengths
// that are fixed, uniform, or exponential beyond a minimum. Outages and failure groups follow it.
#pragma once

#include "sim/link/packet.h"
#include "sim/link/reproducible_math.h"

namespace mpquic::sim {

struct OnOffConfig {
  Duration first{};     // the first time it may switch on
  Duration every{};     // above zero: it switches on at first + k * every
  Duration mean_gap{};  // else above zero: mean time between the end of one and the start of the next; else only once
  Duration least{};     // length
  Duration most{};
  std::optional<Duration> mean;  // of the length before it is cut at `most`: least + Exp(mean - least); else uniform
};

class OnOffProcess {
 public:
  OnOffProcess(const OnOffConfig& config, const RandomStream& random)
      : config_(config), rng_(random.seed, random.stream) {
    changes_ = Instant{} + config.first;
    if (config.every == Duration::zero() && config.mean_gap > Duration::zero())
      changes_ += exponential_time(rng_, config.mean_gap);
    started_ = changes_;
  }
  [[nodiscard]] bool on() const { return on_; }
  /// kNever once it will not change any more.
  [[nodiscard]] Instant next_change() const { return changes_; }
  /// Changes, as of next_change().
  void advance() {
    on_ = !on_;
    if (on_) {
      started_ = changes_;
      changes_ += length();
    } else if (config_.every > Duration::zero()) {
      while (started_ < changes_) started_ += config_.every;
      changes_ = started_;
    } else {
      changes_ = config_.mean_gap > Duration::zero() ? changes_ + exponential_time(rng_, config_.mean_gap) : kNever;
    }
  }

 private:
  [[nodiscard]] Duration length() {
    if (!config_.mean) return std::max(Duration(1), uniform_time(rng_, config_.least, config_.most));
    if (*config_.mean <= config_.least) return std::max(Duration(1), config_.least);
    return std::min(config_.most, config_.least + exponential_time(rng_, *config_.mean - config_.least));
  }

  OnOffConfig config_;
  SeededRng rng_;
  bool on_ = false;
  Instant changes_;
  Instant started_;
};

}  // namespace mpquic::sim
