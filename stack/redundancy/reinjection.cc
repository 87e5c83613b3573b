#include "stack/redundancy/reinjection.h"

#include <array>

namespace mpquic {
namespace {

constexpr std::array<std::string_view, 2> kReinjectionNames{"off", "tail"};

class NoReinjection final : public ReinjectionPolicy {
 public:
  [[nodiscard]] std::string_view name() const override { return kReinjectionNames[0]; }
  [[nodiscard]] std::optional<PathView> select_target(std::span<const PathView>, Instant) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_worth(const PathView&, Instant, const PathView&, Instant) const override { return false; }
  [[nodiscard]] bool is_overdue(const PathView&, Instant, const PathView&, Instant) const override { return false; }
};

class TailReinjection final : public ReinjectionPolicy {
 public:
  [[nodiscard]] std::string_view name() const override { return kReinjectionNames[1]; }
  [[nodiscard]] std::optional<PathView> select_target(std::span<const PathView> paths, Instant now) const override {
    const PathView* best = nullptr;
    for (const PathView& path : paths) {
      if (!path.validated || path.potentially_failed || path.backup || !path.has_rtt_sample || !path.can_send())
        continue;
      if (expired(path.overdue_at, now)) continue;  // its round trip time is a thing of the past
      if (best == nullptr || path.smoothed_rtt < best->smoothed_rtt) best = &path;
    }
    return best != nullptr ? std::optional(*best) : std::nullopt;
  }
  /// The copy would be acknowledged before the original can be expected to. Time only makes it less so, hence one look
  /// at each packet is enough.
  [[nodiscard]] bool is_worth(const PathView& slow, Instant sent, const PathView& target, Instant now) const override {
    return slow.id != target.id && now + target.smoothed_rtt < sent + slow.smoothed_rtt;
  }
  /// The target, had it been chosen, would have brought it by now, in all likelihood.
  [[nodiscard]] bool is_overdue(const PathView& slow, Instant sent, const PathView& target,
                                Instant now) const override {
    const Duration age = now - sent;
    return slow.id != target.id && age >= slow.patience && age >= target.smoothed_rtt + 4 * target.rtt_variance;
  }
};

}  // namespace

std::unique_ptr<ReinjectionPolicy> make_reinjection_policy(std::string_view name) {
  if (name == kReinjectionNames[0]) return std::make_unique<NoReinjection>();
  if (name == kReinjectionNames[1]) return std::make_unique<TailReinjection>();
  return nullptr;
}

std::span<const std::string_view> reinjection_policy_names() { return kReinjectionNames; }

}  // namespace mpquic
