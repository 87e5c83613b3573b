// OLIA, the opportunistic linked increases of draft-khalili-mptcp-congestion-control-05 (Khalili et al., "MPTCP is not
// Pareto-optimal", 2012): Kelly and Voice's optimal increase, and an alpha that moves traffic from paths with large
// windows to better ones with small windows.
#pragma once

#include "stack/cc/coupling.h"

namespace mpquic::olia {

/// alpha_r of the draft.
[[nodiscard]] Ratio alpha(const CouplingGroup& group, const CoupledPath& path);
[[nodiscard]] std::int64_t alpha_millionths(const CouplingGroup& group, const CoupledPath& path);
/// The draft's increase, relative to NewReno.
[[nodiscard]] Ratio gain(const CouplingGroup& group, const CoupledPath& path);

inline constexpr CouplingRule kRule{
    .name = "olia", .alpha_millionths = &alpha_millionths, .gain = &gain, .reduced = &halved};

}  // namespace mpquic::olia
