// "50Mbit/s", "20ms", "256KiB", "2%": values as people write them. A value without a unit is an error.
#pragma once

#include <expected>
#include <string_view>

#include "stack/base/bandwidth.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic::sim {

/// The error says what was expected, for "key 'x': expected ..., got 'y'".
template <class T>
using Parsed = std::expected<T, std::string_view>;

[[nodiscard]] Parsed<Bandwidth> parse_rate(std::string_view text);       // bit/s kbit/s Mbit/s Gbit/s; above zero
[[nodiscard]] Parsed<Duration> parse_duration(std::string_view text);    // ns us ms s min; not negative
[[nodiscard]] Parsed<ByteCount> parse_size(std::string_view text);       // B kB MB GB KiB MiB GiB
[[nodiscard]] Parsed<double> parse_probability(std::string_view text);   // 0% .. 100%
[[nodiscard]] Parsed<double> parse_ratio(std::string_view text);         // a number or a percentage, not negative
[[nodiscard]] Parsed<std::uint64_t> parse_count(std::string_view text);  // a whole number without a unit
[[nodiscard]] Parsed<bool> parse_switch(std::string_view text);          // on off true false yes no

}  // namespace mpquic::sim
