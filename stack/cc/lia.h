// LIA, the linked increases of RFC 6356: a connection takes as much as one flow on its best path would, and no more
// than one flow would on any of its paths.
#pragma once

#include "stack/cc/coupling.h"

namespace mpquic::lia {

/// RFC 6356 §3, formula (2).
[[nodiscard]] std::int64_t alpha_millionths(const CouplingGroup& group, const CoupledPath& path);
/// RFC 6356 §3, formula (1), relative to NewReno.
[[nodiscard]] Ratio gain(const CouplingGroup& group, const CoupledPath& path);

inline constexpr CouplingRule kRule{
    .name = "lia", .alpha_millionths = &alpha_millionths, .gain = &gain, .reduced = &halved};

}  // namespace mpquic::lia
