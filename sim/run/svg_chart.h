// Line charts as SVG: panels over one time axis. Colours that people with colour-blindness tell apart (Okabe and Ito),
// every axis with its unit, and text for screen readers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace mpquic::sim {

struct ChartSeries {
  std::string name;         // for the legend; series of equal names in several panels have one entry
  std::size_t look = 0;     // colour and dashes
  std::vector<double> x{};  // seconds
  std::vector<double> y{};  // NaN: a gap in the line
};

struct ChartPanel {
  std::string title;  // with the unit
  std::vector<ChartSeries> series;
};

/// Something that happened, as a line through all panels.
struct ChartMark {
  double at_s = 0;
  std::string text;
};

struct Chart {
  std::string title;
  std::string summary;  // one sentence below the title
  double seconds = 0;   // of the time axis
  std::vector<ChartPanel> panels;
  std::vector<ChartMark> marks;  // in order of time
};

[[nodiscard]] std::string to_svg(const Chart& chart);

}  // namespace mpquic::sim
