#include "sim/scenario/yaml_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace mpquic::sim {
namespace {

[[nodiscard]] std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t dot = path.find('.');
    parts.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    path.remove_prefix(dot + 1);
  }
}

[[nodiscard]] bool is_index(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// One line, whatever the parser says.
[[nodiscard]] std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

/// One letter too many, too few, wrong, or two in each other's place.
[[nodiscard]] bool differ_by_one(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  const std::string_view rest_a(in_a, a.end());
  const std::string_view rest_b(in_b, b.end());
  if (rest_a.empty() && rest_b.empty()) return false;
  const auto after = [](std::string_view text, std::size_t n) { return text.substr(std::min(n, text.size())); };
  const bool swapped = rest_a.size() > 1 && rest_b.size() > 1 && rest_a[0] == rest_b[1] && rest_a[1] == rest_b[0];
  return after(rest_a, 1) == rest_b || rest_a == after(rest_b, 1) || after(rest_a, 1) == after(rest_b, 1) ||
         (swapped && after(rest_a, 2) == after(rest_b, 2));
}

/// Unfolded. The largest scenario here has a hundredth of it.
constexpr std::size_t kMaxNodes = 100'000;
constexpr std::size_t kMaxDepth = 64;

/// Counts the nodes below `node`, aliases as often as they are used; gives the first one that is too many, or too deep.
[[nodiscard]] std::optional<MalformedYaml> find_excess(const YAML::Node& node, std::size_t depth, std::size_t& nodes) {
  if (depth > kMaxDepth)
    return MalformedYaml{node.Mark().line, fmt::format("nested or aliased more than {} levels deep", kMaxDepth)};
  if (++nodes > kMaxNodes)
    return MalformedYaml{node.Mark().line, fmt::format("more than {} values, aliases unfolded", kMaxNodes)};
  if (!node.IsMap() && !node.IsSequence()) return std::nullopt;
  for (const auto& entry : node) {
    // Of a sequence, the entry is the value itself.
    for (const YAML::Node& below :
         node.IsMap() ? std::vector<YAML::Node>{entry.first, entry.second} : std::vector<YAML::Node>{entry})
      if (auto excess = find_excess(below, depth + 1, nodes)) return excess;
  }
  return std::nullopt;
}

}  // namespace

std::expected<YAML::Node, MalformedYaml> load_yaml(const std::string& text) {
  if (text.size() > kMaxYamlBytes)
    return std::unexpected(MalformedYaml{0, fmt::format("larger than {} bytes", kMaxYamlBytes)});
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.empty()) return YAML::Node();
    if (documents.size() > 1)
      return std::unexpected(
          MalformedYaml{documents[1].Mark().line, "expected one YAML document, here begins a second"});
    std::size_t nodes = 0;
    if (auto excess = find_excess(documents.front(), 0, nodes)) return std::unexpected(*std::move(excess));
    return documents.front();
  } catch (const YAML::Exception& error) {
    return std::unexpected(MalformedYaml{std::max(error.mark.line, 0), "not YAML: " + one_line(error.msg)});
  }
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out.append(", ");
    out.append(word);
  }
  return out;
}

std::string shortened(const std::string& text) {
  constexpr std::size_t kMost = 120;
  return one_line(text.size() <= kMost ? text : text.substr(0, kMost) + "...");
}

YamlDocument::YamlDocument(std::string source, const std::string& text, const std::vector<std::string>& overrides)
    : source_(std::move(source)) {
  const auto document = load_yaml(text);
  if (!document) {
    error_ = fmt::format("{}:{}: {}", source_, document.error().line + 1, document.error().what);
    return;
  }
  root_.reset(*document);
  if (!root_.IsMap()) fail(root_, "", "expected a map of keys");
  for (const std::string& assignment : overrides)
    if (!failed()) override_value(assignment);
}

void YamlDocument::override_value(const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    error_ = fmt::format("--set {}: expected KEY=VALUE, like paths.0.rate=5Mbit/s", assignment);
    return;
  }
  const auto value = load_yaml(assignment.substr(equals + 1));
  if (!value) {
    error_ = fmt::format("--set {}: {}", shortened(assignment), value.error().what);
    return;
  }
  try {
    assign(assignment.substr(0, equals), *value);
  } catch (const YAML::Exception& error) {
    error_ = fmt::format("--set {}: {}", shortened(assignment), one_line(error.msg));
  }
}

void YamlDocument::assign(const std::string& path, const YAML::Node& value) {
  YAML::Node at = root_;
  const auto refuse = [&](std::string_view what) { error_ = fmt::format("--set {}: {}", shortened(path), what); };
  const std::vector<std::string> parts = split_path(path);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    if (at.IsScalar()) return refuse(fmt::format("'{}' is a plain value, it has no keys", parts[i - 1]));
    if (at.IsSequence()) {
      if (!is_index(parts[i]) || parts[i].size() > 6 || std::stoul(parts[i]) >= at.size())
        return refuse(fmt::format("'{}' is no index into a list of {}", parts[i], at.size()));
      const std::size_t index = std::stoul(parts[i]);
      if (last)
        at[index] = value;
      else
        at.reset(at[index]);
    } else if (last) {
      at[parts[i]] = value;
    } else {
      at.reset(at[parts[i]]);
    }
  }
  overridden_.push_back(path);
}

std::string YamlDocument::text() const {
  YAML::Emitter out;
  out << root_;
  return out.c_str();
}

