// BALIA, the balanced linked adaptation of draft-walid-mptcp-congestion-control-04 (Peng, Walid, Hwang, Low, "Multipath
// TCP: analysis, design, and implementation", 2016): between LIA and OLIA, with a reduction of its own.
#pragma once

#include "stack/cc/coupling.h"

namespace mpquic::balia {

/// alpha_r of the draft: max{x_k} / x_r, at least 1.
[[nodiscard]] std::int64_t alpha_millionths(const CouplingGroup& group, const CoupledPath& path);
/// The draft's increase, relative to NewReno.
[[nodiscard]] Ratio gain(const CouplingGroup& group, const CoupledPath& path);
/// The draft's decrease.
[[nodiscard]] std::uint64_t reduced(const CouplingGroup& group, const CoupledPath& path);

inline constexpr CouplingRule kRule{
    .name = "balia", .alpha_millionths = &alpha_millionths, .gain = &gain, .reduced = &reduced};

}  // namespace mpquic::balia
