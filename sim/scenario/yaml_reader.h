// Strict reading of YAML maps: every key must be known, every value must parse, and the first error says where it is,
// what the key is, and what was expected. yaml-cpp's exceptions end here.
#pragma once

#include <yaml-cpp/yaml.h>

#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/units.h"

namespace mpquic::sim {

/// "a, b, c"
[[nodiscard]] std::string listed(std::span<const std::string_view> words);

/// As much of a value as fits into a message of one line.
[[nodiscard]] std::string shortened(const std::string& text);

/// Of a document's text. The largest scenario here has a hundredth of it.
inline constexpr std::size_t kMaxYamlBytes = std::size_t{1} << 20;

struct MalformedYaml {
  int line = 0;  // from 0
  std::string what;
};

/// The one document that `text` has. Aliases make trees without end out of few bytes: what unfolds to more nodes or
/// levels than a person would write is refused before anybody walks through it.
[[nodiscard]] std::expected<YAML::Node, MalformedYaml> load_yaml(const std::string& text);

/// One document. Keeps the first error; after it, everything reads as absent.
class YamlDocument {
 public:
  YamlDocument(std::string source, const std::string& text, const std::vector<std::string>& overrides);
  [[nodiscard]] const YAML::Node& root() const { return root_; }
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] const std::optional<std::string>& error() const { return error_; }
  [[nodiscard]] std::string text() const;
  /// Asks `replace` about every scalar, with its dotted path, and takes what it gives.
  void replace_scalars(
      const std::function<std::optional<std::string>(const std::string& key, const std::string& text)>& replace);
  /// The override, by its own dotted path, that the value there comes from; null: the file says it.
  [[nodiscard]] const std::string* override_of(std::string_view where) const;
  /// `where` is the dotted path of the key at fault.
  void fail(const YAML::Node& node, const std::string& where, std::string_view what);

 private:
  void override_value(const std::string& assignment);
  void assign(const std::string& path, const YAML::Node& value);
  [[nodiscard]] std::string location(const YAML::Node& node, const std::string& where) const;

  std::string source_;
  YAML::Node root_;
  std::vector<std::string> overridden_;  // dotted paths
  std::optional<std::string> error_;
};

/// One map of the document. Ask for every key that may be there, then call finish().
class YamlMap {
 public:
  YamlMap(YamlDocument& document, const YAML::Node& node, std::string where);

  [[nodiscard]] bool has(const char* key);
  [[nodiscard]] bool has_map(const char* key);
  void require(const char* key, std::string_view what);
  /// The key is there because of an override.
  [[nodiscard]] bool overridden(const char* key) const { return document_.override_of(path_of(key)) != nullptr; }
  /// Stores the value if the key is there.
  template <class T>
  void read(const char* key, Parsed<T> (*parse)(std::string_view), T& out) {
    if (const auto value = parsed(key, parse)) out = *value;
  }
  template <class T>
  void read(const char* key, Parsed<T> (*parse)(std::string_view), std::optional<T>& out) {
    if (const auto value = parsed(key, parse)) out = *value;
  }
  void read(const char* key, std::string& out);
  /// A list of words.
  void read(const char* key, std::vector<std::string>& out);
  /// Calls `each` for every map in the list under `key`.
  void each(const char* key, const std::function<void(YamlMap&, std::size_t)>& each);
  /// Calls `inside` with the map under `key`, if it is there.
  void map(const char* key, const std::function<void(YamlMap&)>& inside);
  /// Refuses the keys that nobody asked for.
  void finish();
  void fail(const char* key, std::string_view what);
  [[nodiscard]] bool ok() const { return !document_.failed(); }

 private:
  [[nodiscard]] std::optional<std::string> scalar(const char* key);
  /// For what was meant as a range, and is none.
  [[nodiscard]] static std::string range_hint(std::string_view text);
  /// A key of the map that may be a misspelt `key`.
  [[nodiscard]] YAML::Node similar_to(std::string_view key) const;
  [[nodiscard]] bool is_null(const char* key);
  [[nodiscard]] YAML::Node child(const char* key);
  [[nodiscard]] std::string path_of(std::string_view key) const;
  template <class T>
  [[nodiscard]] std::optional<T> parsed(const char* key, Parsed<T> (*parse)(std::string_view)) {
    // YAML reads a plain `null` as the absence of a value, but for some keys it is one.
    if (const auto null = parse("null"); null && is_null(key)) return *null;
    const auto text = scalar(key);
    if (!text) return std::nullopt;
    const auto value = parse(*text);
    if (value) return *value;
    fail(key, "expected " + std::string(value.error()) + ", got '" + shortened(*text) + "'" + range_hint(*text));
    return std::nullopt;
  }

  YamlDocument& document_;
  YAML::Node node_;
  std::string where_;
  std::vector<std::string> known_;
};

}  // namespace mpquic::sim
