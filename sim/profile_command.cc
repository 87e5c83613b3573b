#include "sim/profile_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/probe.h"
#include "sim/scenario/profile.h"
#include "sim/scenario/scenario_loader.h"
#include "sim/standard_output.h"

namespace mpquic::sim {
namespace {

constexpr double kQuantiles[] = {0.05, 0.25, 0.5, 0.75, 0.95};

struct Panel {
  std::string title;
  std::vector<double> x;
  std::vector<double> y;
  const char* colour;
};

[[nodiscard]] std::string unknown_profile(const std::string& name, const std::filesystem::path& file) {
  std::vector<std::string> known;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(file.parent_path(), error))
    known.push_back(entry.path().stem().string());
  std::ranges::sort(known);
  return fmt::format("{}: no such file, and {} has {}", name, file.parent_path().string(),
                     known.empty() ? "no profiles" : fmt::format("{}", fmt::join(known, ", ")));
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

[[nodiscard]] std::string svg_panel(const Panel& panel, double top, double seconds) {
  constexpr double kLeft = 60, kWidth = 820, kHeight = 150;
  const double most = std::max(1e-9, *std::ranges::max_element(panel.y) * 1.05);
  std::string out = fmt::format(
      "<text x='{:.0f}' y='{:.0f}' font-weight='bold'>{}</text>\n"
      "<rect x='{:.0f}' y='{:.0f}' width='{:.0f}' height='{:.0f}' fill='none' stroke='#999'/>\n",
      kLeft, top - 6, panel.title, kLeft, top, kWidth, kHeight);
  for (int i = 0; i <= 4; ++i) {
    const double y = top + kHeight * (1 - i / 4.0);
    out += fmt::format(
        "<line x1='{0:.0f}' x2='{1:.0f}' y1='{2:.1f}' y2='{2:.1f}' stroke='#ddd'/>"
        "<text x='{3:.0f}' y='{4:.1f}' text-anchor='end'>{5:.1f}</text>\n",
        kLeft, kLeft + kWidth, y, kLeft - 6, y + 4, most * i / 4);
  }
  for (int i = 0; i <= 6; ++i)
    out += fmt::format("<text x='{:.0f}' y='{:.0f}' text-anchor='middle'>{:.0f} s</text>\n", kLeft + kWidth * i / 6,
                       top + kHeight + 16, seconds * i / 6);
  out += fmt::format("<polyline fill='none' stroke='{}' stroke-width='1' points='", panel.colour);
  for (std::size_t i = 0; i < panel.x.size(); ++i)
    out +=
        fmt::format("{:.1f},{:.1f} ", kLeft + kWidth * panel.x[i] / seconds, top + kHeight * (1 - panel.y[i] / most));
  return out + "'/>\n";
}

[[nodiscard]] std::string to_svg(const Profile& profile, const PathProbe& probe, std::uint64_t seed) {
  std::vector<double> bins;
  for (std::size_t i = 0; i < probe.down.mbps.size(); ++i)
    bins.push_back((static_cast<double>(i) + 0.5) * to_seconds(kProbeBin));
  const Panel panels[] = {{"down, saturated: Mbit/s in 100 ms", bins, probe.down.mbps, "#1f6fb4"},
                          {"up, saturated: Mbit/s in 100 ms", bins, probe.up.mbps, "#2f9e44"},
                          {"round trip, idle: ms", probe.rtt_at_s, probe.rtt_ms, "#c92a2a"}};
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='680' font-family='sans-serif' font-size='11'>\n"
      "<rect width='900' height='680' fill='white'/>\n<text x='60' y='24' font-size='15'>{}, seed {}</text>\n",
      profile.name, seed);
  double top = 60;
  for (const Panel& panel : panels) {
    if (!panel.y.empty()) out += svg_panel(panel, top, to_seconds(probe.length));
    top += 210;
  }
  return out + "</svg>\n";
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
  if (!std::filesystem::exists(file)) return std::unexpected(unknown_profile(request.name, file));
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
  const PathProbe probe = probe_path(scenario->paths[0].config, request.seed, *length);
  if (!request.json.empty() && !write_text(request.json, to_json(*profile, probe, request.seed)))
    return std::unexpected(fmt::format("{}: cannot be written", request.json));
  if (!request.plot.empty() && !write_text(request.plot, to_svg(*profile, probe, request.seed)))
    return std::unexpected(fmt::format("{}: cannot be written", request.plot));
  return request.json == kStandardOutput ? std::string() : to_text(*profile, probe, request.seed);
}

}  // namespace mpquic::sim
