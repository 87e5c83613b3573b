#include "sim/scenario/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace mpquic::sim {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array kRates = {Unit{"bit/s", 1}, Unit{"kbit/s", 1e3}, Unit{"Mbit/s", 1e6}, Unit{"Gbit/s", 1e9}};
constexpr std::array kDurations = {Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}, Unit{"min", 6e10}};
constexpr std::array kSizes = {Unit{"B", 1},        Unit{"kB", 1e3},     Unit{"MB", 1e6},    Unit{"GB", 1e9},
                               Unit{"KiB", 0x1p10}, Unit{"MiB", 0x1p20}, Unit{"GiB", 0x1p30}};
/// Whole nanoseconds, bytes and bits that a double still holds exactly.
constexpr double kLargest = 0x1p53;

struct Number {
  double value = 0;
  std::string_view unit;
};

[[nodiscard]] std::optional<Number> split(std::string_view text) {
  Number number;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number.value, std::chars_format::fixed);
  // from_chars() knows "nan" and "inf" as well.
  if (error != std::errc{} || !std::isfinite(number.value) || number.value < 0) return std::nullopt;
  number.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (number.unit.starts_with(' ')) number.unit.remove_prefix(1);
  return number;
}

[[nodiscard]] std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units) {
  const auto number = split(text);
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (number->unit != unit.name) continue;
    const double value = number->value * unit.factor;
    if (value > kLargest) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(value));
  }
  return std::nullopt;
}

}  // namespace

Parsed<Bandwidth> parse_rate(std::string_view text) {
  const auto value = scaled(text, kRates);
  if (!value || *value == 0) return std::unexpected("a rate above zero like 50Mbit/s (bit/s, kbit/s, Mbit/s, Gbit/s)");
  return Bandwidth::from_bits_per_second(*value);
}

Parsed<Duration> parse_duration(std::string_view text) {
  const auto value = scaled(text, kDurations);
  if (!value) return std::unexpected("a time like 20ms (ns, us, ms, s, min)");
  return Duration(static_cast<std::int64_t>(*value));
}

Parsed<ByteCount> parse_size(std::string_view text) {
  const auto value = scaled(text, kSizes);
  if (!value) return std::unexpected("a size like 50MB or 256KiB (B, kB, MB, GB, KiB, MiB, GiB)");
  return ByteCount(*value);
}

Parsed<double> parse_probability(std::string_view text) {
  const auto number = split(text);
  if (!number || number->unit != "%" || number->value > 100) return std::unexpected("a percentage from 0% to 100%");
  return number->value / 100;
}

Parsed<double> parse_ratio(std::string_view text) {
  const auto number = split(text);
  if (number && number->unit == "%") return number->value / 100;
  if (!number || !number->unit.empty()) return std::unexpected("a ratio like 0.9 or 90%");
  return number->value;
}

Parsed<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::unexpected("a whole number without a unit");
  return value;
}

Parsed<bool> parse_switch(std::string_view text) {
  if (text == "on" || text == "true" || text == "yes") return true;
  if (text == "off" || text == "false" || text == "no") return false;
  return std::unexpected("on or off");
}

}  // namespace mpquic::sim
