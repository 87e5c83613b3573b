// What a seed means. Everything is drawn from one stream, as text that a scenario file could have.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "sim/random_streams.h"
#include "sim/swarm/case.h"
#include "stack/cc/congestion_controller.h"
#include "stack/redundancy/duplication.h"
#include "stack/redundancy/reinjection.h"
#include "stack/sched/scheduler.h"

namespace mpquic::sim::swarm {
namespace {

constexpr std::uint64_t kMaxPaths = 8;
constexpr std::uint64_t kMaxEvents = 16;
/// By then a handshake without faults is over, losses and all.
constexpr std::uint64_t kHandshakeMs = 5000;
/// Ten full-size packets.
constexpr std::uint64_t kLeastQueueBits = 120'000;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : rng_(seed, stream_of(Purpose::swarm)) {}
  [[nodiscard]] bool percent(std::uint64_t chance) { return rng_.below(100) < chance; }
  /// Uniform, both ends included.
  [[nodiscard]] std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + rng_.below(most - least + 1);
  }
  /// As likely between 1 and 10 as between 10 and 100, on integers alone.
  [[nodiscard]] std::uint64_t spread(std::uint64_t least, std::uint64_t most) {
    std::uint64_t doublings = 0;
    while (least << (doublings + 1) <= most) ++doublings;
    const std::uint64_t base = least << between(0, doublings);
    return between(base, std::min(2 * base, most));
  }
  [[nodiscard]] std::string_view one_of(std::span<const std::string_view> words) {
    return words[rng_.below(words.size())];
  }
  [[nodiscard]] std::string_view one_of(std::initializer_list<std::string_view> words) {
    return one_of(std::span(words.begin(), words.size()));
  }

 private:
  SeededRng rng_;
};

[[nodiscard]] std::string ms(std::uint64_t value) { return fmt::format("{}ms", value); }
[[nodiscard]] std::string kbits(std::uint64_t value) { return fmt::format("{}kbit/s", value); }
[[nodiscard]] std::string kib(std::uint64_t value) { return fmt::format("{}KiB", value); }
[[nodiscard]] std::string tenths_percent(std::uint64_t value) { return fmt::format("{}.{}%", value / 10, value % 10); }

// --- Topology

