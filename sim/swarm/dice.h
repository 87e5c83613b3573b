// What seeds are drawn with: one stream of random numbers, and figures as scenario files write them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "sim/base/random_streams.h"

namespace mpquic::sim::swarm {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : rng_(seed, stream_of(Purpose::swarm)) {}
  [[nodiscard]] bool percent(std::uint64_t chance) { return rng_.below(100) < chance; }
  /// Uniform, both ends included.
  [[nodiscard]] std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + rng_.below(most - least + 1);
  }
  /// As likely between 1 and 10 as between 10 and 100, on integers alone.
  [[nodiscard]] std::uint64_t spread(std::uint64_t least, std::uint64_t most) {
    std::uint64_t doublings = 0;
    while (least << (doublings + 1) <= most) ++doublings;
    const std::uint64_t base = least << between(0, doublings);
    return between(base, std::min(2 * base, most));
  }
  [[nodiscard]] std::string_view one_of(std::span<const std::string_view> words) {
    return words[rng_.below(words.size())];
  }
  [[nodiscard]] std::string_view one_of(std::initializer_list<std::string_view> words) {
    return one_of(std::span(words.begin(), words.size()));
  }

 private:
  SeededRng rng_;
};

[[nodiscard]] inline std::string ms(std::uint64_t value) { return fmt::format("{}ms", value); }
[[nodiscard]] inline std::string kbits(std::uint64_t value) { return fmt::format("{}kbit/s", value); }
[[nodiscard]] inline std::string kib(std::uint64_t value) { return fmt::format("{}KiB", value); }
[[nodiscard]] inline std::string tenths_percent(std::uint64_t value) {
  return fmt::format("{}.{}%", value / 10, value % 10);
}

}  // namespace mpquic::sim::swarm
