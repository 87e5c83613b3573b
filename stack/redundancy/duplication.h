// The seam for "what goes out twice on purpose", and where to. A copy is the same information in another packet, on
// another path, with a delivery token of its own: whichever arrives first counts (docs/adr/0011).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "stack/path/path_view.h"

namespace mpquic {

/// On how many further paths the contents of a train are sent as well.
struct CopyCounts {
  std::uint16_t datagrams = 0;
  std::uint16_t streams = 0;
};

class DuplicationPolicy {
 public:
  DuplicationPolicy() = default;
  DuplicationPolicy(const DuplicationPolicy&) = delete;
  DuplicationPolicy& operator=(const DuplicationPolicy&) = delete;
  virtual ~DuplicationPolicy() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Asked once for each train.
  [[nodiscard]] virtual CopyCounts copies(const PacketContext& context) const = 0;
};

/// `off`; `datagrams`; `retransmissions`: stream data, while some of it has to be repeated; `all`: datagrams and stream
/// data. `copies`: on how many further paths. nullptr for an unknown name.
[[nodiscard]] std::unique_ptr<DuplicationPolicy> make_duplication_policy(std::string_view name, std::uint16_t copies);
[[nodiscard]] std::span<const std::string_view> duplication_policy_names();

/// A path is one of at most this many that carry the same.
inline constexpr std::size_t kMaxCopies = 7;

/// Where copies of what `original` carries should go, at most out.size() paths: those that have room first, then by
/// round trip. Backup paths only where the original is one; nothing goes to paths that are not validated, not measured
/// yet, failing, or whose socket is full. Gives how many it found.
[[nodiscard]] std::size_t choose_copy_paths(std::span<const PathView> paths, PathId original, std::span<PathId> out);

}  // namespace mpquic