void YamlDocument::replace_scalars(
    const std::function<std::optional<std::string>(const std::string&, const std::string&)>& replace) {
  const std::function<void(YAML::Node, const std::string&)> visit = [&](YAML::Node node, const std::string& where) {
    if (node.IsScalar()) {
      // In place: the node keeps its line for messages.
      if (const auto value = replace(where, node.Scalar())) node = *value;
    } else if (node.IsSequence()) {
      for (std::size_t i = 0; i < node.size(); ++i) visit(node[i], fmt::format("{}.{}", where, i));
    } else if (node.IsMap()) {
      for (auto entry : node)
        if (entry.first.IsScalar())
          visit(entry.second, where.empty() ? entry.first.Scalar() : where + "." + entry.first.Scalar());
    }
  };
  visit(root_, "");
}

const std::string* YamlDocument::override_of(std::string_view where) const {
  const auto found = std::ranges::find_if(
      overridden_, [&](const std::string& path) { return where == path || where.starts_with(path + "."); });
  return found == overridden_.end() ? nullptr : &*found;
}

std::string YamlDocument::location(const YAML::Node& node, const std::string& where) const {
  if (const std::string* path = override_of(where)) return "--set " + *path;
  const int line = node.IsDefined() ? node.Mark().line : -1;
  return line < 0 ? source_ : fmt::format("{}:{}", source_, line + 1);
}

void YamlDocument::fail(const YAML::Node& node, const std::string& where, std::string_view what) {
  if (error_) return;
  error_ = where.empty() ? fmt::format("{}: {}", location(node, where), what)
                         : fmt::format("{}: key '{}': {}", location(node, where), where, what);
}

YamlMap::YamlMap(YamlDocument& document, const YAML::Node& node, std::string where)
    : document_(document), node_(node), where_(std::move(where)) {
  if (!document_.failed() && !node_.IsMap()) document_.fail(node_, where_, "expected a map of keys");
}

std::string YamlMap::path_of(std::string_view key) const {
  return where_.empty() ? std::string(key) : fmt::format("{}.{}", where_, key);
}

YAML::Node YamlMap::child(const char* key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  if (document_.failed()) return YAML::Node(YAML::NodeType::Undefined);
  return static_cast<const YAML::Node&>(node_)[key];
}

bool YamlMap::has(const char* key) { return child(key).IsDefined(); }

bool YamlMap::is_null(const char* key) {
  const YAML::Node node = child(key);
  return node.IsDefined() && node.IsNull();
}

bool YamlMap::has_map(const char* key) {
  const YAML::Node node = child(key);
  return node.IsDefined() && node.IsMap();
}

std::string YamlMap::range_hint(std::string_view text) {
  return text.find("..") == std::string_view::npos ? "" : "; a range is low..high, each with its unit: 5ms..20ms";
}

YAML::Node YamlMap::similar_to(std::string_view key) const {
  if (node_.IsMap())
    for (const auto& entry : node_)
      if (entry.first.IsScalar() && std::ranges::find(known_, entry.first.Scalar()) == known_.end() &&
          differ_by_one(entry.first.Scalar(), key))
        return entry.first;
  return YAML::Node(YAML::NodeType::Undefined);
}

void YamlMap::require(const char* key, std::string_view what) {
  if (!has(key) && ok()) fail(key, fmt::format("missing; expected {}", what));
}

std::optional<std::string> YamlMap::scalar(const char* key) {
  const YAML::Node node = child(key);
  if (!node.IsDefined()) return std::nullopt;
  if (node.IsScalar()) return node.Scalar();
  document_.fail(node, path_of(key), node.IsNull() ? "has no value" : "expected a single value");
  return std::nullopt;
}

void YamlMap::read(const char* key, std::string& out) {
  if (const auto text = scalar(key)) out = *text;
}

void YamlMap::read(const char* key, std::vector<std::string>& out) {
  const YAML::Node list = child(key);
  if (!list.IsDefined()) return;
  if (!list.IsSequence()) return document_.fail(list, path_of(key), "expected a list");
  out.clear();
  for (const YAML::Node& item : list) {
    if (!item.IsScalar()) return document_.fail(item, path_of(key), "expected a list of words");
    out.push_back(item.Scalar());
  }
}

void YamlMap::each(const char* key, const std::function<void(YamlMap&, std::size_t)>& each) {
  const YAML::Node list = child(key);
  if (!list.IsDefined()) return;
  if (!list.IsSequence()) return document_.fail(list, path_of(key), "expected a list");
  for (std::size_t i = 0; i < list.size() && ok(); ++i) {
    YamlMap item(document_, list[i], fmt::format("{}.{}", path_of(key), i));
    if (!ok()) return;
    each(item, i);
    item.finish();
  }
}

void YamlMap::map(const char* key, const std::function<void(YamlMap&)>& inside) {
  const YAML::Node node = child(key);
  if (!node.IsDefined()) return;
  YamlMap below(document_, node, path_of(key));
  if (!ok()) return;
  inside(below);
  below.finish();
}

void YamlMap::finish() {
  if (!ok()) return;
  std::vector<std::string> seen;
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar()) return document_.fail(entry.first, where_, "keys must be words");
    const std::string key = entry.first.Scalar();
    if (std::ranges::find(seen, key) != seen.end()) return document_.fail(entry.first, path_of(key), "given twice");
    seen.push_back(key);
    if (std::ranges::find(known_, key) != known_.end()) continue;
    std::vector<std::string_view> expected(known_.begin(), known_.end());
    std::ranges::sort(expected);
    return document_.fail(entry.first, path_of(key), "unknown; expected one of " + listed(expected));
  }
}

void YamlMap::fail(const char* key, std::string_view what) {
  const YAML::Node node = child(key);
  if (node.IsDefined()) return document_.fail(node, path_of(key), what);
  const YAML::Node similar = similar_to(key);
  if (!similar.IsDefined()) return document_.fail(node_, path_of(key), what);
  document_.fail(similar, path_of(key), fmt::format("{} (is '{}' meant?)", what, similar.Scalar()));
}

}  // namespace mpquic::sim
