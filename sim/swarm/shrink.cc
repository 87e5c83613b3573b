#include "sim/swarm/shrink.h"

#include <algorithm>

#include "sim/swarm/shrink_moves.h"

namespace mpquic::sim::swarm {
namespace {

/// Variations of each smaller case that does not fail as it is. Of the injected bugs' failures, most need fewer than
/// twenty; the hardest known one took 190.
constexpr std::size_t kShakes = 300;

[[nodiscard]] bool is_needed(const Fields& event) {
  return is_heal(event) || event.get("do") == "close" || event.get("do") == "peer_restart";
}

class Shrinker {
 public:
  Shrinker(const Case& failing, const Outcome& outcome, const ShrinkProgress& progress)
      : best_{.smallest = failing, .outcome = outcome}, kind_(kind_of(outcome)), progress_(progress) {}

  [[nodiscard]] Shrunk run() {
    do {
      settle();
    } while (!is_small() && break_out());
    return best_;
  }

 private:
  [[nodiscard]] bool is_small() const {
    return best_.smallest.paths.size() <= kSmallPaths && best_.smallest.events.size() <= kSmallEvents;
  }

  /// Takes the candidate if it fails as the original does.
  bool try_case(Case candidate) {
    heal_again(candidate);
    if (best_.stopped || candidate == best_.smallest) return false;
    if (best_.runs >= kMostShrinkRuns || best_.events >= kMostShrinkEvents || !progress_(best_.runs, best_.smallest)) {
      best_.stopped = true;
      return false;
    }
    ++best_.runs;
    Outcome outcome = run_apart(candidate);
    best_.events += outcome.events;
    if (kind_of(outcome) != kind_) return false;
    best_.smallest = candidate;
    best_.outcome = std::move(outcome);
    return true;
  }
  bool try_first_of(const std::vector<Case>& candidates) {
    return std::ranges::any_of(candidates, [this](const Case& candidate) { return try_case(candidate); });
  }

  /// Leaves out and halves whatever it can.
  void settle() {
    bool smaller = true;
    while (smaller) {
      smaller = drop_events();
      smaller |= drop_paths();
      smaller |= drop_some(&Case::groups, 0);
      smaller |= drop_bottlenecks();
      smaller |= drop_some(&Case::workloads, 1);
      smaller |= default_fields();
      smaller |= heal_earlier();
      smaller |= halve_figures();
    }
  }

  /// Fewer paths or events, at the price of other figures: what failed over seven paths may need another seed, or a
  /// lossier link, over two.
  bool break_out() {
    std::vector<Case> fewer;
    const Case& best = best_.smallest;
    const auto add = [&](std::vector<Case> cases) { std::ranges::move(cases, std::back_inserter(fewer)); };
    for (std::size_t path = best.paths.size(); path-- > 1 && best.paths.size() > kSmallPaths;)
      add(without_path(best, path));
    for (std::size_t event = 0; event < best.events.size() && best.events.size() > kSmallEvents; ++event) {
      if (is_needed(best.events[event])) continue;
      add(without_change(best, event));
      fewer.push_back(best);
      fewer.back().events.erase(fewer.back().events.begin() + static_cast<std::ptrdiff_t>(event));
    }
    for (std::size_t attempt = 0; attempt < kShakes; ++attempt)
      for (const Case& candidate : fewer)
        if (try_case(shaken(candidate, attempt))) return true;
    return false;
  }

  /// Runs of entries, long ones first; `least` stay.
  bool drop_some(std::vector<Fields> Case::*list, std::size_t least) {
    bool any = false;
    for (std::size_t length = std::max<std::size_t>(1, (best_.smallest.*list).size() / 2); length > 0; length /= 2) {
      for (std::size_t at = 0; at + length <= (best_.smallest.*list).size();) {
        Case candidate = best_.smallest;
        auto& entries = candidate.*list;
        const auto first = entries.begin() + static_cast<std::ptrdiff_t>(at);
        const bool keeps = std::any_of(first, first + static_cast<std::ptrdiff_t>(length), is_needed);
        entries.erase(first, first + static_cast<std::ptrdiff_t>(length));
        // Without healing, a fault that lasts would be failure enough; so would a connection that nobody ends.
        if (keeps || entries.size() < least || !try_case(candidate))
          ++at;
        else
          any = true;
      }
    }
    return any;
  }
  bool drop_events() {
    bool any = drop_some(&Case::events, 0);
    for (std::size_t event = best_.smallest.events.size(); event-- > 0;)
      any |= try_first_of(without_change(best_.smallest, event));
    return any;
  }
  bool drop_paths() {
    bool any = false;
    for (std::size_t path = best_.smallest.paths.size(); path-- > 1;)
      any |= try_first_of(without_path(best_.smallest, path));
    return any;
  }

  bool drop_bottlenecks() {
    bool any = false;
    for (std::size_t i = best_.smallest.bottlenecks.size(); i-- > 0;)
      any |= try_first_of(without_bottleneck(best_.smallest, i));
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
    bool any = default_each([](Case& c) -> Fields& { return c.endpoints; },
                            {"inject", "idle_timeout", "handshake_timeout", "keep_alive"});
    for (std::size_t i = 0; i < best_.smallest.paths.size(); ++i) {
      any |= try_case(with_plain_path(best_.smallest, i));
      any |= default_each([i](Case& c) -> Fields& { return c.paths[i]; }, {"name", "rate", "rtt"});
    }
    for (std::size_t i = 0; i < best_.smallest.bottlenecks.size(); ++i)
      any |= default_each([i](Case& c) -> Fields& { return c.bottlenecks[i]; }, {"name", "rate"});
    for (std::size_t i = 0; i < best_.smallest.groups.size(); ++i)
      any |= default_each([i](Case& c) -> Fields& { return c.groups[i]; }, {"paths", "length", "least", "most"});
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
      Case candidate = best_.smallest;
      if (!value.empty()) fields(candidate).set(key, scaled(value, {.over = 2}));
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
  const ShrinkProgress& progress_;
};

}  // namespace

Shrunk shrink(const Case& failing, const Outcome& outcome, const ShrinkProgress& progress) {
  return Shrinker(failing, outcome, progress).run();
}

}  // namespace mpquic::sim::swarm
