#include "stack/cc/olia.h"

#include <algorithm>
#include <compare>

namespace mpquic::olia {
namespace {

/// 8 TB without a loss are as good as more: keeps products within 128 bits.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 43;

/// l_r / rtt_r^2, which tells better paths from worse: a TCP flow with a loss every l_r bytes reaches a rate that grows
/// with sqrt(l_r) / rtt_r. Cross-multiplied.
std::strong_ordering compare_quality(const CoupledPath& a, const CoupledPath& b) {
  const auto bytes = [](const CoupledPath& path) { return Wide{std::min(path.between_losses(), kMostBytes)}; };
  const auto squared_rtt = [](const CoupledPath& path) { return Wide{path.bounded_rtt()} * path.bounded_rtt(); };
  return bytes(a) * squared_rtt(b) <=> bytes(b) * squared_rtt(a);
}

}  // namespace

Ratio alpha(const CouplingGroup& group, const CoupledPath& path) {
  std::uint64_t largest_window = path.window;
  const CoupledPath* best = &path;
  group.for_each([&](const CoupledPath& other) {
    largest_window = std::max(largest_window, other.window);
    if (std::is_gt(compare_quality(other, *best))) best = &other;
  });
  // max_w_paths: those with the largest window. collected_paths: the best paths that are not among them.
  const auto has_max_window = [&](const CoupledPath& p) { return p.window == largest_window; };
  const auto is_collected = [&](const CoupledPath& p) {
    return std::is_eq(compare_quality(p, *best)) && !has_max_window(p);
  };
  const std::size_t collected = group.count(is_collected);

  // r is in collected_paths:                              alpha_r =  1 / (number_of_paths * |collected_paths|)
  // r is in max_w_paths, collected_paths is not empty:    alpha_r = -1 / (number_of_paths * |max_w_paths|)
  // otherwise:                                            alpha_r =  0
  if (collected == 0) return 0;
  const std::size_t paths = group.size();
  if (is_collected(path)) return kRatioOne / static_cast<Ratio>(paths * collected);
  if (has_max_window(path)) return -kRatioOne / static_cast<Ratio>(paths * group.count(has_max_window));
  return 0;
}

std::int64_t alpha_millionths(const CouplingGroup& group, const CoupledPath& path) {
  return to_millionths(alpha(group, path));
}

Ratio gain(const CouplingGroup& group, const CoupledPath& path) {
  // For each ACK on path r, increase w_r by
  //             w_r/rtt_r^2                    alpha_r
  //   -----------------------------------  +  ---------
  //   (SUM_{p in all_paths} w_p/rtt_p)^2         w_r
  // multiplied by MSS_r * bytes_acked: NewReno's MSS_r * bytes_acked / w_r, times this.
  const Ratio share = group.share(path);
  return multiply(share, share) + alpha(group, path);
}

}  // namespace mpquic::olia
