// When everything has been written, what is still outstanding on a slow path decides when the transfer ends. Sending it
// again on a faster path that has room bounds that wait by the faster path's round trip.
#pragma once

#include <optional>
#include <span>

#include "stack/path/path_view.h"

namespace mpquic {

/// The path that could repeat others' data now: the fastest that may carry data and has room. nullopt: none.
[[nodiscard]] std::optional<PathView> fastest_with_room(std::span<const PathView> paths);

/// Whether a packet that left `slow` at `sent` is better repeated on `fast`: the copy would be acknowledged before the
/// original can be expected to. Time only makes it less so, hence one look at each packet is enough.
[[nodiscard]] bool worth_reinjecting(const PathView& slow, Instant sent, const PathView& fast, Instant now);

}  // namespace mpquic
