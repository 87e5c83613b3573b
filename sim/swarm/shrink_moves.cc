#include "sim/swarm/shrink_moves.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/random_streams.h"
#include "sim/scenario/units.h"

namespace mpquic::sim::swarm {
namespace {

/// A run that fails by chance, of one packet lost for example, needs no more than other dice.
constexpr std::size_t kOnlyAnotherSeed = 3;
/// That is drawn: no video is shorter.
constexpr std::uint64_t kLongestSegmentMs = 1000;

/// What draw.cc lets happen to the first path at any time: it stays where it is, and does not end.
[[nodiscard]] bool bears(std::size_t path, const Fields& event) {
  static constexpr std::string_view kHarmless[] = {"outage",       "flap",          "set_rate",       "set_delay",
                                                   "set_loss",     "set_mtu",       "path_status",    "migrate_path",
                                                   "socket_error", "reorder_burst", "drop_datagrams", "open_path"};
  return path > 0 || std::ranges::find(kHarmless, event.get("do")) != std::end(kHarmless);
}

[[nodiscard]] bool is_on(const Fields& event, const Fields& path) {
  return !event.get("path").empty() && event.get("path") == path.get("name");
}

/// What wanders around a figure, within bounds, goes with it.
void set_rate(Fields& path, std::string value) {
  path.set("rate", std::move(value));
  path.erase("rate_process");
}
void set_rtt(Fields& path, std::string value) {
  path.set("rtt", std::move(value));
  path.erase("jitter");
}

/// A group is one of at least two.
void leave_groups(Case& drawn, std::string_view path) {
  for (Fields& group : drawn.groups) {
    std::string rest;
    std::size_t members = 0;
    std::string_view names = group.get("paths");
    for (names = names.substr(1, names.size() - 2); !names.empty();) {
      const std::size_t end = std::min(names.find(", "), names.size());
      if (names.substr(0, end) != path) rest += fmt::format("{}{}", members++ == 0 ? "" : ", ", names.substr(0, end));
      names.remove_prefix(std::min(end + 2, names.size()));
    }
    group.set("paths", members < 2 ? "" : "[" + rest + "]");
  }
  std::erase_if(drawn.groups, [](const Fields& group) { return group.get("paths").empty(); });
}

/// Random, but the same for the same case and attempt.
class Shaker {
 public:
  Shaker(std::uint64_t seed, std::size_t attempt)
      : rng_(seed, stream_of(Purpose::swarm, attempt + 1)), together_(one_in(2)), shift_ms_(between(1, 2000)) {}

