// One random stream per (entity, purpose): adding a link, or a knob to a link, does not move any other stream.
#pragma once

#include <cstdint>

#include "stack/base/rng.h"

namespace mpquic::sim {

enum class Purpose : std::uint8_t {
  loss,
  reorder,
  duplicate,
  corrupt,
  content,
  client_core,
  server_core,
  client_tls,
  server_tls,
  certificate,
  burst_loss,       // when the state changes
  burst_loss_draw,  // which packets are lost in it
  truncate,
  jitter,
  rate,
  queue,
  cross_traffic,
  outage,
  static_key,
  range,
  swarm,
  buggify
};

/// Entities: links and paths count from 0, and what paths share from here.
inline constexpr std::uint64_t kSharedEntity = 1ULL << 32;

/// The stream of `purpose` for the entity number `index` of its kind (a link, a host).
[[nodiscard]] inline std::uint64_t stream_of(Purpose purpose, std::uint64_t index = 0) {
  return (index << 8) | static_cast<std::uint64_t>(purpose);
}

struct RandomStream {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
};

/// All streams of one entity.
struct RandomSource {
  std::uint64_t seed = 0;
  std::uint64_t entity = 0;
  [[nodiscard]] RandomStream of(Purpose purpose) const { return {.seed = seed, .stream = stream_of(purpose, entity)}; }
};

/// An event of probability p, decided on integers so that every build decides alike.
class Chance {
 public:
  Chance(double probability, const RandomStream& random) : rng_(random.seed, random.stream) { set(probability); }
  void set(double probability) {
    always_ = probability >= 1.0;
    threshold_ = probability <= 0.0 || always_ ? 0 : static_cast<std::uint64_t>(probability * 0x1p64);
  }
  /// Draws, whatever the probability: changing it does not shift the later draws.
  [[nodiscard]] bool happens() { return rng_.next() < threshold_ || always_; }
  [[nodiscard]] SeededRng& rng() { return rng_; }

 private:
  SeededRng rng_;
  std::uint64_t threshold_ = 0;
  bool always_ = false;
};

}  // namespace mpquic::sim
