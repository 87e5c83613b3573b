#include "sim/run/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace mpquic::sim {
namespace {

constexpr double kLeft = 70;
constexpr double kPlotWidth = 860;
constexpr double kWidth = kLeft + kPlotWidth + 30;
constexpr double kPanelHeight = 150;
constexpr double kPanelStep = 210;  // from one panel to the next
constexpr double kLine = 18;
constexpr double kLegendEntry = 150;
constexpr std::size_t kLegendColumns = 6;
/// Marks closer together than this share the first one's number, and more than so many are not listed.
constexpr double kMarkRoom = 16;
constexpr std::size_t kMostListed = 20;
constexpr std::array kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};
constexpr std::array kDashes = {"", " stroke-dasharray='6 3'", " stroke-dasharray='2 2'"};

[[nodiscard]] std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

[[nodiscard]] std::string stroke_of(std::size_t look) {
  return fmt::format("stroke='{}'{}", kColours[look % kColours.size()],
                     kDashes[look / kColours.size() % kDashes.size()]);
}

/// 1, 2 or 5 times a power of ten: between four and ten of them make `most`.
[[nodiscard]] double tick_of(double most) {
  const double power = std::pow(10, std::floor(std::log10(most / 4)));
  for (const double step : {5.0, 2.0})
    if (most / (power * step) >= 4) return power * step;
  return power;
}

[[nodiscard]] std::string tick_text(double value, double tick) {
  return fmt::format("{:.{}f}", value, std::max(0, static_cast<int>(std::ceil(-std::log10(tick) - 1e-9))));
}

[[nodiscard]] double largest(const ChartPanel& panel) {
  double most = 0;
  for (const ChartSeries& series : panel.series)
    for (const double y : series.y)
      if (y > most) most = y;
  return most > 0 ? most : 1;
}

/// A polyline for each stretch without gaps.
[[nodiscard]] std::string lines_of(const ChartSeries& series, double seconds, double bottom, double scale) {
  std::string out;
  std::string points;
  const auto end = [&] {
    if (!points.empty())
      out += fmt::format("<polyline fill='none' {} stroke-width='1.5' points='{}'/>\n", stroke_of(series.look), points);
    points.clear();
  };
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (std::isnan(series.y[i])) {
      end();
      continue;
    }
    points += fmt::format("{:.1f},{:.1f} ", kLeft + kPlotWidth * series.x[i] / seconds, bottom - series.y[i] * scale);
  }
  end();
  return out;
}

[[nodiscard]] std::string panel_of(const ChartPanel& panel, double top, double seconds) {
  const double bottom = top + kPanelHeight;
  const double tick = tick_of(largest(panel));
  const double most = std::ceil(largest(panel) / tick - 1e-9) * tick;
  std::string out =
      fmt::format("<text x='{:.0f}' y='{:.0f}' font-weight='bold'>{}</text>\n", kLeft, top - 7, escaped(panel.title));
  for (int i = 0; i * tick < most + tick / 2; ++i)
    out += fmt::format(
        "<line x1='{0:.0f}' x2='{1:.0f}' y1='{2:.1f}' y2='{2:.1f}' stroke='#ddd'/>"
        "<text x='{3:.0f}' y='{4:.1f}' text-anchor='end'>{5}</text>\n",
        kLeft, kLeft + kPlotWidth, bottom - kPanelHeight * i * tick / most, kLeft - 6,
        bottom - kPanelHeight * i * tick / most + 4, tick_text(i * tick, tick));
  const double step = tick_of(seconds);
  for (int i = 0; i * step <= seconds; ++i)
    out += fmt::format(
        "<line x1='{0:.1f}' x2='{0:.1f}' y1='{1:.0f}' y2='{2:.0f}' stroke='#999'/>"
        "<text x='{0:.1f}' y='{3:.0f}' text-anchor='middle'>{4} s</text>\n",
        kLeft + kPlotWidth * i * step / seconds, bottom, bottom + 4, bottom + 17, tick_text(i * step, step));
  for (const ChartSeries& series : panel.series) out += lines_of(series, seconds, bottom, kPanelHeight / most);
  return out + fmt::format("<rect x='{:.0f}' y='{:.0f}' width='{:.0f}' height='{:.0f}' fill='none' stroke='#999'/>\n",
                           kLeft, top, kPlotWidth, kPanelHeight);
}

