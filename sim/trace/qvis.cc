#include "sim/trace/qvis.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "sim/trace/output_file.h"

namespace mpquic::sim {
namespace {

using Json = nlohmann::ordered_json;
using Path = std::uint64_t;
using OnRecord = std::function<void(Json& record)>;

/// Calls `header` with the first record and `event` with the others.
[[nodiscard]] std::expected<void, std::string> read_records(const std::string& trace, const OnRecord& header,
                                                            const OnRecord& event) {
  std::ifstream in(trace, std::ios::binary);
  if (!in) return std::unexpected(fmt::format("{}: cannot be read", trace));
  std::string line;
  for (std::size_t number = 0; std::getline(in, line); ++number) {
    if (!line.starts_with('\x1e'))
      return std::unexpected(fmt::format("{}: record {}: not a JSON text sequence (RFC 7464)", trace, number));
    Json record = Json::parse(line.begin() + 1, line.end(), nullptr, false);
    if (!record.is_object()) return std::unexpected(fmt::format("{}: record {}: not a JSON object", trace, number));
    if (number == 0 && !(record.contains("trace") && record["trace"].is_object()))
      return std::unexpected(fmt::format("{}: record 0: not the header of a qlog file", trace));
    if (number > 0 && !(record.contains("time") && record.contains("name") && record["name"].is_string() &&
                        record.contains("data") && record["data"].is_object()))
      return std::unexpected(fmt::format("{}: record {}: not a qlog event", trace, number));
    try {
      (number == 0 ? header : event)(record);
    } catch (const Json::exception&) {  // a member is of another kind than in any qlog
      return std::unexpected(fmt::format("{}: record {}: its members are not those of a qlog event", trace, number));
    }
  }
  return {};
}

[[nodiscard]] std::optional<Path> number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<Path>();
}

/// The path that an event is about. nullopt: the whole connection.
[[nodiscard]] std::optional<Path> path_of(const Json& event) {
  const Json& data = event["data"];
  if (const auto header = data.find("header"); header != data.end() && header->is_object())
    return number_in(*header, "path_id");
  return number_in(data, "path_id");
}

/// What qlog 0.3 calls it. Empty: qvis does not know it.
[[nodiscard]] std::string old_name_of(const std::string& name) {
  static const std::map<std::string, std::string, std::less<>> kNames = {
      {"quic:connection_started", "connectivity:connection_started"},
      {"quic:connection_state_updated", "connectivity:connection_state_updated"},
      {"quic:connection_closed", "connectivity:connection_closed"},
      {"quic:parameters_set", "transport:parameters_set"},
      {"quic:packet_sent", "transport:packet_sent"},
      {"quic:packet_received", "transport:packet_received"},
      {"quic:packet_dropped", "transport:packet_dropped"},
      {"quic:packet_lost", "recovery:packet_lost"},
      {"quic:recovery_metrics_updated", "recovery:metrics_updated"},
      {"quic:key_updated", "security:key_updated"},
  };
  const auto found = kNames.find(name);
  return found == kNames.end() ? "" : found->second;
}

void rename(Json& object, const char* from, const char* to) {
  const auto found = object.find(from);
  if (found == object.end()) return;
  Json value = std::move(*found);
  object.erase(from);
  object[to] = std::move(value);
}

void make_old(Json& frame) {
  if (frame.contains("raw") && frame["raw"].is_object()) {
    // An ordered object keeps its members in a vector: a new one moves all others, so what is read comes out first.
    const Json raw = std::move(frame["raw"]);
    frame.erase("raw");
    for (const char* key : {"length", "payload_length"})
      if (const auto size = number_in(raw, key)) frame[key] = *size;
  }
  if (frame.value("frame_type", "") == "path_ack") frame["frame_type"] = "ack";
  if (const auto ranges = frame.find("acked_ranges"); ranges != frame.end())
    for (Json& range : *ranges)
      if (range.is_array() && range.size() == 1) range.push_back(Json(range[0]));
  if (const auto token = frame.find("stateless_reset_token"); token != frame.end() && token->is_string())
    *token = Json{{"data", *token}};
}

void make_old_start(Json& data) {
  Json old = Json::object();
  for (const auto& [side, prefix] : {std::pair{"local", "src"}, std::pair{"remote", "dst"}}) {
    const Json endpoint = data.value(side, Json::object());
    const bool v4 = endpoint.contains("ip_v4");
    old["ip_version"] = v4 ? "ipv4" : "ipv6";
    old[fmt::format("{}_ip", prefix)] = endpoint.value(v4 ? "ip_v4" : "ip_v6", "");
    old[fmt::format("{}_port", prefix)] = number_in(endpoint, v4 ? "port_v4" : "port_v6").value_or(0);
    const Json ids = endpoint.value("connection_ids", Json::array());
    if (!ids.empty()) old[fmt::format("{}_cid", prefix)] = ids[0];
  }
  data = std::move(old);
}

}  // namespace

class QvisConversion::Splitter {
 public:
  void set_header(const Json& header);
  void see(const Json& event) {
    if (const auto path = path_of(event)) files_.try_emplace(*path);
  }
  [[nodiscard]] bool has_paths() const { return !files_.empty(); }
  [[nodiscard]] std::expected<void, std::string> open(const std::string& stem, const std::string& directory);
  void add(Json& event);
  [[nodiscard]] std::expected<std::vector<std::string>, std::string> close();

