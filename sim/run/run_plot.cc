#include "sim/run/run_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "sim/run/svg_chart.h"
#include "sim/trace/script_text.h"

namespace mpquic::sim {
namespace {

constexpr Duration kSampleEvery = std::chrono::milliseconds(20);
/// As many points as a line has at most; goodput over less than so many samples is the grain of single packets.
constexpr std::size_t kMostPoints = 300;
constexpr std::size_t kGoodputSamples = 5;
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

/// Before the first sample, the round trip time is only assumed, with half of it as its variance (RFC 9002 §5.3).
[[nodiscard]] bool has_measured(const PathStats& stats) {
  return stats.smoothed_rtt != stats.min_rtt || stats.rtt_variance != stats.smoothed_rtt / 2;
}

}  // namespace

Report RunPlot::drive(Simulation& simulation) {
  const auto began = std::chrono::steady_clock::now();
  simulation.start();
  Instant next{};
  while (simulation.step()) {
    if (simulation.world().now() < next) continue;
    sample(simulation);
    next = simulation.world().now() + kSampleEvery;
  }
  sample(simulation);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  return simulation.finish(wall.count());
}

void RunPlot::sample(Simulation& simulation) {
  const World& world = simulation.world();
  const Direction direction = scenario_.main_direction();
  at_s_.push_back(to_seconds(world.now().time_since_epoch()));
  auto& paths = samples_.emplace_back(world.path_count(), Sample{kNothing, kNothing, kNothing, kNothing});
  for (std::size_t path = 0; path < paths.size(); ++path)
    paths[path].queue_kb = static_cast<double>(world.link(path, direction).queued_bytes()) / 1e3;
  const auto stats_of = [&](Role role) {
    std::vector<PathStats> stats;
    if (const auto connection = simulation.app(role).connection())
      simulation.engine(role).transport().path_stats(*connection, stats);
    return stats;
  };
  const std::vector<PathStats> at_client = stats_of(Role::client);
  const std::vector<PathStats> at_server = stats_of(Role::server);
  const bool up = direction == Direction::up;
  for (const PathStats& client : at_client) {
    const auto path = world.path_of(client.tuple.local);
    const auto server = std::ranges::find(at_server, client.id, &PathStats::id);
    if (!path || server == at_server.end()) continue;
    const PathStats& sender = up ? client : *server;
    const PathStats& receiver = up ? *server : client;
    Sample& to = paths[*path];
    // A path that was opened again is several path IDs: their payload adds up, and the last one counts otherwise.
    to.received = static_cast<double>(receiver.stream_bytes_received) + (std::isnan(to.received) ? 0 : to.received);
    if (sender.abandoned) continue;
    if (has_measured(sender)) to.rtt_ms = to_milliseconds(sender.smoothed_rtt);
    if (sender.congestion_window.value() > 0)
      to.window_kb = static_cast<double>(sender.congestion_window.value()) / 1e3;
  }
}

std::string RunPlot::to_svg(const Report& report) const {
  const std::size_t stride = at_s_.size() / kMostPoints + 1;
  const std::size_t goodput_stride = std::max(stride, std::min(kGoodputSamples, at_s_.size()));
  Chart chart{.title = fmt::format("{}, seed {}", report.scenario, report.seed),
              .summary = fmt::format(
                  "{} in {:.3f} s at {:.2f} Mbit/s, {}; all paths {}", report.completed ? "Complete" : "Not complete",
                  report.completion_s, report.goodput_mbps, report.passed() ? "all checks hold" : "checks are violated",
                  scenario_.main_direction() == Direction::up ? "up (from the client)" : "down (to the client)"),
              .seconds = std::max(1e-3, at_s_.back())};
  const auto add_panel = [&](const char* title, double Sample::*value) {
    ChartPanel& panel = chart.panels.emplace_back(ChartPanel{.title = title});
    for (std::size_t path = 0; path < report.paths.size(); ++path) {
      ChartSeries& series = panel.series.emplace_back(ChartSeries{.name = report.paths[path].name, .look = path});
      const bool rate = value == &Sample::received;
      for (std::size_t i = 0; i < at_s_.size(); i += rate ? goodput_stride : stride) {
        const std::size_t before = i < goodput_stride ? 0 : i - goodput_stride;
        const double seconds = at_s_[i] - at_s_[before];
        // What a new path has received is all since the sample before.
        const double earlier = samples_[before][path].received;
        const double bytes = samples_[i][path].received - (std::isnan(earlier) ? 0 : earlier);
        series.x.push_back(at_s_[i]);
        series.y.push_back(!rate ? samples_[i][path].*value : seconds > 0 ? bytes * 8 / 1e6 / seconds : kNothing);
      }
    }
  };
  add_panel("Goodput, Mbit/s", &Sample::received);
  add_panel("Smoothed round trip time of the sender, ms", &Sample::rtt_ms);
  add_panel("Congestion window of the sender, kB", &Sample::window_kb);
  add_panel("Queue before the link, kB", &Sample::queue_kb);
  for (const ScriptedEvent& event : scenario_.events)
    if (to_seconds(event.at) <= chart.seconds)
      chart.marks.push_back({.at_s = to_seconds(event.at), .text = describe(event, report.paths[event.path].name)});
  return sim::to_svg(chart);
}

}  // namespace mpquic::sim
