// Test-only: a seed makes the core do what is legal but unusual, at marked places (docs/adr/0008). In production there
// is no Buggify, and each place costs one branch on a null pointer, none of them in the loop over a train's packets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/rng.h"

namespace mpquic {

enum class BuggifyPoint : std::uint8_t {
  tiny_train,    // one datagram, although more would fit
  early_ack,     // an ACK that could still wait
  late_ack,      // an ACK that waits as long as max_ack_delay allows
  extra_ping,    // PING for no reason
  key_update,    // as soon as RFC 9001 §6 allows one
  small_grant,   // MAX_DATA for a few bytes
  spurious_pto,  // a probe timeout before its time: probes, and the path counts as failed
  count_,
};
inline constexpr std::size_t kBuggifyPointCount = static_cast<std::size_t>(BuggifyPoint::count_);

class Buggify {
 public:
  /// The seed turns each point on or off; those that are on happen with `probability`.
  Buggify(std::uint64_t seed, std::uint64_t purpose, double probability)
      : rng_(seed, purpose), threshold_(static_cast<std::uint64_t>(probability * static_cast<double>(kScale))) {
    enabled_ = rng_.next();
  }
  [[nodiscard]] bool happens(BuggifyPoint point) {
    if ((enabled_ >> static_cast<unsigned>(point) & 1U) == 0 || rng_.next() % kScale >= threshold_) return false;
    ++count_;
    return true;
  }
  /// How often something happened.
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  static constexpr std::uint64_t kScale = 1U << 16;
  SeededRng rng_;
  std::uint64_t threshold_;
  std::uint64_t enabled_ = 0;
  std::uint64_t count_ = 0;
};

/// Whether `point` happens now. `buggify` is null outside of tests.
[[nodiscard]] inline bool buggified(Buggify* buggify, BuggifyPoint point) {
  return buggify != nullptr && buggify->happens(point);
}

/// Test-only: bugs that the simulator's swarm has to find. A release build contains none of them.
enum class InjectedBug : std::uint8_t {
  none,
  free_unacked,        // what is in flight on a path is freed with it, not written again
  nonce_without_path,  // draft-21 §2.4 broken at both ends: AEAD nonces repeat
  timer_on_send,       // any packet that leaves, on any path, puts off every PTO
};

#ifdef MPQUIC_EXPENSIVE_CHECKS
inline constexpr bool kBugsCanBeInjected = true;
#else
inline constexpr bool kBugsCanBeInjected = false;
#endif

[[nodiscard]] constexpr bool has_bug(InjectedBug injected, InjectedBug bug) {
  return kBugsCanBeInjected && injected == bug;
}

}  // namespace mpquic
