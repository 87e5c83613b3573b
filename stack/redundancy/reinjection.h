// The seam for "what is in flight on one path and better sent again on another". When everything has been written, what
// is still outstanding on a slow path decides when the transfer ends. Sending it again on a faster path that has room
// bounds that wait by the faster path's round trip (docs/adr/0007). The same holds for a path that sinks with data on
// it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "stack/path/path_view.h"

namespace mpquic {

/// Asked when the connection has nothing else that it may send, and when something is overdue.
class ReinjectionPolicy {
 public:
  ReinjectionPolicy() = default;
  ReinjectionPolicy(const ReinjectionPolicy&) = delete;
  ReinjectionPolicy& operator=(const ReinjectionPolicy&) = delete;
  virtual ~ReinjectionPolicy() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The path that repeats others' data now: one that may carry data and has room. nullopt: none.
  [[nodiscard]] virtual std::optional<PathView> select_target(std::span<const PathView> paths, Instant now) const = 0;
  /// Whether a packet that left `slow` at `sent` is to be repeated on `target`, which has nothing else to send. A
  /// packet is asked about once.
  [[nodiscard]] virtual bool is_worth(const PathView& slow, Instant sent, const PathView& target,
                                      Instant now) const = 0;
  /// Whether it is to be repeated whatever else there is to send. While not, it is asked about again, and what left
  /// later is not yet.
  [[nodiscard]] virtual bool is_overdue(const PathView& slow, Instant sent, const PathView& target,
                                        Instant now) const = 0;
};

/// `off`; `tail`: the fastest path with room repeats what it would bring sooner, and at any time what another path has
/// kept for much longer than it should, and longer than this one would have needed. nullptr for an unknown name.
[[nodiscard]] std::unique_ptr<ReinjectionPolicy> make_reinjection_policy(std::string_view name);
[[nodiscard]] std::span<const std::string_view> reinjection_policy_names();

}  // namespace mpquic
