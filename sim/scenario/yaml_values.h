// Numbers and sizes of scenario files, into the types that the configurations use.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <span>
#include <string>

#include "sim/scenario/yaml_reader.h"
#include "stack/base/time.h"

namespace mpquic::sim {

inline constexpr std::size_t kMaxPaths = 64;

template <class T>
void read_count(YamlMap& map, const char* key, T& out) {
  std::uint64_t value = out;
  map.read(key, parse_count, value);
  if (value > std::numeric_limits<T>::max()) map.fail(key, fmt::format("{} is too many", value));
  out = static_cast<T>(value);
}

inline void read_bytes(YamlMap& map, const char* key, std::uint64_t& out) {
  ByteCount value(out);
  map.read(key, parse_size, value);
  out = value.value();
}

inline void read_size(YamlMap& map, const char* key, std::size_t& out) {
  std::uint64_t value = out;
  read_bytes(map, key, value);
  out = value;
}

inline void check_range(YamlMap& map, const char* key, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
  if (value < least || value > most) map.fail(key, fmt::format("expected {} to {}, got {}", least, most, value));
}

inline void check_time(YamlMap& map, const char* key, Duration value, Duration least, Duration most = Duration::max()) {
  if (value < least) map.fail(key, fmt::format("expected at least {} us", least.count() / 1000));
  if (value > most) map.fail(key, fmt::format("expected at most {} ms", most.count() / 1'000'000));
}

/// A name becomes part of the names of files, and of keys: one word, that begins with a letter or a digit.
inline void check_word(YamlMap& map, const char* key, const std::string& word) {
  const auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const auto fits = [&](char c) { return is_plain(c) || c == '-' || c == '_' || c == '.'; };
  if (word.empty() || !is_plain(word.front()) || !std::ranges::all_of(word, fits))
    map.fail(key, fmt::format("expected a word of letters, digits, '-', '_' and '.', got '{}'", word));
}

/// `key` names one of a known set of parts.
inline void read_name(YamlMap& map, const char* key, std::span<const std::string_view> names, std::string& out) {
  map.read(key, out);
  if (std::ranges::find(names, out) == names.end())
    map.fail(key, fmt::format("expected one of {}, got '{}'", listed(names), out));
}

}  // namespace mpquic::sim
