#include "sim/swarm/budget.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mpquic::sim::swarm {
namespace {

/// Backed-off PTOs take up to ten seconds (kMaxPto), and calls, games and videos some themselves.
constexpr std::uint64_t kLeastMs = 90'000;
/// For losses in full queues, slow starts and paths that share what they have.
constexpr double kMargin = 4;
/// Beside cross traffic, at least this much of a rate is ours.
constexpr double kLeastShare = 0.125;

/// What is left of the rate of the first path, in bytes per second.
[[nodiscard]] double rate_of(const Scenario& scenario, Direction direction) {
  const LinkConfig& link = scenario.link(0, direction);
  const BottleneckConfig& bottleneck =
      link.shared_bottleneck ? scenario.common.bottlenecks[*link.shared_bottleneck] : link;
  const auto rate = static_cast<double>(bottleneck.rate.bits_per_second()) / 8;
  if (!bottleneck.cross_traffic) return rate;
  return std::max(kLeastShare * rate, rate - static_cast<double>(bottleneck.cross_traffic->rate.bits_per_second()) / 8);
}

[[nodiscard]] double longest_round_trip(const Scenario& scenario) {
  Duration longest{};
  for (const PathSpec& path : scenario.paths)
    longest = std::max(longest, path.config.up.delay + path.config.down.delay);
  return to_seconds(longest);
}

/// Damaged packets are lost, after a heal too. That limits what a round trip carries to sqrt(3/2 / p) packets (Mathis
/// et al., "The Macroscopic Behavior of the TCP Congestion Avoidance Algorithm", 1997).
[[nodiscard]] double round_trip_bytes(const Scenario& scenario) {
  constexpr double kPacket = 1200;
  double worst = 0;
  for (const PathSpec& path : scenario.paths)
    for (const LinkConfig* link : {&path.config.up, &path.config.down})
      worst = std::max(worst, link->corrupt + link->truncate);
  return worst > 0 ? kPacket * std::sqrt(1.5 / worst) : std::numeric_limits<double>::infinity();
}

/// Windows of the receiver and buffers of the sender, of so many streams at once: what one round trip carries.
[[nodiscard]] double window_of(const ConnectionConfig& from, const ConnectionConfig& to, std::uint64_t streams) {
  const double each = static_cast<double>(std::min(from.send_buffer, to.max_stream_data));
  return std::min(static_cast<double>(to.max_data), each * static_cast<double>(streams));
}

/// Round trips of one workload that wait for each other: the credit of a new stream comes a round trip after the end of
/// an old one.
[[nodiscard]] double round_trips(const WorkloadSpec& workload, const EndpointsSpec& endpoints) {
  const ConnectionConfig& client = endpoints.client.connection;
  const ConnectionConfig& server = endpoints.server.connection;
  if (workload.asks()) {
    const std::uint64_t at_once = std::min(workload.concurrency, server.max_streams_bidi);
    const double each = 2 + static_cast<double>(workload.request_bytes) / window_of(client, server, 1) +
                        static_cast<double>(workload.response_bytes) / window_of(server, client, 1);
    return static_cast<double>(workload.count) * each / static_cast<double>(at_once);
  }
  if (workload.kind != WorkloadKind::bulk) return 0;
  const bool up = workload.direction == Direction::up;
  const ConnectionConfig& from = up ? client : server;
  const ConnectionConfig& to = up ? server : client;
  const std::uint64_t at_once = std::min(workload.streams, to.max_streams_uni);
  return 2 * static_cast<double>(workload.streams) / static_cast<double>(at_once) +
         2 * static_cast<double>(workload.bytes) / window_of(from, to, at_once);
}

}  // namespace

std::uint64_t budget_ms(const Scenario& scenario) {
  double seconds = 0;
  const double up = rate_of(scenario, Direction::up);
  const double down = rate_of(scenario, Direction::down);
  for (const WorkloadSpec& workload : scenario.workloads) {
    const double asked = workload.asks() ? static_cast<double>(workload.count * workload.request_bytes) : 0;
    const double sent = static_cast<double>(workload.bytes + workload.count * workload.reply_bytes());
    seconds += longest_round_trip(scenario) * (asked + sent) / round_trip_bytes(scenario);
    seconds += asked / up + sent / (!workload.asks() && workload.direction == Direction::up ? up : down) +
               longest_round_trip(scenario) * round_trips(workload, scenario.endpoints);
  }
  return kLeastMs + static_cast<std::uint64_t>(1000 * kMargin * seconds);
}

}  // namespace mpquic::sim::swarm
