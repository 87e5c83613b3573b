#include "sim/run/svg_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace mpquic::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

[[nodiscard]] std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(SvgChart, LinesHaveGapsWhereThereIsNothing) {
  constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = to_svg(
      {.title = "t",
       .seconds = 4,
       .panels = {{.title = "p", .series = {{.name = "a", .x = {0, 1, 2, 3, 4}, .y = {1, 2, kNothing, 2, 1}}}}}});
  EXPECT_EQ(count(svg, "<polyline"), 2U);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(SvgChart, APanelWithoutValuesIsStillAPanel) {
  const std::string svg =
      to_svg({.title = "t", .seconds = 1, .panels = {{.title = "p, ms", .series = {{.name = "a"}}}}});
  EXPECT_THAT(svg, HasSubstr(">p, ms</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(SvgChart, TextIsText) {
  const std::string svg = to_svg({.title = "<a> & b", .seconds = 1, .panels = {{.title = "p"}}});
  EXPECT_THAT(svg, HasSubstr("&lt;a&gt; &amp; b"));
}

TEST(SvgChart, SeriesOfEqualNamesShareOneLegendEntryAndManyOfThemDiffer) {
  Chart chart{.title = "t", .seconds = 1};
  for (const char* panel : {"p", "q"}) {
    chart.panels.push_back({.title = panel});
    for (std::size_t i = 0; i < 10; ++i)
      chart.panels.back().series.push_back({.name = "path" + std::to_string(i), .look = i, .x = {0, 1}, .y = {1, 1}});
  }
  const std::string svg = to_svg(chart);
  EXPECT_EQ(count(svg, ">path3</text>"), 1U);
  EXPECT_THAT(svg, HasSubstr("stroke='#0072B2' stroke-dasharray"));
}

TEST(SvgChart, MarksAreNumberedAndListedAsFarAsThereIsRoom) {
  Chart chart{.title = "t", .seconds = 100, .panels = {{.title = "p"}}};
  for (int i = 0; i < 100; ++i) chart.marks.push_back({.at_s = 50 + i / 100.0, .text = "it happens"});
  const std::string svg = to_svg(chart);
  EXPECT_EQ(count(svg, "it happens"), 20U);
  EXPECT_THAT(svg, HasSubstr(">1: 50.000 s, it happens<"));
  EXPECT_THAT(svg, HasSubstr("and 80 more"));
  EXPECT_EQ(count(svg, "text-anchor='middle'>1</text>"), 1U);
  EXPECT_THAT(svg, Not(HasSubstr(">2</text>"))) << "no room beside the first";
}

}  // namespace
}  // namespace mpquic::sim