  void path(Fields& path, bool first) {
    if (one_in(2)) set_rate(path, fmt::format("{}kbit/s", between(first ? 1000 : 300, 60'000)));
    if (one_in(2)) set_rtt(path, fmt::format("{}ms", between(2, 400)));
    if (first) return;  // it must not get worse: what completes in time completes over it
    static constexpr std::string_view kLosses[] = {"0.5%", "2.0%", "5.0%", "12.0%"};
    if (one_in(2)) path.set("loss", std::string(kLosses[rng_.below(std::size(kLosses))]));
  }
  /// Often another one: plain data fills every path, and what goes wrong with a packet goes wrong with it.
  void workload(Fields& workload) {
    if (one_in(3)) {
      workload = {{"kind", "bulk"}, {"bytes", fmt::format("{}kB", between(10, 3000))}};
      workload.set("direction", one_in(2) ? "up" : "down");
      return;
    }
    resize(workload, "bytes", workload.get("kind") == "bulk" ? 3000 : 400);
    resize(workload, "count", 200);
    resize(workload, "for", 9000, workload.get("kind") == "video" ? kLongestSegmentMs : 1);
    resize(workload, "start", 3000);
  }
  /// All at other times, or all later: often it is the distance that matters.
  void event(Fields& event) {
    const std::string_view at = event.get("at");
    const std::uint64_t ms = parse_count(at.substr(0, at.find('m'))).value_or(0);
    event.set("at", fmt::format("{}ms", together_ ? ms + shift_ms_ : between(4, 8999)));
  }
  [[nodiscard]] std::uint64_t heal_ms() { return 1500 + rng_.below(7500); }

 private:
  [[nodiscard]] bool one_in(std::uint64_t count) { return rng_.below(count) == 0; }
  /// As likely between 1 and 2 as between 100 and 200.
  [[nodiscard]] std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    std::uint64_t doublings = 0;
    while (least << (doublings + 1) <= most) ++doublings;
    const std::uint64_t base = least << rng_.below(doublings + 1);
    return base + rng_.below(std::min(base, most - base) + 1);
  }
  void resize(Fields& fields, std::string_view key, std::uint64_t most, std::uint64_t least = 1) {
    const std::string figure(fields.get(key));
    if (!figure.empty())
      fields.set(key, scaled(figure, {.times = between(1, 16), .over = 4, .least = least, .most = most}));
  }
  SeededRng rng_;
  bool together_;
  std::uint64_t shift_ms_;
};

}  // namespace

bool is_heal(const Fields& event) { return event.get("do") == "heal"; }

std::string scaled(std::string_view figure, const Scale& scale) {
  const std::size_t unit = std::min(figure.find_first_not_of("0123456789"), figure.size());
  const auto value = parse_count(figure.substr(0, unit));
  if (!value) return std::string(figure);
  const std::uint64_t other = *value * scale.times / scale.over;
  // What is out of bounds already, because it was halved before, need not get back.
  const std::uint64_t least = std::min(scale.least, *value);
  return fmt::format("{}{}", std::clamp(other, least, std::max(scale.most, least)), figure.substr(unit));
}

std::vector<Case> without_path(const Case& whole, std::size_t path) {
  const Fields gone = whole.paths[path];
  Case rest = whole;
  rest.paths.erase(rest.paths.begin() + static_cast<std::ptrdiff_t>(path));
  leave_groups(rest, gone.get("name"));
  Case fewer = rest;
  std::erase_if(fewer.events, [&](const Fields& event) { return is_on(event, gone); });
  std::vector<Case> all = {fewer};
  if (fewer.events.size() == rest.events.size()) return all;
  for (std::size_t other = rest.paths.size(); other-- > 0;) {
    Case moved = rest;
    bool borne = true;
    for (Fields& event : moved.events) {
      if (!is_on(event, gone)) continue;
      borne &= bears(other, event);
      event.set("path", std::string(rest.paths[other].get("name")));
    }
    if (borne) all.push_back(std::move(moved));
  }
  return all;
}

Case with_plain_path(const Case& whole, std::size_t path) {
  Case plain = whole;
  const Fields& old = whole.paths[path];
  plain.paths[path] = {};
  for (const char* key : {"name", "rate", "rtt"}) plain.paths[path].set(key, std::string(old.get(key)));
  return plain;
}

std::vector<Case> without_bottleneck(const Case& whole, std::size_t bottleneck) {
  Case own = whole;
  own.bottlenecks.erase(own.bottlenecks.begin() + static_cast<std::ptrdiff_t>(bottleneck));
  Case same = own;
  const std::string rate(whole.bottlenecks[bottleneck].get("rate"));
  const std::string shared = fmt::format("shared: {}", whole.bottlenecks[bottleneck].get("name"));
  for (std::size_t path = 0; path < whole.paths.size(); ++path) {
    for (const char* direction : {"up", "down"}) {
      if (whole.paths[path].get(direction).find(shared) == std::string::npos) continue;
      own.paths[path].erase(direction);
      same.paths[path].erase(direction);
      set_rate(same.paths[path], rate);
    }
  }
  return {own, same};
}

std::vector<Case> without_change(const Case& whole, std::size_t event) {
  const Fields change = whole.events[event];
  const std::string_view verb = change.get("do");
  if (!verb.starts_with("set_")) return {};
  Case rest = whole;
  rest.events.erase(rest.events.begin() + static_cast<std::ptrdiff_t>(event));
  const auto path = std::ranges::find_if(rest.paths, [&](const Fields& each) { return is_on(change, each); });
  if (path == rest.paths.end()) return {};
  const std::string value(change.get("value"));
  if (verb == "set_rate") set_rate(*path, value);
  if (verb == "set_delay") set_rtt(*path, scaled(value, {.times = 2}));
  if (verb == "set_loss") path->set("loss", value);
  if (verb == "set_mtu") path->set("mtu", value);
  return {rest};
}

Case shaken(const Case& calm, std::size_t attempt) {
  Case other = calm;
  other.seed += attempt + 1;
  if (attempt < kOnlyAnotherSeed) return other;
  Shaker shaker(calm.seed, attempt);
  for (std::size_t i = 0; i < other.paths.size(); ++i) shaker.path(other.paths[i], i == 0);
  for (Fields& workload : other.workloads) shaker.workload(workload);
  std::uint64_t heal = shaker.heal_ms();
  for (Fields& event : other.events) {
    // The first path's may have to come after the handshake.
    if (!is_heal(event) && !is_on(event, other.paths.front())) shaker.event(event);
    if (!is_heal(event)) heal = std::max(heal, end_of(event) + 1);
  }
  heal_at(other, heal);
  return other;
}

}  // namespace mpquic::sim::swarm
