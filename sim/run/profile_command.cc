#include "sim/run/profile_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/base/standard_output.h"
#include "sim/run/probe.h"
#include "sim/run/svg_chart.h"
#include "sim/scenario/profile.h"
#include "sim/scenario/scenario_files.h"
#include "sim/scenario/scenario_loader.h"
#include "sim/trace/output_file.h"

namespace mpquic::sim {
namespace {

constexpr double kQuantiles[] = {0.05, 0.25, 0.5, 0.75, 0.95};

[[nodiscard]] std::string unknown_profile(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& file : profile_files()) known.push_back(file.stem().string());
  return fmt::format("{}: neither a file nor a profile{}", name,
                     known.empty() ? "; none is to be found" : fmt::format(": those are {}", fmt::join(known, ", ")));
}

[[nodiscard]] std::string table_row(const char* title, const std::vector<double>& samples) {
  std::string row = fmt::format("  {:<12}", title);
  for (const double q : kQuantiles) row += fmt::format("{:>9.2f}", quantile(samples, q));
  double sum = 0;
  for (const double sample : samples) sum += sample;
  return row + fmt::format("{:>9.2f}{:>9.2f}\n", samples.empty() ? 0 : sum / static_cast<double>(samples.size()),
                           quantile(samples, 1));
}

[[nodiscard]] std::string gap_line(const char* title, const DirectionProbe& probe, Duration length) {
  return fmt::format(
      "  {:<12}{:.2f} % lost on the line; {:.1f} gaps over {} ms a minute, median {:.0f}, longest {:.0f} ms\n", title,
      probe.loss * 100, static_cast<double>(probe.gaps_ms.size()) * 60 / to_seconds(length),
      kProbeGap / std::chrono::milliseconds(1), quantile(probe.gaps_ms, 0.5), quantile(probe.gaps_ms, 1));
}

[[nodiscard]] std::string to_text(const Profile& profile, const PathProbe& probe, std::uint64_t seed) {
  std::string text = fmt::format("{}: {}\n  seed {}, {:.0f} s\n\n  {:<12}", profile.name, profile.description, seed,
                                 to_seconds(probe.length), "");
  for (const double q : kQuantiles) text += fmt::format("{:>9}", fmt::format("p{:.0f}", q * 100));
  text += fmt::format("{:>9}{:>9}\n", "mean", "max");
  text += table_row("down Mbit/s", probe.down.mbps) + table_row("up Mbit/s", probe.up.mbps);
  text += table_row("RTT ms", probe.rtt_ms) + "\n";
  text += gap_line("down", probe.down, probe.length) + gap_line("up", probe.up, probe.length);
  text += fmt::format("  {:<12}{:.2f} % of round trips lost\n\n", "idle", probe.round_trip_loss * 100);
  for (const ProfileValue& value : profile.values)
    text += fmt::format("  {:<18} {}\n  {:<18}   {}\n", value.key, value.value, "", value.source);
  return text;
}

[[nodiscard]] nlohmann::json to_json(const DirectionProbe& probe) {
  return {{"mbps", probe.mbps}, {"mean_mbps", probe.mean_mbps}, {"loss", probe.loss}, {"gaps_ms", probe.gaps_ms}};
}

[[nodiscard]] std::string to_json(const Profile& profile, const PathProbe& probe, std::uint64_t seed) {
  nlohmann::json out{{"profile", profile.name},
                     {"seed", seed},
                     {"duration_s", to_seconds(probe.length)},
                     {"bin_s", to_seconds(kProbeBin)},
                     {"down", to_json(probe.down)},
                     {"up", to_json(probe.up)},
                     {"rtt_at_s", probe.rtt_at_s},
                     {"rtt_ms", probe.rtt_ms},
                     {"round_trip_loss", probe.round_trip_loss}};
  for (const ProfileValue& value : profile.values)
    out["values"].push_back({{"key", value.key}, {"value", value.value}, {"source", value.source}});
  return out.dump(1) + "\n";
}

[[nodiscard]] std::string to_svg(const Profile& profile, const PathProbe& probe, std::uint64_t seed) {
  std::vector<double> bins;
  for (std::size_t i = 0; i < probe.down.mbps.size(); ++i)
    bins.push_back((static_cast<double>(i) + 0.5) * to_seconds(kProbeBin));
  Chart chart{.title = fmt::format("{}, seed {}", profile.name, seed),
              .summary = profile.description,
              .seconds = to_seconds(probe.length)};
  const auto add_panel = [&](const char* title, const std::vector<double>& x, const std::vector<double>& y) {
    const std::size_t look = chart.panels.size();
    chart.panels.push_back({.title = title, .series = {{.name = {}, .look = look, .x = x, .y = y}}});
  };
  add_panel("Down, saturated: Mbit/s in 100 ms", bins, probe.down.mbps);
  add_panel("Up, saturated: Mbit/s in 100 ms", bins, probe.up.mbps);
  add_panel("Round trip, idle: ms", probe.rtt_at_s, probe.rtt_ms);
  return to_svg(chart);
}

}  // namespace

std::expected<std::string, std::string> describe_profile(const ProfileRequest& request) {
  const auto length = parse_duration(request.duration);
  if (!length || *length < kProbeBin)
    return std::unexpected(fmt::format("--duration {}: expected a time like 60s, at least 100ms", request.duration));
  if (!request.plot.empty() && !request.plot.ends_with(".svg"))
    return std::unexpected(fmt::format("--plot {}: expected a file that ends in .svg", request.plot));
  const bool is_file = std::filesystem::is_regular_file(request.name);
  const std::string file = is_file ? request.name : profile_file(request.name, "");
  if (!std::filesystem::is_regular_file(file)) return std::unexpected(unknown_profile(request.name));
  const auto profile = load_profile(file);
  if (!profile) return std::unexpected(profile.error());
  YAML::Node document;
  document["name"] = "profile";
  document["paths"].push_back(YAML::Clone(profile->plain));
  document["paths"][0]["name"] = "path";
  document["workloads"].push_back(YAML::Load("{kind: bulk, bytes: 1B}"));
  YAML::Emitter text;
  text << document;
  const auto scenario = parse_scenario(text.c_str(), file);
  if (!scenario) return std::unexpected(scenario.error());
  auto json = OptionalOutput::open(request.json);
  if (!json) return std::unexpected(std::move(json).error());
  auto plot = OptionalOutput::open(request.plot);
  if (!plot) return std::unexpected(std::move(plot).error());
  const PathProbe probe = probe_path(scenario->paths[0].config, request.seed, *length);
  if (auto written = json->finish([&] { return to_json(*profile, probe, request.seed); }); !written)
    return std::unexpected(std::move(written).error());
  if (auto written = plot->finish([&] { return to_svg(*profile, probe, request.seed); }); !written)
    return std::unexpected(std::move(written).error());
  return request.json == kStandardOutput ? std::string() : to_text(*profile, probe, request.seed);
}

}  // namespace mpquic::sim