[[nodiscard]] Fields draw_path(Dice& dice, std::size_t index) {
  Fields path{{"name", fmt::format("p{}", index)}};
  const bool anchor = index == 0;
  const std::uint64_t rate = dice.spread(anchor ? 2000 : 300, 60'000);
  const std::uint64_t up_rate = dice.percent(15) ? dice.spread(anchor ? 1000 : 300, 20'000) : rate;
  path.set("rate", kbits(rate));
  path.set("rtt", ms(dice.spread(2, 400)));
  // With room for less than a few packets, a long line is as good as none: kBudgetMs would not do.
  const std::uint64_t least_queue = kLeastQueueBits / std::min(rate, up_rate);
  if (dice.percent(60)) path.set("queue", ms(std::max(dice.spread(5, 400), least_queue)));
  if (dice.percent(40)) path.set("loss", tenths_percent(dice.spread(1, anchor ? 40 : 120)));
  if (dice.percent(15)) path.set("duplicate", tenths_percent(dice.spread(1, 50)));
  if (dice.percent(15)) path.set("corrupt", tenths_percent(dice.spread(1, 20)));
  if (dice.percent(20)) {
    path.set("reorder", tenths_percent(dice.spread(1, 200)));
    path.set("reorder_delay", ms(dice.spread(1, 60)));
  }
  if (dice.percent(15)) path.set("mtu", fmt::format("{}B", dice.between(1228, 1500)));
  if (up_rate != rate) path.set("up", fmt::format("{{rate: {}}}", kbits(up_rate)));
  if (!anchor && dice.percent(10)) path.set("backup", "on");
  if (!anchor && dice.percent(30)) path.set("open_at", ms(dice.spread(1, 4000)));
  if (!anchor && dice.percent(8)) path.set("use", "off");
  return path;
}

// --- Options

void draw_core(Dice& dice, Fields& side) {
  if (dice.percent(40)) side.set("cc", std::string(dice.one_of(congestion_controller_names())));
  if (dice.percent(40)) side.set("scheduler", std::string(dice.one_of(scheduler_names())));
  if (dice.percent(30)) side.set("duplication", std::string(dice.one_of(duplication_policy_names())));
  if (dice.percent(15)) side.set("duplicate_copies", fmt::format("{}", dice.between(1, 3)));
  if (dice.percent(15)) side.set("reinjection", std::string(dice.one_of(reinjection_policy_names())));
  for (const char* on : {"pacing", "ecn", "discover_mtu", "grease"})
    if (dice.percent(15)) side.set(on, "off");
  if (dice.percent(25)) side.set("key_update_after_packets", fmt::format("{}", dice.spread(20, 2000)));
  if (dice.percent(25)) side.set("max_data", kib(dice.spread(32, 4096)));
  if (dice.percent(25)) side.set("max_stream_data", kib(dice.spread(16, 2048)));
  if (dice.percent(20)) side.set("send_buffer", kib(dice.spread(16, 2048)));
  if (dice.percent(20)) side.set("max_streams_bidi", fmt::format("{}", dice.spread(1, 100)));
  if (dice.percent(20)) side.set("max_streams_uni", fmt::format("{}", dice.spread(1, 100)));
  if (dice.percent(15)) side.set("max_paths", fmt::format("{}", dice.between(2, 8)));
  if (dice.percent(20)) side.set("active_connection_id_limit", fmt::format("{}", dice.between(2, 8)));
  if (dice.percent(20)) side.set("max_ack_delay", ms(dice.spread(1, 100)));
  if (dice.percent(20)) side.set("initial_rtt", ms(dice.spread(20, 800)));
  if (dice.percent(10)) side.set("keep_alive", ms(dice.spread(100, 5000)));
  if (dice.percent(15)) side.set("max_datagram_size", fmt::format("{}B", dice.between(1200, 1500)));
  if (dice.percent(60)) side.set("buggify", tenths_percent(dice.spread(1, 100)));
}

[[nodiscard]] Fields draw_endpoints(Dice& dice) {
  Fields endpoints{{"handshake_timeout", "60s"}, {"idle_timeout", "60s"}};
  draw_core(dice, endpoints);
  if (dice.percent(6)) endpoints.set("multipath", "off");
  if (dice.percent(10)) endpoints.set("retry", "on");
  if (!dice.percent(25)) return endpoints;
  Fields server;
  draw_core(dice, server);
  std::string inner;
  for (const auto& [key, value] : server.entries())
    inner += fmt::format("{}{}: {}", inner.empty() ? "" : ", ", key, value);
  if (!inner.empty()) endpoints.set("server", "{" + inner + "}");
  return endpoints;
}

// --- Workloads

[[nodiscard]] Fields draw_workload(Dice& dice) {
  const std::string kind(
      dice.one_of({"bulk", "bulk", "bulk", "requests", "requests", "datagrams", "voip", "game", "video", "inner_tcp"}));
  Fields workload{{"kind", kind}};
  if (dice.percent(40)) workload.set("start", ms(dice.spread(1, 3000)));
  const auto direction = [&] { workload.set("direction", std::string(dice.one_of({"up", "down"}))); };
  if (kind == "bulk") {
    workload.set("bytes", fmt::format("{}kB", dice.spread(1, 3000)));
    if (dice.percent(50)) workload.set("streams", fmt::format("{}", dice.spread(1, 40)));
    direction();
  } else if (kind == "requests") {
    workload.set("count", fmt::format("{}", dice.spread(1, 200)));
    workload.set("concurrency", fmt::format("{}", dice.spread(1, 40)));
    workload.set("request", fmt::format("{}B", dice.spread(1, 5000)));
    workload.set("response", fmt::format("{}B", dice.spread(1, 10'000)));
  } else if (kind == "datagrams") {
    workload.set("rate", kbits(dice.spread(20, 2000)));
    workload.set("size", fmt::format("{}B", dice.between(24, 1100)));
    workload.set("for", ms(dice.between(500, 5000)));
    if (dice.percent(30)) workload.set("lifetime", ms(dice.spread(5, 500)));
    direction();
  } else if (kind == "inner_tcp") {
    workload.set("bytes", fmt::format("{}kB", dice.spread(10, 400)));
    if (dice.percent(50)) workload.set("flows", fmt::format("{}", dice.between(1, 4)));
    direction();
  } else if (kind == "video") {
    workload.set("rate", kbits(dice.spread(100, 1500)));
    workload.set("segment", ms(dice.between(200, 1000)));
    workload.set("for", ms(dice.between(2000, 6000)));
  } else {
    workload.set("for", ms(dice.between(500, 9000)));
  }
  return workload;
}

// --- Timeline

constexpr std::size_t kNowhere = SIZE_MAX;

struct Timeline {
  std::size_t paths = 1;
  std::size_t last_path = kNowhere;  // where the next event should happen as well
  std::uint64_t heal_ms = 0;
  bool handshake_disturbed = false;  // then the first path keeps its addresses
};

void draw_switches(Dice& dice, Fields& event, std::string_view verb, bool anchor) {
  const auto direction = [&] {
    if (dice.percent(50)) event.set("direction", std::string(dice.one_of({"up", "down"})));
  };
  if (verb == "outage") {
    event.set("for", ms(dice.spread(20, anchor ? 1000 : 6000)));
    if (dice.percent(40)) event.set("mode", "interface");
  } else if (verb == "flap") {
    event.set("down", ms(dice.spread(5, 300)));
    event.set("up", ms(dice.spread(5, 500)));
    event.set("count", fmt::format("{}", dice.between(2, 5)));
  } else if (verb == "handover") {
    event.set("gap", ms(dice.spread(5, 500)));
    event.set("rate", kbits(dice.spread(anchor ? 1000 : 200, 50'000)));
    if (dice.percent(50)) event.set("delay", ms(dice.spread(1, 200)));
    if (dice.percent(30)) event.set("rebind", "off");
  } else if (verb == "set_rate") {
    event.set("value", kbits(dice.spread(anchor ? 1000 : 100, 50'000)));
    direction();
  } else if (verb == "set_delay") {
    event.set("value", ms(dice.spread(1, 300)));
    direction();
  } else if (verb == "set_loss") {
    event.set("value", tenths_percent(dice.spread(1, anchor ? 80 : 500)));
    direction();
  } else if (verb == "silent_death" || verb == "reorder_burst") {
    if (verb == "reorder_burst") event.set("for", ms(dice.spread(1, 100)));
    direction();
  } else if (verb == "drop_datagrams") {
    event.set("nth", fmt::format("{}", dice.spread(1, 40)));
    if (dice.percent(50)) event.set("count", fmt::format("{}", dice.spread(1, 16)));
    direction();
  } else if (verb == "socket_error") {
    const auto failure = dice.one_of({"too_big", "unreachable", "refused", "would_block"});
    event.set("value", std::string(failure));
    if (failure == "would_block" || dice.percent(50)) event.set("for", ms(dice.spread(1, 1000)));
    if (failure != "would_block" && dice.percent(40)) event.set("side", "server");
  }
}

[[nodiscard]] bool moves(std::string_view verb) {
  return verb == "nat_rebind" || verb == "handover" || verb == "address_change";
}

[[nodiscard]] Fields draw_event(Dice& dice, std::uint64_t at, const Timeline& timeline) {
  static constexpr std::string_view kAnywhere[] = {
      "outage",        "flap",           "handover",       "set_rate",    "set_delay",  "set_loss",     "nat_rebind",
      "nat_rebind",    "migrate_path",   "migrate_path",   "path_status", "open_path",  "socket_error", "reorder_burst",
      "reorder_burst", "drop_datagrams", "drop_datagrams", "key_update",  "clock_jump", "migrate_path"};
  // What may end a path for good happens to the others, so that a way is always left.
  static constexpr std::string_view kElsewhere[] = {"abandon_path", "abandon_path",   "silent_death",
                                                    "silent_death", "address_change", "link_down",
                                                    "link_up",      "outage",         "open_path"};
  const bool elsewhere = timeline.paths > 1 && dice.percent(45);
  std::size_t path = timeline.paths == 1 ? 0 : dice.between(elsewhere ? 1 : 0, timeline.paths - 1);
  if (timeline.last_path != kNowhere && (timeline.last_path > 0 || !elsewhere)) path = timeline.last_path;
  std::string verb(elsewhere ? dice.one_of(kElsewhere) : dice.one_of(kAnywhere));
  // RFC 9000 §9: "The design of QUIC relies on endpoints retaining a stable address for the duration of the handshake."
  if (path == 0 && timeline.handshake_disturbed && moves(verb)) verb = "outage";
  if (path == 0 && !timeline.handshake_disturbed) at += kHandshakeMs;
  Fields event{{"at", ms(at)}, {"do", verb}};
  if (verb == "key_update" || verb == "clock_jump") {
    event.set("side", std::string(dice.one_of({"client", "server"})));
    if (verb == "clock_jump")
      event.set("value", fmt::format("{}{}ms", dice.percent(50) ? "-" : "", dice.spread(1, 2000)));
    return event;
  }
  event.set("path", fmt::format("p{}", path));
  if (verb == "abandon_path" || verb == "migrate_path" || verb == "path_status") event.set("if_open", "on");
  if (verb == "path_status") event.set("value", std::string(dice.one_of({"available", "backup"})));
  draw_switches(dice, event, verb, path == 0);
  return event;
}

/// How the connection ends before its time, in a few runs.
void draw_end(Dice& dice, Case& drawn, const Timeline& timeline) {
  const bool restart = dice.percent(50);
  // A server that restarts while the handshake goes on just begins it again.
  const std::uint64_t at = dice.between(1, timeline.heal_ms) + (restart ? kHandshakeMs : 0);
  Fields event{{"at", ms(at)}, {"do", restart ? "peer_restart" : "close"}};
  if (!restart) event.set("side", std::string(dice.one_of({"client", "server"})));
  drawn.events.push_back(event);
  drawn.asserts.set("closed", "{side: client}");
}

[[nodiscard]] std::optional<std::size_t> path_of(const Case& drawn, const Fields& event) {
  for (std::size_t i = 0; i < drawn.paths.size(); ++i)
    if (drawn.paths[i].get("name") == event.get("path")) return i;
  return std::nullopt;
}

void draw_timeline(Dice& dice, Case& drawn) {
  Timeline timeline{.paths = drawn.paths.size(),
                    .last_path = kNowhere,
                    .heal_ms = dice.between(1500, 9000),
                    .handshake_disturbed = dice.percent(40)};
  const std::uint64_t count = dice.percent(10) ? 0 : dice.spread(1, kMaxEvents);
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    // Often soon after another: what matters is what happens at the same time.
    const bool soon = i > 0 && dice.percent(45);
    const std::uint64_t at = soon ? last + dice.spread(1, 60) : dice.spread(4, timeline.heal_ms - 1);
    last = std::min(at, timeline.heal_ms - 1);
    const bool there_again = soon && dice.percent(60);
    timeline.last_path = there_again ? path_of(drawn, drawn.events.back()).value_or(kNowhere) : kNowhere;
    drawn.events.push_back(draw_event(dice, last, timeline));
  }
  // A client that only listens does not notice that its NAT forgot it: whoever lives behind one sends keep-alives.
  const bool rebinds = std::ranges::any_of(drawn.events, [](const Fields& event) { return moves(event.get("do")); });
  if (rebinds && drawn.endpoints.get("keep_alive").empty())
    drawn.endpoints.set("keep_alive", ms(dice.between(500, 5000)));
  if (dice.percent(4)) draw_end(dice, drawn, timeline);
  std::uint64_t heal = timeline.heal_ms;
  for (const Fields& event : drawn.events) heal = std::max(heal, end_of(event));
  heal_at(drawn, heal);
}

}  // namespace

Case draw(std::uint64_t seed, const DrawOptions& options) {
  Dice dice(seed);
  Case drawn;
  drawn.seed = seed;
  drawn.top = {{"name", fmt::format("swarm-{}", seed)}, {"protects", "what the swarm found with this seed"}};
  drawn.top.set("crypto", std::string(name_of(options.crypto)));
  drawn.top.set("max_stall", "120s");
  const std::uint64_t paths = dice.percent(12) ? 1 : dice.between(2, dice.percent(30) ? kMaxPaths : 4);
  for (std::uint64_t i = 0; i < paths; ++i) drawn.paths.push_back(draw_path(dice, i));
  drawn.endpoints = draw_endpoints(dice);
  if (options.bug != InjectedBug::none) drawn.endpoints.set("inject", std::string(name_of(options.bug)));
  for (std::uint64_t i = dice.between(1, 3); i > 0; --i) drawn.workloads.push_back(draw_workload(dice));
  drawn.asserts = {{"refused_paths", "on"}};
  draw_timeline(dice, drawn);
  return drawn;
}

}  // namespace mpquic::sim::swarm
