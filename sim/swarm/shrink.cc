#include "sim/swarm/shrink.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/units.h"

namespace mpquic::sim::swarm {
namespace {

/// Sizes, counts and times are halved down to this.
constexpr std::uint64_t kLeastFigure = 1;

[[nodiscard]] bool is_heal(const Fields& event) { return event.get("do") == "heal"; }

class Shrinker {
 public:
  Shrinker(const Case& failing, const Outcome& outcome, const std::function<void(std::size_t, const Case&)>& progress)
      : best_{.smallest = failing, .outcome = outcome}, kind_(kind_of(outcome)), progress_(progress) {}

  [[nodiscard]] Shrunk run() {
    bool smaller = true;
    while (smaller && best_.runs < kMostShrinkRuns) {
      smaller = false;
      smaller |= drop_events();
      smaller |= drop_paths();
      smaller |= drop_some(&Case::workloads, 1);
      smaller |= default_fields();
      smaller |= heal_earlier();
      smaller |= halve_figures();
    }
    return best_;
  }

 private:
  /// Takes the candidate if it fails as the original does.
  bool try_case(const Case& candidate) {
    if (best_.runs >= kMostShrinkRuns || candidate == best_.smallest) return false;
    ++best_.runs;
    progress_(best_.runs, best_.smallest);
    Outcome outcome = run_apart(candidate);
    if (kind_of(outcome) != kind_) return false;
    best_.smallest = candidate;
    best_.outcome = std::move(outcome);
    return true;
  }

  /// Runs of entries, long ones first; `least` stay.
  bool drop_some(std::vector<Fields> Case::*list, std::size_t least) {
    bool any = false;
    for (std::size_t length = std::max<std::size_t>(1, (best_.smallest.*list).size() / 2); length > 0; length /= 2) {
      for (std::size_t at = 0; at + length <= (best_.smallest.*list).size();) {
        Case candidate = best_.smallest;
        auto& entries = candidate.*list;
        const auto first = entries.begin() + static_cast<std::ptrdiff_t>(at);
        const bool keeps = std::any_of(first, first + static_cast<std::ptrdiff_t>(length), is_heal);
        entries.erase(first, first + static_cast<std::ptrdiff_t>(length));
        // Without healing, a fault that lasts would be failure enough.
        if (keeps || entries.size() < least || !try_case(candidate))
          ++at;
        else
          any = true;
      }
    }
    return any;
  }
  bool drop_events() { return drop_some(&Case::events, 0); }

  bool drop_paths() {
    bool any = false;
    for (std::size_t path = best_.smallest.paths.size(); path-- > 1;) {
      Case candidate = best_.smallest;
      const std::string name(candidate.paths[path].get("name"));
      candidate.paths.erase(candidate.paths.begin() + static_cast<std::ptrdiff_t>(path));
      std::erase_if(candidate.events, [&](const Fields& event) { return event.get("path") == name; });
      any |= try_case(candidate);
    }
    return any;
  }

  /// Every key of `fields` that may be absent, one after the other.
  bool default_each(const std::function<Fields&(Case&)>& fields, std::initializer_list<std::string_view> keep) {
    bool any = false;
    const std::vector<Fields::Entry> entries = fields(best_.smallest).entries();
    for (const auto& [key, value] : entries) {
      if (std::ranges::find(keep, key) != keep.end()) continue;
      Case candidate = best_.smallest;
      fields(candidate).erase(key);
      any |= try_case(candidate);
    }
    return any;
  }
  bool default_fields() {
    bool any =
        default_each([](Case& c) -> Fields& { return c.endpoints; }, {"inject", "idle_timeout", "handshake_timeout"});
    for (std::size_t i = 0; i < best_.smallest.paths.size(); ++i)
      any |= default_each([i](Case& c) -> Fields& { return c.paths[i]; }, {"name", "rate", "rtt"});
    for (std::size_t i = 0; i < best_.smallest.workloads.size(); ++i)
      any |= default_each([i](Case& c) -> Fields& { return c.workloads[i]; },
                          {"kind", "bytes", "count", "rate", "for", "request", "response"});
    for (std::size_t i = 0; i < best_.smallest.events.size(); ++i)
      any |= default_each([i](Case& c) -> Fields& { return c.events[i]; },
                          {"at", "do", "path", "value", "for", "side", "if_open", "down", "up", "count"});
    return any;
  }

  bool heal_earlier() {
    Case candidate = best_.smallest;
    std::uint64_t end = 1;
    for (const Fields& event : candidate.events)
      if (!is_heal(event)) end = std::max(end, end_of(event) + 1);
    heal_at(candidate, end);
    return try_case(candidate);
  }

  bool halve(const std::function<Fields&(Case&)>& fields, std::string_view key) {
    bool any = false;
    while (true) {
      const std::string value(fields(best_.smallest).get(key));
      const std::size_t unit = std::min(value.find_first_not_of("0123456789"), value.size());
      const auto figure = parse_count(std::string_view(value).substr(0, unit));
      if (!figure || *figure / 2 < kLeastFigure) return any;
      Case candidate = best_.smallest;
      fields(candidate).set(key, fmt::format("{}{}", *figure / 2, value.substr(unit)));
      if (!try_case(candidate)) return any;
      any = true;
    }
  }
  bool halve_figures() {
    bool any = false;
    for (std::size_t i = 0; i < best_.smallest.workloads.size(); ++i)
      for (const char* key : {"bytes", "count", "concurrency", "streams", "for", "request", "response"})
        any |= halve([i](Case& c) -> Fields& { return c.workloads[i]; }, key);
    return any;
  }

  Shrunk best_;
  std::string kind_;
  const std::function<void(std::size_t, const Case&)>& progress_;
};

}  // namespace

Shrunk shrink(const Case& failing, const Outcome& outcome,
              const std::function<void(std::size_t, const Case&)>& progress) {
  return Shrinker(failing, outcome, progress).run();
}

}  // namespace mpquic::sim::swarm