 private:
  struct File {
    std::optional<OutputFile> out;
    std::string name;
    bool empty = true;
  };
  void write(File& file, const Json& event) {
    file.out->write(file.empty ? "\n" : ",\n");
    file.out->write(event.dump(-1, ' ', false, Json::error_handler_t::replace));
    file.empty = false;
  }
  void move_foreign_acks(Json& event, Path path);

  std::string odcid_;
  Json vantage_point_;
  std::map<Path, File> files_;
};

void QvisConversion::Splitter::set_header(const Json& header) {
  const Json& trace = header["trace"];
  odcid_ = trace.value("common_fields", Json::object()).value("group_id", "");
  vantage_point_ = trace.value("vantage_point", Json{{"type", "unknown"}});
}

std::expected<void, std::string> QvisConversion::Splitter::open(const std::string& stem, const std::string& directory) {
  for (auto& [path, file] : files_) {
    const std::string title = fmt::format("{}-path{}", stem, path);
    file.name = (std::filesystem::path(directory) / (title + ".qlog")).string();
    auto out = OutputFile::create(file.name);
    if (!out) return std::unexpected(std::move(out).error());
    file.out = std::move(*out);
    const Json head = {{"qlog_version", "0.3"}, {"qlog_format", "JSON"}, {"title", title}};
    const Json first = {{"title", title},
                        {"vantage_point", vantage_point_},
                        {"common_fields",
                         {{"ODCID", fmt::format("{}p{}", odcid_, path)},
                          {"protocol_type", Json::array({"QUIC"})},
                          {"time_format", "relative"},
                          {"reference_time", 0}}}};
    // Both objects stay open for what follows.
    std::string text = head.dump();
    text.back() = ',';
    text += "\"traces\":[";
    text += first.dump();
    text.back() = ',';
    text += "\"events\":[";
    file.out->write(text);
  }
  return {};
}

/// Acknowledgements of another path's packets belong to that path's file, as a packet without a number of its own.
void QvisConversion::Splitter::move_foreign_acks(Json& event, Path path) {
  const auto frames = event["data"].find("frames");
  if (frames == event["data"].end() || !frames->is_array()) return;
  for (std::size_t i = 0; i < frames->size();) {
    Json& frame = (*frames)[i];
    const bool path_ack = frame.value("frame_type", "") == "path_ack";
    const Path about = path_ack ? number_in(frame, "path_id").value_or(path) : path;
    make_old(frame);
    if (about == path) {
      ++i;
      continue;
    }
    if (const auto file = files_.find(about); file != files_.end()) {
      const Json moved = {{"time", event["time"]},
                          {"name", event["name"]},
                          {"data",
                           {{"header", {{"packet_type", "1RTT"}}},
                            {"raw", {{"length", 0}, {"payload_length", 0}}},
                            {"frames", Json::array({frame})}}}};
      write(file->second, moved);
    }
    frames->erase(i);
  }
}

void QvisConversion::Splitter::add(Json& event) {
  const std::string name = event["name"].get<std::string>();
  const std::string old_name = old_name_of(name);
  if (old_name.empty()) return;
  event["name"] = old_name;
  event.erase("tuple");
  Json& data = event["data"];
  rename(data, "initiator", "owner");
  rename(data, "key_phase", "generation");
  if (name == "quic:connection_started") make_old_start(data);
  const auto path = path_of(event);
  if (!path) {
    for (auto& [id, file] : files_) write(file, event);
    return;
  }
  move_foreign_acks(event, *path);
  write(files_.at(*path), event);
}

std::expected<std::vector<std::string>, std::string> QvisConversion::Splitter::close() {
  std::vector<std::string> names;
  for (auto& [path, file] : files_) {
    file.out->write("\n]}]}\n");
    if (auto closed = file.out->close(); !closed) return std::unexpected(std::move(closed).error());
    names.push_back(file.name);
  }
  return names;
}

QvisConversion::QvisConversion(std::string trace, std::unique_ptr<Splitter> splitter)
    : trace_(std::move(trace)), splitter_(std::move(splitter)) {}
QvisConversion::QvisConversion(QvisConversion&&) noexcept = default;
QvisConversion& QvisConversion::operator=(QvisConversion&&) noexcept = default;
QvisConversion::~QvisConversion() = default;

std::expected<QvisConversion, std::string> QvisConversion::open(const std::string& trace,
                                                                const std::string& directory) {
  auto splitter = std::make_unique<Splitter>();
  if (auto read = read_records(
          trace, [&](Json& header) { splitter->set_header(header); }, [&](Json& event) { splitter->see(event); });
      !read)
    return std::unexpected(std::move(read).error());
  if (!splitter->has_paths()) return std::unexpected(fmt::format("{}: no packets of an endpoint in it to show", trace));
  if (auto made = io::make_directories(directory); !made) return std::unexpected(std::move(made.error().message));
  if (auto opened = splitter->open(std::filesystem::path(trace).stem().string(), directory); !opened)
    return std::unexpected(std::move(opened).error());
  return QvisConversion(trace, std::move(splitter));
}

std::expected<std::vector<std::string>, std::string> QvisConversion::finish() {
  if (auto read = read_records(
          trace_, [](Json&) {}, [&](Json& event) { splitter_->add(event); });
      !read)
    return std::unexpected(std::move(read).error());
  return splitter_->close();
}

std::expected<std::vector<std::string>, std::string> convert_for_qvis(const std::string& trace,
                                                                      const std::string& directory) {
  auto conversion = QvisConversion::open(trace, directory);
  if (!conversion) return std::unexpected(std::move(conversion).error());
  return conversion->finish();
}

}  // namespace mpquic::sim
