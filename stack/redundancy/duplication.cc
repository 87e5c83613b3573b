#include "stack/redundancy/duplication.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace mpquic {
namespace {

/// What is copied always, and what only while something has to be repeated.
struct Rule {
  std::string_view name;
  bool datagrams = false;
  bool streams = false;
  bool repeats = false;
};

constexpr std::array kRules{
    Rule{.name = "off"},
    Rule{.name = "datagrams", .datagrams = true},
    Rule{.name = "retransmissions", .repeats = true},
    Rule{.name = "all", .datagrams = true, .streams = true},
};
constexpr std::array kDuplicationNames{kRules[0].name, kRules[1].name, kRules[2].name, kRules[3].name};

class FixedDuplication final : public DuplicationPolicy {
 public:
  FixedDuplication(const Rule& rule, std::uint16_t copies) : rule_(rule), copies_(copies) {}
  [[nodiscard]] std::string_view name() const override { return rule_.name; }
  [[nodiscard]] CopyCounts copies(const PacketContext& context) const override {
    const bool streams = rule_.streams || (rule_.repeats && context.has_retransmission);
    return {.datagrams = rule_.datagrams ? copies_ : std::uint16_t{0}, .streams = streams ? copies_ : std::uint16_t{0}};
  }

 private:
  const Rule& rule_;
  std::uint16_t copies_;
};

}  // namespace

std::unique_ptr<DuplicationPolicy> make_duplication_policy(std::string_view name, std::uint16_t copies) {
  const auto rule = std::ranges::find(kRules, name, &Rule::name);
  return rule != kRules.end() ? std::make_unique<FixedDuplication>(*rule, copies) : nullptr;
}

std::span<const std::string_view> duplication_policy_names() { return kDuplicationNames; }

std::size_t choose_copy_paths(std::span<const PathView> paths, PathId original, std::span<PathId> out) {
  const auto first = std::ranges::find(paths, original, &PathView::id);
  const bool may_use_backup = first != paths.end() && first->backup;
  const auto rank = [](const PathView& path) { return std::tuple(!path.can_send(), path.smoothed_rtt, path.id); };
  std::size_t found = 0;
  const PathView* last = nullptr;
  while (found < out.size()) {
    const PathView* best = nullptr;
    for (const PathView& path : paths) {
      if (path.id == original || !path.validated || path.potentially_failed || !path.has_rtt_sample) continue;
      if (path.socket_blocked) continue;
      if (path.backup && !may_use_backup) continue;
      if (last != nullptr && rank(path) <= rank(*last)) continue;
      if (best == nullptr || rank(path) < rank(*best)) best = &path;
    }
    if (best == nullptr) break;
    out[found++] = best->id;
    last = best;
  }
  return found;
}

}  // namespace mpquic
