#include "sim/scenario/readers.h"
#include "sim/scenario/yaml_values.h"

namespace mpquic::sim {
namespace {

constexpr WorkloadKind kKinds[] = {WorkloadKind::bulk,     WorkloadKind::requests, WorkloadKind::datagrams,
                                   WorkloadKind::voip,     WorkloadKind::game,     WorkloadKind::video,
                                   WorkloadKind::inner_tcp};
constexpr const char* kKindNames = "bulk, requests, datagrams, voip, game, video or inner_tcp";

/// ITU-T G.711 in packets of 20 ms; G.114 has 150 ms as the limit of a good call.
constexpr Duration kVoiceInterval = std::chrono::milliseconds(20);
constexpr std::size_t kVoiceBytes = 160;
constexpr Duration kVoicePlayout = std::chrono::milliseconds(150);
constexpr std::uint64_t kMostTicks = 1000;  // of a game, per second

[[nodiscard]] Parsed<WorkloadKind> parse_kind(std::string_view text) {
  for (const auto kind : kKinds)
    if (text == name_of(kind)) return kind;
  return std::unexpected(kKindNames);
}

void read_bulk(YamlMap& map, WorkloadSpec& spec) {
  map.require("bytes", "a size like 50MB");
  map.read("direction", parse_direction, spec.direction);
  read_bytes(map, "bytes", spec.bytes);
  map.read("streams", parse_count, spec.streams);
  check_range(map, "streams", spec.streams, 1, 1U << 20);
}

void read_requests(YamlMap& map, WorkloadSpec& spec) {
  map.require("count", "how many requests");
  map.read("count", parse_count, spec.count);
  check_range(map, "count", spec.count, 1, 1U << 24);
  map.read("concurrency", parse_count, spec.concurrency);
  check_range(map, "concurrency", spec.concurrency, 1, 1U << 20);
  read_bytes(map, "request", spec.request_bytes);
  read_bytes(map, "response", spec.response_bytes);
}

void read_datagrams(YamlMap& map, WorkloadSpec& spec) {
  map.require("rate", "a rate like 2Mbit/s (of datagram payload)");
  map.read("direction", parse_direction, spec.direction);
  map.read("rate", parse_rate, spec.rate);
  read_size(map, "size", spec.size);
  check_range(map, "size", spec.size, FlowHeader::kSize, kMaxDatagram);
  map.read("lifetime", parse_duration, spec.lifetime);
  std::optional<Duration> length;
  map.read("for", parse_duration, length);
  map.read("count", parse_count, spec.count);
  if (length.has_value() == map.has("count"))
    return map.fail("count", "expected either count or for (a time like 10s)");
  if (length && map.ok()) spec.count = static_cast<std::uint64_t>(*length / spec.datagram_interval());
  if (spec.count == 0) map.fail("count", "expected at least one datagram");
}

/// The other direction of a workload that goes both ways. Invalidates references into `workloads`.
void add_return(std::vector<WorkloadSpec>& workloads, std::size_t size) {
  WorkloadSpec back = workloads.back();
  back.direction = Direction::down;
  back.size = size;
  workloads.push_back(back);
}

void read_length(YamlMap& map, WorkloadSpec& spec) {
  Duration length{};
  map.require("for", "a time like 10s");
  map.read("for", parse_duration, length);
  if (map.ok()) spec.count = static_cast<std::uint64_t>(length / spec.interval);
  if (spec.count == 0) map.fail("for", "expected time for one datagram at least");
}

void read_voip(YamlMap& map, std::vector<WorkloadSpec>& workloads) {
  WorkloadSpec& spec = workloads.back();
  spec.interval = kVoiceInterval;
  spec.size = kVoiceBytes;
  spec.playout = kVoicePlayout;
  map.read("playout", parse_duration, spec.playout);
  read_length(map, spec);
  add_return(workloads, kVoiceBytes);
}

void read_game(YamlMap& map, std::vector<WorkloadSpec>& workloads) {
  WorkloadSpec& spec = workloads.back();
  std::uint64_t ticks = 60;
  std::size_t down = 250;
  spec.size = 80;
  spec.playout = std::chrono::milliseconds(100);
  map.read("ticks", parse_count, ticks);
  check_range(map, "ticks", ticks, 1, kMostTicks);
  read_size(map, "up_size", spec.size);
  check_range(map, "up_size", spec.size, FlowHeader::kSize, kMinInitialDatagram);
  read_size(map, "down_size", down);
  check_range(map, "down_size", down, FlowHeader::kSize, kMinInitialDatagram);
  map.read("playout", parse_duration, spec.playout);
  if (map.ok()) spec.interval = Duration(std::chrono::seconds(1)) / static_cast<std::int64_t>(ticks);
  read_length(map, spec);
  add_return(workloads, down);
}

void read_video(YamlMap& map, WorkloadSpec& spec) {
  spec.segment = std::chrono::seconds(2);
  map.require("rate", "a rate like 5Mbit/s");
  map.read("rate", parse_rate, spec.rate);
  map.read("segment", parse_duration, spec.segment);
  Duration length{};
  map.require("for", "a time like 30s");
  map.read("for", parse_duration, length);
  if (spec.segment == Duration::zero() || length < spec.segment)
    return map.fail("for", "expected time for one segment at least");
  spec.count = static_cast<std::uint64_t>(length / spec.segment);
  spec.response_bytes = spec.rate.bytes_in(spec.segment).value();
  spec.prebuffer = spec.segment;
  spec.buffer = 5 * spec.segment;
  map.read("prebuffer", parse_duration, spec.prebuffer);
  map.read("buffer", parse_duration, spec.buffer);
  if (spec.buffer < std::max(spec.prebuffer, spec.segment))
    map.fail("buffer", "expected prebuffer and segment at least");
}

void read_inner_tcp(YamlMap& map, WorkloadSpec& spec) {
  spec.size = 1150;  // fits into the smallest QUIC packet
  map.require("bytes", "a size like 5MB");
  map.read("direction", parse_direction, spec.direction);
  read_bytes(map, "bytes", spec.bytes);
  map.read("flows", parse_count, spec.streams);
  check_range(map, "flows", spec.streams, 1, 1U << 16);
  read_size(map, "segment_size", spec.size);
  check_range(map, "segment_size", spec.size, 100, kMaxDatagram);
  if (spec.bytes < spec.streams) map.fail("bytes", "expected one for each flow at least");
}

/// What the kind can be held to.
void read_expectations(YamlMap& map, const WorkloadSpec& spec, WorkloadAssertions& expect) {
  map.read("completion", parse_duration, expect.completion);
  map.read("stall", parse_duration, expect.stall);
  if (spec.kind == WorkloadKind::bulk) return;
  map.read("p50", parse_duration, expect.p50);
  map.read("p95", parse_duration, expect.p95);
  map.read("p99", parse_duration, expect.p99);
  if (spec.paced()) map.read("delivered", parse_ratio, expect.delivered);
  if (spec.playout > Duration::zero()) map.read("late", parse_ratio, expect.late);
  if (spec.kind == WorkloadKind::voip) map.read("mos", parse_ratio, expect.mos);
  if (spec.kind != WorkloadKind::video) return;
  map.read("startup", parse_duration, expect.startup);
  map.read("rebuffering", parse_duration, expect.rebuffering);
}

void read_kind(YamlMap& map, std::vector<WorkloadSpec>& workloads) {
  switch (workloads.back().kind) {
    case WorkloadKind::bulk: return read_bulk(map, workloads.back());
    case WorkloadKind::requests: return read_requests(map, workloads.back());
    case WorkloadKind::datagrams: return read_datagrams(map, workloads.back());
    case WorkloadKind::voip: return read_voip(map, workloads);
    case WorkloadKind::game: return read_game(map, workloads);
    case WorkloadKind::video: return read_video(map, workloads.back());
    case WorkloadKind::inner_tcp: return read_inner_tcp(map, workloads.back());
  }
}

}  // namespace

void read_workload(YamlMap& map, std::vector<WorkloadSpec>& workloads) {
  WorkloadSpec& spec = workloads.emplace_back();
  map.require("kind", kKindNames);
  map.read("kind", parse_kind, spec.kind);
  map.read("name", spec.name);
  map.read("start", parse_duration, spec.start);
  const std::size_t first = workloads.size() - 1;
  read_kind(map, workloads);
  WorkloadAssertions expect;
  map.map("assert", [&](YamlMap& inner) { read_expectations(inner, workloads[first], expect); });
  for (std::size_t i = first; i < workloads.size(); ++i) workloads[i].expect = expect;
}

}  // namespace mpquic::sim
