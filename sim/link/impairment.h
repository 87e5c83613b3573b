// What can happen to a packet between the transmitter and the receiver. A link runs its impairments in order; each
// draws from a random stream of its own.
#pragma once

#include <optional>

#include "sim/base/random_streams.h"
#include "sim/link/packet.h"
#include "sim/link/reproducible_math.h"

namespace mpquic::sim {

/// The fate of one packet, filled in by each impairment in turn.
struct Fate {
  bool lost = false;
  bool duplicated = false;
  std::optional<std::uint64_t> flip;  // corrupted: chooses the bit
  std::optional<std::uint64_t> cut;   // truncated: chooses the length
  Duration detour{};                  // extra delay outside the FIFO: later packets overtake
};

class Impairment {
 public:
  Impairment() = default;
  Impairment(const Impairment&) = delete;
  Impairment& operator=(const Impairment&) = delete;
  virtual ~Impairment() = default;
  virtual void apply(Fate& fate, Instant now) = 0;
};

/// Independent losses of one probability.
class IidLoss final : public Impairment {
 public:
  IidLoss(double probability, const RandomStream& random) : chance_(probability, random) {}
  void set(double probability) { chance_.set(probability); }
  void apply(Fate& fate, Instant) override { fate.lost = chance_.happens() || fate.lost; }

 private:
  Chance chance_;
};

/// Two states with exponentially distributed holding times, and a loss probability in each (Gilbert, Elliott). The
/// state follows the time, not the packets: whoever sends faster loses more packets in a burst, not longer bursts.
struct BurstLossConfig {
  Duration mean_good{};  // both above zero
  Duration mean_bad{};
  double loss_good = 0;
  double loss_bad = 1;
  /// In the long run, of packets that are spread evenly over time.
  [[nodiscard]] double mean_loss() const {
    const double good = to_seconds(mean_good);
    const double bad = to_seconds(mean_bad);
    return (good * loss_good + bad * loss_bad) / (good + bad);
  }
};

class BurstLoss final : public Impairment {
 public:
  BurstLoss(const BurstLossConfig& config, const RandomSource& random)
      : config_(config),
        chance_(config.loss_good, random.of(Purpose::burst_loss_draw)),
        rng_(random.seed, random.of(Purpose::burst_loss).stream),
        changes_(Instant{} + exponential_time(rng_, config.mean_good)) {}
  void apply(Fate& fate, Instant now) override {
    while (changes_ <= now) {
      bad_ = !bad_;
      changes_ += exponential_time(rng_, bad_ ? config_.mean_bad : config_.mean_good);
      chance_.set(bad_ ? config_.loss_bad : config_.loss_good);
    }
    fate.lost = chance_.happens() || fate.lost;
  }
  /// Neither state loses anything any more.
  void end() {
    config_.loss_good = config_.loss_bad = 0;
    chance_.set(0);
  }

 private:
  BurstLossConfig config_;
  Chance chance_;
  SeededRng rng_;
  bool bad_ = false;
  Instant changes_;
};

class Duplicate final : public Impairment {
 public:
  Duplicate(double probability, const RandomStream& random) : chance_(probability, random) {}
  void apply(Fate& fate, Instant) override { fate.duplicated = chance_.happens() || fate.duplicated; }

 private:
  Chance chance_;
};

class Reorder final : public Impairment {
 public:
  Reorder(double probability, Duration detour, const RandomStream& random)
      : chance_(probability, random), detour_(detour) {}
  void apply(Fate& fate, Instant) override {
    if (chance_.happens()) fate.detour += detour_;
  }

 private:
  Chance chance_;
  Duration detour_;
};

/// Flips one bit.
class Corrupt final : public Impairment {
 public:
  Corrupt(double probability, const RandomStream& random) : chance_(probability, random) {}
  void apply(Fate& fate, Instant) override {
    if (chance_.happens()) fate.flip = chance_.rng().next();
  }

 private:
  Chance chance_;
};

/// Cuts the end off.
class Truncate final : public Impairment {
 public:
  Truncate(double probability, const RandomStream& random) : chance_(probability, random) {}
  void apply(Fate& fate, Instant) override {
    if (chance_.happens()) fate.cut = chance_.rng().next();
  }

 private:
  Chance chance_;
};

}  // namespace mpquic::sim
