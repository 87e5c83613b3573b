#include "sim/scenario/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "sim/base/random_streams.h"

namespace mpquic::sim {
namespace {

enum class Kind : std::uint8_t { number, percentage, time, rate, size };

struct Unit {
  std::string_view name;
  Kind kind;
  double factor;
};
constexpr std::array kUnits = {
    Unit{"", Kind::number, 1},       Unit{"%", Kind::percentage, 1},  Unit{"ns", Kind::time, 1},
    Unit{"us", Kind::time, 1e3},     Unit{"ms", Kind::time, 1e6},     Unit{"s", Kind::time, 1e9},
    Unit{"min", Kind::time, 6e10},   Unit{"bit/s", Kind::rate, 1},    Unit{"kbit/s", Kind::rate, 1e3},
    Unit{"Mbit/s", Kind::rate, 1e6}, Unit{"Gbit/s", Kind::rate, 1e9}, Unit{"B", Kind::size, 1},
    Unit{"kB", Kind::size, 1e3},     Unit{"MB", Kind::size, 1e6},     Unit{"GB", Kind::size, 1e9},
    Unit{"KiB", Kind::size, 0x1p10}, Unit{"MiB", Kind::size, 0x1p20}, Unit{"GiB", Kind::size, 0x1p30}};
/// More than this apart, and the order of magnitude is what is drawn.
constexpr double kLogUniformRatio = 10;

struct Value {
  double amount = 0;  // in the smallest unit
  Kind kind = Kind::number;
};

[[nodiscard]] std::optional<Value> parse(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : kUnits)
    if (unit.name == name) return Value{.amount = number * unit.factor, .kind = unit.kind};
  return std::nullopt;
}

/// base^exponent for an exponent in [0, 1), by square roots alone: those are exact in every build, pow() is not.
[[nodiscard]] double power(double base, double exponent) {
  double result = 1;
  double root = base;
  for (int bit = 0; bit < 52 && exponent > 0; ++bit) {
    root = std::sqrt(root);
    exponent *= 2;
    if (exponent < 1) continue;
    result *= root;
    exponent -= 1;
  }
  return result;
}

/// FNV-1a, so that a key has its stream wherever it stands in the file.
[[nodiscard]] std::uint64_t hash_of(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// Values in scenario files have none.
[[nodiscard]] std::string without_exponent(double amount) {
  std::array<char, 512> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed).ptr;
  return {text.data(), end};
}

[[nodiscard]] std::string text_of(double amount, Kind kind) {
  switch (kind) {
    case Kind::number: return without_exponent(amount);
    case Kind::percentage: return without_exponent(amount) + "%";
    case Kind::time: return fmt::format("{:.0f}ns", amount);
    case Kind::rate: return fmt::format("{:.0f}bit/s", amount);
    case Kind::size: return fmt::format("{:.0f}B", amount);
  }
  return {};
}

/// The same in the largest unit that leaves at least one whole.
[[nodiscard]] std::string readable(double amount, Kind kind) {
  const auto in = [&](double factor, std::string_view unit) { return fmt::format("{:.9g}{}", amount / factor, unit); };
  if (kind == Kind::time && amount >= 1e9) return in(1e9, "s");
  if (kind == Kind::time && amount >= 1e6) return in(1e6, "ms");
  if (kind == Kind::time && amount >= 1e3) return in(1e3, "us");
  if (kind == Kind::rate && amount >= 1e6) return in(1e6, "Mbit/s");
  if (kind == Kind::rate && amount >= 1e3) return in(1e3, "kbit/s");
  return text_of(amount, kind);
}

/// Four digits are as much as anybody reads, and hide the last bit of every floating-point operation before.
[[nodiscard]] double rounded(double amount) {
  double value = 0;
  const std::string text = fmt::format("{:.4g}", amount);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::optional<std::string> draw_from_range(std::string_view text, std::string_view key, std::uint64_t seed) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const auto low = parse(text.substr(0, dots));
  const auto high = parse(text.substr(dots + 2));
  if (!low || !high || low->kind != high->kind || low->amount > high->amount) return std::nullopt;
  SeededRng rng(seed, stream_of(Purpose::range, hash_of(key)));
  const bool whole =
      low->kind == Kind::number && std::floor(low->amount) == low->amount && std::floor(high->amount) == high->amount;
  const bool by_magnitude = low->amount > 0 && high->amount > low->amount * kLogUniformRatio;
  const double unit = rng.unit();
  double amount = 0;
  if (by_magnitude)
    amount = low->amount * power(high->amount / low->amount, unit);
  else
    amount = low->amount + (high->amount - low->amount + (whole ? 1 : 0)) * unit;
  if (whole && !by_magnitude)
    amount = std::floor(amount);
  else
    amount = whole ? std::floor(amount + 0.5) : rounded(amount);
  return readable(std::clamp(amount, low->amount, high->amount), low->kind);
}

}  // namespace mpquic::sim
