// One member of the swarm: a scenario as the text of its values, which a seed draws (draw.cc), a file shows, and the
// shrinker takes apart. What runs is always what the scenario loader makes of the text.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/scenario/scenario.h"

namespace mpquic::sim::swarm {

/// The keys of one map, in order, with their values in YAML.
class Fields {
 public:
  using Entry = std::pair<std::string, std::string>;
  Fields() = default;
  Fields(std::initializer_list<Entry> entries) : entries_(entries) {}
  void set(std::string_view key, std::string value);
  void erase(std::string_view key);
  /// Empty where the key is not there.
  [[nodiscard]] std::string_view get(std::string_view key) const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  bool operator==(const Fields&) const = default;

 private:
  std::vector<Entry> entries_;
};

struct Case {
  std::uint64_t seed = 1;
  Fields top;
  Fields endpoints;
  std::vector<Fields> paths;  // the first one is where the handshake goes, and the one that never goes for good
  std::vector<Fields> bottlenecks;
  std::vector<Fields> groups;
  std::vector<Fields> workloads;
  std::vector<Fields> events;
  Fields asserts;
  bool operator==(const Case&) const = default;
};

/// "{rate: 5Mbit/s, loss: 1%}".
[[nodiscard]] std::string flow_map(const Fields& fields);
/// A scenario file; `comment` has its lines.
[[nodiscard]] std::string to_yaml(const Case& drawn, const std::vector<std::string>& comment = {});
/// What the loader makes of it.
[[nodiscard]] std::expected<Scenario, std::string> to_scenario(const Case& drawn);

struct DrawOptions {
  Crypto crypto = Crypto::null;
  InjectedBug bug = InjectedBug::none;
};
/// Topology, faults, workloads and options of one seed. The same for ever in one version of this program.
[[nodiscard]] Case draw(std::uint64_t seed, const DrawOptions& options);

/// All faults end at `milliseconds`, and from then on everything must complete within the budget
/// (budget.h).
void heal_at(Case& drawn, std::uint64_t milliseconds);
/// The same at the time that it has, for a case that has changed: its duration follows from what it asks of its links.
void heal_again(Case& changed);
/// When an event is over, in milliseconds.
[[nodiscard]] std::uint64_t end_of(const Fields& event);

}  // namespace mpquic::sim::swarm
