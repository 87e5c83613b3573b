// Every random byte of the core comes through this seam: seeded in simulation, the operating system's in production.
#pragma once

#include <array>
#include <cstdint>

#include "stack/base/bytes.h"

namespace mpquic {

class Rng {
 public:
  Rng() = default;
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;
  virtual ~Rng() = default;
  virtual void fill(MutableBytes out) = 0;

  [[nodiscard]] std::uint64_t next_u64();
  /// Uniform in [0, bound). Requires bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
};

/// xoshiro256++ seeded through splitmix64. Not for secrets that face a real network.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed);
  /// An independent stream for (seed, purpose): adding one consumer does not move the others.
  SeededRng(std::uint64_t seed, std::uint64_t purpose);
  void fill(MutableBytes out) override;
  [[nodiscard]] std::uint64_t next();
  /// Uniform in [0, 1) with 53 bits.
  [[nodiscard]] double unit();

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace mpquic
