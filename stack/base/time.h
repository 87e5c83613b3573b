// Time is an argument: the core never asks what time it is, so this clock has no now().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace mpquic {

using Duration = std::chrono::nanoseconds;

struct StackClock {  // deliberately no now(): hosts own a clock, the core is told
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<StackClock>;
  static constexpr bool is_steady = true;
};

using Instant = StackClock::time_point;
using Deadline = std::optional<Instant>;

/// The earlier of two deadlines; an absent deadline never fires.
[[nodiscard]] constexpr Deadline earlier(Deadline a, Deadline b) {
  if (!a) return b;
  if (!b) return a;
  return *a < *b ? a : b;
}

/// The earliest of many deadlines. One plain value: where every packet asks every path, optionals cost too much.
class Earliest {
 public:
  constexpr void add(const Deadline& deadline) {
    if (deadline && *deadline < at_) at_ = *deadline;
  }
  /// Adding `deadline` would change something.
  [[nodiscard]] constexpr bool exceeds(const Deadline& deadline) const { return deadline && *deadline < at_; }
  [[nodiscard]] constexpr Deadline deadline() const { return at_ == Instant::max() ? Deadline{} : Deadline{at_}; }

 private:
  Instant at_ = Instant::max();
};

[[nodiscard]] constexpr bool expired(Deadline deadline, Instant now) { return deadline && *deadline <= now; }

[[nodiscard]] constexpr double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
[[nodiscard]] constexpr double to_milliseconds(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

}  // namespace mpquic
