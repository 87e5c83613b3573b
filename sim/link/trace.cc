#include "sim/link/trace.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace mpquic::sim {
namespace {

constexpr double kMaxSeconds = 1e6;
constexpr double kMaxMbps = 1e6;
constexpr double kMaxMilliseconds = 1e5;
constexpr std::int64_t kMaxOpportunityMs = 1'000'000'000;

[[nodiscard]] std::string at_line(std::size_t line, const std::string& what) {
  return "line " + std::to_string(line) + ": " + what;
}

/// Hands out lines without surrounding blanks; skips those that say nothing.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  [[nodiscard]] std::optional<std::string_view> next() {
    while (!rest_.empty()) {
      const std::size_t end = std::min(rest_.find('\n'), rest_.size());
      std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      while (!line.empty() && std::string_view(" \t\r").find(line.back()) != line.npos) line.remove_suffix(1);
      while (!line.empty() && std::string_view(" \t").find(line.front()) != line.npos) line.remove_prefix(1);
      if (!line.empty() && line.front() != '#') return line;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

/// Not a number if it is none.
[[nodiscard]] double number_in(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::numeric_limits<double>::quiet_NaN();
  return value;
}

struct Row {
  double seconds = 0;
  double value = 0;
};

[[nodiscard]] std::expected<std::vector<Row>, std::string> parse_rows(std::string_view text, double largest,
                                                                      const std::string& what) {
  std::vector<Row> rows;
  Lines lines(text);
  bool may_be_header = true;
  while (const auto line = lines.next()) {
    const std::size_t comma = std::min(line->find(','), line->size());
    const double seconds = number_in(line->substr(0, comma));
    const double value = number_in(line->substr(std::min(comma + 1, line->size())));
    const bool header = may_be_header && std::isnan(seconds) && std::isnan(value);
    may_be_header = false;
    if (header) continue;
    if (std::isnan(seconds) || !(value >= 0 && value <= largest))
      return std::unexpected(
          at_line(lines.number(), "expected SECONDS," + what + ", got '" + std::string(*line) + "'"));
    const bool in_order = rows.empty() ? seconds == 0 : seconds > rows.back().seconds;
    if (!in_order || seconds > kMaxSeconds)
      return std::unexpected(
          at_line(lines.number(), "times must start at 0 and grow, got '" + std::string(*line) + "'"));
    rows.push_back({.seconds = seconds, .value = value});
  }
  if (rows.empty()) return std::unexpected(at_line(lines.number(), "there are no lines SECONDS," + what));
  return rows;
}

[[nodiscard]] Duration nanoseconds_of(double seconds) { return Duration(std::llround(seconds * 1e9)); }

template <class Value, class Convert>
[[nodiscard]] std::vector<Step<Value>> steps_of(const std::vector<Row>& rows, Convert convert) {
  std::vector<Step<Value>> steps;
  Duration lasts = std::chrono::seconds(1);  // of a single row
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + 1 < rows.size()) lasts = nanoseconds_of(rows[i + 1].seconds) - nanoseconds_of(rows[i].seconds);
    steps.push_back({.lasts = std::max(lasts, Duration(1)), .value = convert(rows[i].value)});
  }
  return steps;
}

}  // namespace

Bandwidth mean_rate(const RateTrace& trace) {
  Duration time{};
  unsigned __int128 bit_nanoseconds = 0;
  for (const auto& step : trace) {
    time += step.lasts;
    bit_nanoseconds += static_cast<unsigned __int128>(step.value.bits_per_second()) *
                       static_cast<unsigned __int128>(step.lasts.count());
  }
  return Bandwidth::from_bits_per_second(
      static_cast<std::uint64_t>(bit_nanoseconds / static_cast<unsigned __int128>(time.count())));
}

Bandwidth mean_rate(const Opportunities& opportunities) {
  return Bandwidth::from_bytes_and_time(ByteCount(opportunities.at.size() * kOpportunityBytes), opportunities.period);
}

Duration mean_delay(const DelayTrace& trace) {
  Duration time{};
  __int128 sum = 0;
  for (const auto& step : trace) {
    time += step.lasts;
    sum += static_cast<__int128>(step.value.count()) * step.lasts.count();
  }
  return Duration(static_cast<std::int64_t>(sum / time.count()));
}

std::expected<RateTrace, std::string> parse_rate_csv(std::string_view text) {
  const auto rows = parse_rows(text, kMaxMbps, "MBIT_PER_SECOND");
  if (!rows) return std::unexpected(rows.error());
  auto trace = steps_of<Bandwidth>(*rows, [](double mbps) {
    return Bandwidth::from_bits_per_second(static_cast<std::uint64_t>(std::llround(mbps * 1e6)));
  });
  if (mean_rate(trace).bits_per_second() == 0) return std::unexpected("line 1: nothing ever passes at these rates");
  return trace;
}

std::expected<DelayTrace, std::string> parse_delay_csv(std::string_view text) {
  const auto rows = parse_rows(text, kMaxMilliseconds, "MILLISECONDS");
  if (!rows) return std::unexpected(rows.error());
  return steps_of<Duration>(*rows, [](double ms) { return nanoseconds_of(ms / 1e3); });
}

std::expected<Opportunities, std::string> parse_mahimahi(std::string_view text) {
  Opportunities out;
  Lines lines(text);
  while (const auto line = lines.next()) {
    std::int64_t ms = -1;
    const auto [end, error] = std::from_chars(line->data(), line->data() + line->size(), ms);
    if (error != std::errc{} || end != line->data() + line->size() || ms < 0 || ms > kMaxOpportunityMs)
      return std::unexpected(at_line(lines.number(), "expected a whole millisecond, got '" + std::string(*line) + "'"));
    const Duration at = std::chrono::milliseconds(ms);
    if (!out.at.empty() && at < out.at.back())
      return std::unexpected(at_line(lines.number(), "times must not go back, got '" + std::string(*line) + "'"));
    out.at.push_back(at);
  }
  if (out.at.empty()) return std::unexpected(at_line(lines.number(), "there are no milliseconds"));
  out.period = out.at.back();
  if (out.period == Duration::zero())
    return std::unexpected(at_line(lines.number(), "the last time is the period and must be above 0"));
  return out;
}

}  // namespace mpquic::sim