[[nodiscard]] std::vector<ChartSeries> legend_of(const Chart& chart) {
  std::vector<ChartSeries> entries;
  for (const ChartPanel& panel : chart.panels)
    for (const ChartSeries& series : panel.series)
      if (!series.name.empty() && std::ranges::find(entries, series.name, &ChartSeries::name) == entries.end())
        entries.push_back({.name = series.name, .look = series.look});
  return entries;
}

[[nodiscard]] std::string draw_legend(const std::vector<ChartSeries>& entries, double top) {
  std::string out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t row = i / kLegendColumns;
    const double x = kLeft + kLegendEntry * static_cast<double>(i % kLegendColumns);
    const double y = top + kLine * static_cast<double>(row);
    out += fmt::format(
        "<line x1='{:.0f}' x2='{:.0f}' y1='{:.0f}' y2='{:.0f}' {} stroke-width='3'/>"
        "<text x='{:.0f}' y='{:.0f}'>{}</text>\n",
        x, x + 24, y - 4, y - 4, stroke_of(entries[i].look), x + 30, y, escaped(entries[i].name));
  }
  return out;
}

/// Through all panels, with numbers above the first one and what they mean below the last one.
[[nodiscard]] std::string draw_marks(const Chart& chart, double top, double bottom) {
  std::string out;
  double last = -kMarkRoom;
  for (std::size_t i = 0; i < chart.marks.size(); ++i) {
    const double x = kLeft + kPlotWidth * chart.marks[i].at_s / chart.seconds;
    out += fmt::format(
        "<line x1='{0:.1f}' x2='{0:.1f}' y1='{1:.0f}' y2='{2:.0f}' stroke='#555' stroke-dasharray='4 4'/>\n", x, top,
        bottom);
    if (x - last < kMarkRoom) continue;
    out += fmt::format("<text x='{:.1f}' y='{:.0f}' text-anchor='middle'>{}</text>\n", x, top - 6, i + 1);
    last = x;
  }
  for (std::size_t i = 0; i < std::min(chart.marks.size(), kMostListed); ++i)
    out += fmt::format("<text x='{:.0f}' y='{:.0f}'>{}: {:.3f} s, {}</text>\n", kLeft,
                       bottom + 40 + kLine * static_cast<double>(i), i + 1, chart.marks[i].at_s,
                       escaped(chart.marks[i].text));
  if (chart.marks.size() > kMostListed)
    out += fmt::format("<text x='{:.0f}' y='{:.0f}'>and {} more</text>\n", kLeft,
                       bottom + 40 + kLine * static_cast<double>(kMostListed), chart.marks.size() - kMostListed);
  return out;
}

}  // namespace

std::string to_svg(const Chart& chart) {
  const auto entries = legend_of(chart);
  const std::size_t rows = (entries.size() + kLegendColumns - 1) / kLegendColumns;
  const double first = 104 + kLine * static_cast<double>(rows);
  const double bottom = first + kPanelStep * (static_cast<double>(chart.panels.size()) - 1) + kPanelHeight;
  const auto listed = static_cast<double>(std::min(chart.marks.size(), kMostListed + 1));
  const double height = bottom + 50 + kLine * listed;
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0:.0f}' height='{1:.0f}' viewBox='0 0 {0:.0f} {1:.0f}' "
      "font-family='sans-serif' font-size='12' fill='#222' role='img'>\n<title>{2}</title>\n<desc>{3}</desc>\n"
      "<rect width='{0:.0f}' height='{1:.0f}' fill='white'/>\n<text x='{4:.0f}' y='28' font-size='17'>{2}</text>\n"
      "<text x='{4:.0f}' y='48'>{3}</text>\n",
      kWidth, height, escaped(chart.title), escaped(chart.summary), kLeft);
  out += draw_legend(entries, 72);
  double top = first;
  for (const ChartPanel& panel : chart.panels) {
    out += panel_of(panel, top, chart.seconds);
    top += kPanelStep;
  }
  return out + draw_marks(chart, first, bottom) + "</svg>\n";
}

}  // namespace mpquic::sim
