#include "stack/cc/lia.h"

#include <algorithm>

namespace mpquic::lia {
namespace {

/// The path with MAX (cwnd_i/rtt_i^2).
const CoupledPath& most_aggressive(const CouplingGroup& group, const CoupledPath& self) {
  const CoupledPath* most = &self;
  group.for_each([&](const CoupledPath& path) {
    // x_i / rtt_i, cross-multiplied.
    if (Wide{path.rate()} * most->bounded_rtt() > Wide{most->rate()} * path.bounded_rtt()) most = &path;
  });
  return *most;
}

/// For m, the path with MAX (cwnd_i/rtt_i^2):
///
///     MAX (cwnd_i/rtt_i^2)         (x_m / SUM x_i)^2
///   ------------------------   =   -----------------
///   (SUM (cwnd_i/rtt_i))^2              cwnd_m
///
/// times `window`.
Ratio of_window(const CouplingGroup& group, const CoupledPath& self, std::uint64_t window) {
  const CoupledPath& most = most_aggressive(group, self);
  const Ratio share = group.share(most);
  return multiply(share, share) * static_cast<Ratio>(window) / static_cast<Ratio>(most.window);
}

}  // namespace

std::int64_t alpha_millionths(const CouplingGroup& group, const CoupledPath& path) {
  // RFC 6356 §3:
  //                        MAX (cwnd_i/rtt_i^2)
  //   alpha = cwnd_total * -------------------------           (2)
  //                        (SUM (cwnd_i/rtt_i))^2
  return to_millionths(of_window(group, path, group.total_window()));
}

Ratio gain(const CouplingGroup& group, const CoupledPath& path) {
  // RFC 6356 §3, for each ACK on path i, increase cwnd_i by
  //         alpha * bytes_acked * MSS_i   bytes_acked * MSS_i
  //   min ( --------------------------- , ------------------- )  (1)
  //                 cwnd_total                  cwnd_i
  // NewReno's increase is the second one. The first, relative to it, is alpha * cwnd_i / cwnd_total: cwnd_total
  // cancels.
  return std::min(of_window(group, path, path.window), kRatioOne);
}

}  // namespace mpquic::lia
