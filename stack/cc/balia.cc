#include "stack/cc/balia.h"

#include <algorithm>

namespace mpquic::balia {
namespace {

/// max{x_k}
std::uint64_t largest_rate(const CouplingGroup& group, const CoupledPath& self) {
  std::uint64_t largest = self.rate();
  group.for_each([&](const CoupledPath& path) { largest = std::max(largest, path.rate()); });
  return largest;
}

}  // namespace

std::int64_t alpha_millionths(const CouplingGroup& group, const CoupledPath& path) {
  const Wide alpha = Wide{largest_rate(group, path)} * 1'000'000 / path.rate();
  return static_cast<std::int64_t>(std::min<Wide>(alpha, INT64_MAX));
}

Ratio gain(const CouplingGroup& group, const CoupledPath& path) {
  // For each ACK on path r, increase w_r by
  //            x_r              1 + alpha_r     4 + alpha_r
  //   --------------------  *  -------------  * -------------
  //   rtt_r * (SUM x_k)^2            2              5
  // where x_r = w_r / rtt_r and alpha_r = max{x_k} / x_r. With shares s of SUM x_k, relative to NewReno's 1 / w_r:
  //   s_r^2 * (1 + s_max / s_r) * (4 + s_max / s_r) / 10  =  (s_r + s_max) * (4 * s_r + s_max) / 10
  const Ratio own = group.share(path);
  const Ratio largest = own * largest_rate(group, path) / path.rate();
  return multiply(own + largest, 4 * own + largest) / 10;
}

std::uint64_t reduced(const CouplingGroup& group, const CoupledPath& path) {
  // For each loss on path r, decrease w_r by  w_r / 2 * min{alpha_r, 1.5}: once per recovery epoch here.
  // Rounded up, so that alpha = 1 leaves what NewReno does.
  const Wide decrease = (Wide{path.window} * largest_rate(group, path) / path.rate() + 1) / 2;
  return path.window - static_cast<std::uint64_t>(std::min<Wide>(decrease, path.window * 3 / 4));
}

}  // namespace mpquic::balia
