// The timeline of a seed: operations and faults, and when all of it heals.
#include <algorithm>
#include <optional>

#include "sim/swarm/draw.h"

namespace mpquic::sim::swarm {
namespace {

constexpr std::uint64_t kMaxEvents = 16;
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
    if (dice.percent(60)) event.set("mode", std::string(dice.one_of({"interface", "hold"})));
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
  } else if (verb == "set_mtu") {
    event.set("value", fmt::format("{}B", dice.between(kLeastMtu, kMostMtu)));
    direction();
  } else if (verb == "silent_death" || verb == "reorder_burst") {
    if (verb == "reorder_burst") event.set("for", ms(dice.spread(1, 100)));
    direction();
  } else if (verb == "drop_datagrams") {
    event.set("nth", fmt::format("{}", dice.spread(1, 40)));
    if (dice.percent(50)) event.set("count", fmt::format("{}", dice.spread(1, 16)));
    if (dice.percent(40)) event.set("acks", "on");
    direction();
  } else if (verb == "socket_error") {
    const auto failure = dice.one_of({"too_big", "unreachable", "refused", "would_block", "no_buffers"});
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
      "outage",       "flap",          "handover",      "set_rate",       "set_delay",      "set_loss",
      "nat_rebind",   "nat_rebind",    "migrate_path",  "migrate_path",   "path_status",    "open_path",
      "socket_error", "reorder_burst", "reorder_burst", "drop_datagrams", "drop_datagrams", "key_update",
      "clock_jump",   "migrate_path",  "reset_stream",  "reset_stream",   "stop_sending",   "set_mtu"};
  // What may end a path for good happens to the others, so that a way is always left.
  static constexpr std::string_view kElsewhere[] = {"abandon_path", "abandon_path",   "abandon_path", "silent_death",
                                                    "silent_death", "address_change", "link_down",    "link_up",
                                                    "outage",       "open_path"};
  const bool elsewhere = timeline.paths > 1 && dice.percent(45);
  std::size_t path = timeline.paths == 1 ? 0 : dice.between(elsewhere ? 1 : 0, timeline.paths - 1);
  if (timeline.last_path != kNowhere && (timeline.last_path > 0 || !elsewhere)) path = timeline.last_path;
  std::string verb(elsewhere ? dice.one_of(kElsewhere) : dice.one_of(kAnywhere));
  // RFC 9000 §9: "The design of QUIC relies on endpoints retaining a stable address for the duration of the handshake."
  if (path == 0 && timeline.handshake_disturbed && moves(verb)) verb = "outage";
  if (path == 0 && !timeline.handshake_disturbed) at += kHandshakeMs;
  Fields event{{"at", ms(at)}, {"do", verb}};
  const bool gives_up = verb == "reset_stream" || verb == "stop_sending";
  if (verb == "key_update" || verb == "clock_jump" || gives_up) {
    event.set("side", std::string(dice.one_of({"client", "server"})));
    if (gives_up) event.set("nth", fmt::format("{}", dice.spread(1, 20)));
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
  // Before the handshake is over, a server may have nothing to close, and one that restarts just begins it again.
  const std::string_view how =
      timeline.handshake_disturbed ? "client" : dice.one_of({"client", "server", "restart", "restart"});
  const std::uint64_t at = dice.between(1, timeline.heal_ms) + (how == "client" ? 0 : kHandshakeMs);
  Fields event{{"at", ms(at)}, {"do", how == "restart" ? "peer_restart" : "close"}};
  if (how != "restart") event.set("side", std::string(how));
  drawn.events.push_back(event);
  drawn.asserts.set("closed", "{side: client}");
}

[[nodiscard]] std::optional<std::size_t> path_of(const Case& drawn, const Fields& event) {
  for (std::size_t i = 0; i < drawn.paths.size(); ++i)
    if (drawn.paths[i].get("name") == event.get("path")) return i;
  return std::nullopt;
}

}  // namespace

void draw_timeline(Dice& dice, Case& drawn, bool steady_start) {
  Timeline timeline{.paths = drawn.paths.size(),
                    .last_path = kNowhere,
                    .heal_ms = dice.between(1500, 9000),
                    .handshake_disturbed = dice.percent(40) || !steady_start};
  // A client that is kept waiting for longer than its Retry token lasts is refused, as it must be (RFC 9000 §8.1.2).
  if (timeline.handshake_disturbed) drawn.endpoints.erase("retry");
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
  const auto forgets = [](const Fields& path) { return path.get("nat").find("idle_timeout") != std::string::npos; };
  const bool rebinds = std::ranges::any_of(drawn.paths, forgets) ||
                       std::ranges::any_of(drawn.events, [](const Fields& event) { return moves(event.get("do")); });
  if (rebinds && drawn.endpoints.get("keep_alive").empty())
    drawn.endpoints.set("keep_alive", ms(dice.between(500, 5000)));
  if (dice.percent(4)) draw_end(dice, drawn, timeline);
  std::uint64_t heal = timeline.heal_ms;
  for (const Fields& event : drawn.events) heal = std::max(heal, end_of(event));
  heal_at(drawn, heal);
}

}  // namespace mpquic::sim::swarm
