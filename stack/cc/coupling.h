// What the coupled controllers of one connection see of each other's paths (RFC 6356, OLIA, BALIA), in bytes and
// nanoseconds. Ratios are integers, so that every machine and every build computes the same windows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "stack/base/check.h"
#include "stack/base/time.h"
#include "stack/cc/window.h"

namespace mpquic {

/// In units of 2^-56: the square of a path's share does not vanish before the share is one in 2^28.
using Ratio = __int128;
inline constexpr int kRatioBits = 56;
inline constexpr Ratio kRatioOne = Ratio{1} << kRatioBits;
/// Of two ratios from 0 to 127.
[[nodiscard]] constexpr Ratio multiply(Ratio a, Ratio b) { return (a * b) >> kRatioBits; }
/// For traces; rounded to the nearest. Of ratios within +-2^42.
[[nodiscard]] constexpr std::int64_t to_millionths(Ratio ratio) {
  const Ratio half = ratio < 0 ? -kRatioOne / 2 : kRatioOne / 2;
  return static_cast<std::int64_t>((ratio * 1'000'000 + half) / kRatioOne);
}

/// One path, in the letters of the papers. Its controller keeps it up to date.
struct CoupledPath {
  std::uint64_t window = 0;                // w_r, bytes
  Duration rtt{};                          // rtt_r, smoothed; zero before the first sample
  std::uint64_t acked_between_losses = 0;  // l_1r of OLIA: bytes acknowledged between the last two losses
  std::uint64_t acked_since_loss = 0;      // l_2r: ... and since the last one
  bool active = true;                      // carries data: not failed, not abandoned

  /// A path without a sample has no rate, and one that is dead must not hold the others back.
  [[nodiscard]] bool takes_part() const { return active && rtt > Duration::zero(); }
  /// x_r = w_r / rtt_r, in 1/1024 of a byte per second.
  [[nodiscard]] std::uint64_t rate() const {
    constexpr Wide kUnits = Wide{1024} * 1'000'000'000;
    return static_cast<std::uint64_t>(window * kUnits / bounded_rtt());
  }
  /// l_r = max{l_1r, l_2r}. Where nothing was lost yet, l_1r is 0 and l_2r all that was acknowledged.
  [[nodiscard]] std::uint64_t between_losses() const { return std::max(acked_between_losses, acked_since_loss); }
  /// rtt_r in nanoseconds, such that no product of this file exceeds 128 bits: 1 us to 18 minutes.
  [[nodiscard]] std::uint64_t bounded_rtt() const {
    return static_cast<std::uint64_t>(std::clamp<std::int64_t>(rtt.count(), 1000, std::int64_t{1} << 40));
  }
};

/// One per connection. Outlives the controllers, which join in their constructors and leave in their destructors.
class CouplingGroup {
 public:
  CouplingGroup() = default;
  CouplingGroup(const CouplingGroup&) = delete;
  CouplingGroup& operator=(const CouplingGroup&) = delete;
  ~CouplingGroup() { MPQUIC_CHECK(paths_.empty()); }

  void join(const CoupledPath& path) { paths_.push_back(&path); }
  void leave(const CoupledPath& path) { std::erase(paths_, &path); }

  // All that follows is about the paths that take part.
  template <class Fn>
  void for_each(Fn&& fn) const {
    for (const CoupledPath* path : paths_)
      if (path->takes_part()) fn(*path);
  }
  template <class Predicate>
  [[nodiscard]] std::size_t count(Predicate&& predicate) const {
    std::size_t found = 0;
    for_each([&](const CoupledPath& path) { found += predicate(path) ? 1 : 0; });
    return found;
  }
  [[nodiscard]] std::size_t size() const {
    return count([](const CoupledPath&) { return true; });
  }
  /// SUM w_p
  [[nodiscard]] std::uint64_t total_window() const {
    std::uint64_t total = 0;
    for_each([&](const CoupledPath& path) { total += path.window; });
    return total;
  }
  /// x_r / SUM x_p of a path that takes part: above 0, at most 1. Squared, it is the increase that all of these
  /// algorithms begin with, relative to NewReno's: w_r / rtt_r^2 / (SUM w_p / rtt_p)^2 = (x_r / SUM x_p)^2 / w_r.
  [[nodiscard]] Ratio share(const CoupledPath& path) const {
    Ratio total = 0;
    for_each([&](const CoupledPath& other) { total += other.rate(); });
    return Ratio{path.rate()} * kRatioOne / total;
  }

 private:
  std::vector<const CoupledPath*> paths_;
};

/// What tells the algorithms apart. Functions of a path that takes part in the group.
struct CouplingRule {
  std::string_view name;
  /// The algorithm's own alpha, for traces.
  std::int64_t (*alpha_millionths)(const CouplingGroup&, const CoupledPath&);
  /// Growth in congestion avoidance, relative to NewReno's of one datagram per window acknowledged. May be negative.
  Ratio (*gain)(const CouplingGroup&, const CoupledPath&);
  /// The window after a loss.
  std::uint64_t (*reduced)(const CouplingGroup&, const CoupledPath&);
};

/// RFC 6356 §3 changes the increase alone: on loss, the window is halved as ever. OLIA likewise.
[[nodiscard]] inline std::uint64_t halved(const CouplingGroup&, const CoupledPath& path) { return path.window / 2; }

}  // namespace mpquic
