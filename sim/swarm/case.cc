#include "sim/swarm/case.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/scenario_loader.h"
#include "sim/scenario/units.h"
#include "sim/swarm/budget.h"

namespace mpquic::sim::swarm {
namespace {

void add_list(std::string& out, std::string_view key, const std::vector<Fields>& list) {
  if (list.empty()) return;
  out += fmt::format("{}:\n", key);
  for (const Fields& each : list) out += fmt::format("  - {}\n", flow_map(each));
}

[[nodiscard]] std::uint64_t milliseconds(std::string_view text) {
  const auto time = parse_duration(text);
  return time ? static_cast<std::uint64_t>(*time / std::chrono::milliseconds(1)) : 0;
}

}  // namespace

void Fields::set(std::string_view key, std::string value) {
  const auto found = std::ranges::find(entries_, key, &Entry::first);
  if (found != entries_.end())
    found->second = std::move(value);
  else
    entries_.emplace_back(key, std::move(value));
}

void Fields::erase(std::string_view key) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.first == key; });
}

std::string_view Fields::get(std::string_view key) const {
  const auto found = std::ranges::find(entries_, key, &Entry::first);
  return found == entries_.end() ? std::string_view{} : std::string_view(found->second);
}

std::string flow_map(const Fields& fields) {
  std::string out = "{";
  for (const auto& [key, value] : fields.entries())
    out += fmt::format("{}{}: {}", out.size() > 1 ? ", " : "", key, value);
  return out + "}";
}

std::string to_yaml(const Case& drawn, const std::vector<std::string>& comment) {
  std::string out;
  for (const std::string& line : comment) out += fmt::format("# {}\n", line);
  for (const auto& [key, value] : drawn.top.entries()) out += fmt::format("{}: {}\n", key, value);
  if (!drawn.endpoints.empty()) out += fmt::format("endpoints: {}\n", flow_map(drawn.endpoints));
  add_list(out, "paths", drawn.paths);
  add_list(out, "bottlenecks", drawn.bottlenecks);
  add_list(out, "groups", drawn.groups);
  add_list(out, "workloads", drawn.workloads);
  add_list(out, "events", drawn.events);
  if (!drawn.asserts.empty()) out += fmt::format("assert: {}\n", flow_map(drawn.asserts));
  return out;
}

std::expected<Scenario, std::string> to_scenario(const Case& drawn) {
  return parse_scenario(to_yaml(drawn), fmt::format("seed {}", drawn.seed), {}, drawn.seed);
}

void heal_at(Case& drawn, std::uint64_t ms) {
  std::erase_if(drawn.events, [](const Fields& event) { return event.get("do") == "heal"; });
  drawn.events.push_back({{"at", fmt::format("{}ms", ms)}, {"do", "heal"}});
  const auto scenario = to_scenario(drawn);
  drawn.top.set("duration", fmt::format("{}ms", ms + (scenario ? budget_ms(*scenario) : 0)));
}

void heal_again(Case& changed) {
  const auto heal = std::ranges::find_if(changed.events, [](const Fields& event) { return event.get("do") == "heal"; });
  if (heal != changed.events.end()) heal_at(changed, milliseconds(heal->get("at")));
}

std::uint64_t end_of(const Fields& event) {
  const std::uint64_t rounds =
      event.get("count").empty() || event.get("do") != "flap" ? 1 : parse_count(event.get("count")).value_or(1);
  return milliseconds(event.get("at")) + milliseconds(event.get("for")) + milliseconds(event.get("gap")) +
         rounds * (milliseconds(event.get("down")) + milliseconds(event.get("up")));
}

}  // namespace mpquic::sim::swarm
