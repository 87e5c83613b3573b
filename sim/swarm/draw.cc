// What a seed means. Everything is drawn from one stream, as text that a scenario file could have: the network in
// draw_links.cc, what happens in draw_events.cc, options and workloads here.
#include "sim/swarm/draw.h"
#include "stack/cc/congestion_controller.h"
#include "stack/redundancy/duplication.h"
#include "stack/redundancy/reinjection.h"
#include "stack/sched/scheduler.h"

namespace mpquic::sim::swarm {
namespace {

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
  if (dice.percent(10)) side.set("idle_timeout", ms(dice.between(20'000, 60'000)));
  if (dice.percent(10)) side.set("handshake_timeout", ms(dice.between(30'000, 60'000)));
  if (dice.percent(10)) side.set("address_advertisement", "on");
  if (dice.percent(4)) side.set("active_migration", "off");
  if (dice.percent(15)) side.set("max_datagram_size", fmt::format("{}B", dice.between(1200, 1500)));
  if (dice.percent(60)) side.set("buggify", tenths_percent(dice.spread(1, 100)));
}

}  // namespace

Fields draw_endpoints(Dice& dice) {
  Fields endpoints{{"handshake_timeout", "60s"}, {"idle_timeout", "60s"}};
  draw_core(dice, endpoints);
  if (dice.percent(6)) endpoints.set("multipath", "off");
  if (dice.percent(10)) endpoints.set("retry", "on");
  if (dice.percent(8)) endpoints.set("certificate_chain", fmt::format("{}kB", dice.spread(2, 50)));
  if (!dice.percent(25)) return endpoints;
  Fields server;
  draw_core(dice, server);
  if (!server.empty()) endpoints.set("server", flow_map(server));
  return endpoints;
}

Fields draw_workload(Dice& dice) {
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

Case draw(std::uint64_t seed, const DrawOptions& options) {
  Dice dice(seed);
  Case drawn;
  drawn.seed = seed;
  drawn.top = {{"name", fmt::format("swarm-{}", seed)}, {"protects", "what the swarm found with this seed"}};
  drawn.top.set("crypto", std::string(name_of(options.crypto)));
  drawn.top.set("max_stall", "120s");
  const bool steady_start = draw_topology(dice, drawn);
  drawn.endpoints = draw_endpoints(dice);
  if (options.bug != InjectedBug::none) drawn.endpoints.set("inject", std::string(name_of(options.bug)));
  for (std::uint64_t i = dice.between(1, 3); i > 0; --i) drawn.workloads.push_back(draw_workload(dice));
  drawn.asserts = {{"refused_paths", "on"}};
  // A flight of so many packets is acknowledged, lost and repeated for longer than that of one.
  const bool quick_start = steady_start && drawn.endpoints.get("certificate_chain").empty();
  draw_timeline(dice, drawn, quick_start);
  return drawn;
}

}  // namespace mpquic::sim::swarm
