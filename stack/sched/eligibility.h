// The rules that every scheduler obeys, whatever it prefers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "stack/path/path_view.h"

namespace mpquic {

/// Ordered: a path is used only while no path of an earlier standing exists. A path that is merely blocked (window,
/// pacer, socket) keeps its standing, so a full primary path does not spill over to a backup (draft-21 §3.3).
enum class Standing : std::uint8_t {
  primary,
  backup,
  failed_primary,  // potentially failed: retransmissions there would share its fate
  failed_backup,
  unusable,  // not validated: no data to an address that only the peer has named (RFC 9000 §8.2)
};

[[nodiscard]] Standing standing_of(const PathView& path, const PacketContext& context);

/// The path may take the packet now. Packets without ack-eliciting frames are not congestion controlled (RFC 9002 §7),
/// but still never exceed the amplification limit.
[[nodiscard]] bool can_take(const PathView& path, const PacketContext& context);

/// The best standing of any path; only paths of this standing may be picked.
[[nodiscard]] Standing best_standing(std::span<const PathView> paths, const PacketContext& context);

}  // namespace mpquic
