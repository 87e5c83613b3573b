// What can happen to a packet between the transmitter and the receiver. A link runs its impairments in order; each
// draws from a random stream of its own.
#pragma once

#include "sim/random_streams.h"
#include "stack/base/bytes.h"
#include "stack/base/time.h"

namespace mpquic::sim {

/// The fate of one packet, filled in by each impairment in turn.
struct Fate {
  bool lost = false;
  bool duplicated = false;
  bool corrupted = false;
  Duration detour{};  // extra delay outside the FIFO: later packets overtake
};

class Impairment {
 public:
  Impairment() = default;
  Impairment(const Impairment&) = delete;
  Impairment& operator=(const Impairment&) = delete;
  virtual ~Impairment() = default;
  virtual void apply(MutableBytes packet, Fate& fate, Instant now) = 0;
};

/// Independent losses of one probability.
class IidLoss final : public Impairment {
 public:
  IidLoss(double probability, const RandomStream& random) : chance_(probability, random) {}
  void set(double probability) { chance_.set(probability); }
  void apply(MutableBytes, Fate& fate, Instant) override { fate.lost = chance_.happens() || fate.lost; }

 private:
  Chance chance_;
};

class Duplicate final : public Impairment {
 public:
  Duplicate(double probability, const RandomStream& random) : chance_(probability, random) {}
  void apply(MutableBytes, Fate& fate, Instant) override { fate.duplicated = chance_.happens() || fate.duplicated; }

 private:
  Chance chance_;
};

class Reorder final : public Impairment {
 public:
  Reorder(double probability, Duration detour, const RandomStream& random)
      : chance_(probability, random), detour_(detour) {}
  void apply(MutableBytes, Fate& fate, Instant) override {
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
  void apply(MutableBytes packet, Fate& fate, Instant) override {
    if (!chance_.happens() || packet.empty()) return;
    const std::uint64_t bit = chance_.rng().below(packet.size() * 8);
    packet[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    fate.corrupted = true;
  }

 private:
  Chance chance_;
};

}  // namespace mpquic::sim
