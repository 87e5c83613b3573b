#include "sim/scenario/link_reader.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "sim/scenario/text_file.h"
#include "sim/scenario/yaml_values.h"

namespace mpquic::sim {
namespace {

/// A queue that nobody specified holds a bandwidth-delay product, and never less than this many full packets.
constexpr std::uint64_t kDefaultQueuePackets = 32;
/// An AQM is to keep the queue short by itself: its limit is far away.
constexpr std::uint64_t kDefaultAqmPackets = 1000;
constexpr std::uint64_t kMaxFlows = 65536;
/// Of mahimahi, a quarter of an hour at 100 Mbit/s has a tenth of it.
constexpr std::size_t kLargestTrace = std::size_t{64} << 20;
/// Of processes that step or switch: shorter ones cost time and mean nothing.
constexpr Duration kShortestStep = std::chrono::microseconds(100);

[[nodiscard]] Parsed<QueueLimit> parse_limit(std::string_view text) {
  constexpr std::string_view kPackets = "packets";
  if (const auto bytes = parse_size(text)) return QueueLimit{.bytes = *bytes};
  if (const auto time = parse_duration(text)) return QueueLimit{.bytes = {}, .time = *time};
  std::size_t packets = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), packets);
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (error == std::errc{} && packets > 0 && unit == kPackets)
    return QueueLimit{.bytes = {}, .time = {}, .packets = packets};
  return std::unexpected("a size like 256KiB, a time like 100ms, or '100 packets'");
}

[[nodiscard]] Parsed<QueueKind> parse_kind(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(QueueKind::pie); ++i)
    if (text == name_of(static_cast<QueueKind>(i))) return static_cast<QueueKind>(i);
  return std::unexpected("droptail, drop_front, codel, fq_codel or pie");
}

[[nodiscard]] Parsed<OutageMode> parse_mode(std::string_view text) {
  if (text == "drop") return OutageMode::drop;
  if (text == "hold") return OutageMode::hold;
  return std::unexpected("drop (packets are lost) or hold (they wait)");
}

void read_queue(YamlMap& map, LinkSpec& link) {
  if (!map.has_map("queue")) {
    if (map.has("queue")) link.config.discipline = {};
    return map.read("queue", parse_limit, link.queue);
  }
  QueueConfig& queue = link.config.discipline = {};
  link.queue.reset();
  map.map("queue", [&](YamlMap& inner) {
    inner.require("kind", "droptail, drop_front, codel, fq_codel or pie");
    inner.read("kind", parse_kind, queue.kind);
    inner.read("limit", parse_limit, link.queue);
    if (queue.kind == QueueKind::drop_tail) inner.read("age", parse_duration, queue.age);
    if (queue.kind == QueueKind::drop_tail || queue.kind == QueueKind::drop_front) return;
    inner.read("ecn", parse_switch, queue.ecn);
    inner.read("target", parse_duration, queue.target);
    if (queue.target) check_time(inner, "target", *queue.target, kShortestStep);
    if (queue.kind == QueueKind::pie) return;
    inner.read("interval", parse_duration, queue.interval);
    check_time(inner, "interval", queue.interval, kShortestStep);
    if (queue.kind == QueueKind::codel) return;
    read_count(inner, "flows", queue.flows);
    check_range(inner, "flows", queue.flows, 1, kMaxFlows);
    std::uint64_t quantum = queue.quantum;
    read_bytes(inner, "quantum", quantum);
    check_range(inner, "quantum", quantum, 1, 1U << 20);
    queue.quantum = static_cast<std::uint32_t>(quantum);
  });
}

/// The text of the file that `key` names; nothing and an error if there is none.
[[nodiscard]] std::optional<std::string> read_file(YamlMap& map, const char* key, const LinkContext& context) {
  std::string name;
  map.read(key, name);
  if (name.empty()) return std::nullopt;
  const std::string file = (std::filesystem::path(context.directory) / name).string();
  const auto text = read_text_file(file, kLargestTrace);
  if (text) return *text;
  map.fail(key, fmt::format("{}: {}", file, text.error()));
  return std::nullopt;
}

/// Parses the trace that `key` names, if it is there.
template <class Trace>
[[nodiscard]] std::shared_ptr<const Trace> read_trace(YamlMap& map, const char* key, const LinkContext& context,
                                                      std::expected<Trace, std::string> (*parse)(std::string_view)) {
  const auto text = read_file(map, key, context);
  if (!text) return nullptr;
  auto trace = parse(*text);
  if (trace) return std::make_shared<const Trace>(std::move(*trace));
  std::string name;
  map.read(key, name);
  map.fail(key, fmt::format("{}: {}", name, trace.error()));
  return nullptr;
}

void read_wandering(YamlMap& map, ServiceConfig& service) {
  map.map("rate_process", [&](YamlMap& inner) {
    inner.require("spread", "a ratio: the standard deviation of the rate's logarithm");
    WanderingRate wandering;
    inner.read("spread", parse_ratio, wandering.spread);
    if (wandering.spread > 10) inner.fail("spread", "expected at most 10");
    inner.read("step", parse_duration, wandering.step);
    check_time(inner, "step", wandering.step, kShortestStep);
    inner.read("memory", parse_duration, wandering.memory);
    inner.read("least", parse_rate, wandering.least);
    inner.read("most", parse_rate, wandering.most);
    if (wandering.least > wandering.most) inner.fail("most", "expected at least as much as least");
    service = wandering;
  });
}

/// The rate and how it comes about: one of rate (with burst or rate_process), rate_trace, mahimahi.
void read_service(YamlMap& map, LinkSpec& link, const LinkContext& context) {
  ServiceConfig& service = link.config.service;
  const int ways = map.has("rate") + map.has("rate_trace") + map.has("mahimahi") + map.has("shared");
  if (ways > 1) return map.fail("rate", "give one of rate, rate_trace, mahimahi and shared");
  link.has_rate |= ways > 0;
  if (ways > 0) link.config.shared_bottleneck.reset();
  map.read("rate", parse_rate, link.config.rate);
  const bool traced = !std::holds_alternative<FixedRate>(service) && !std::holds_alternative<BucketRate>(service) &&
                      !std::holds_alternative<WanderingRate>(service);
  if (map.has("rate") && traced) service = FixedRate{};
  if (const auto trace = read_trace(map, "rate_trace", context, parse_rate_csv)) {
    service = trace;
    link.config.rate = mean_rate(*trace);
  }
  if (const auto trace = read_trace(map, "mahimahi", context, parse_mahimahi)) {
    service = trace;
    link.config.rate = mean_rate(*trace);
  }
  if (map.has("burst") && map.has("rate_process")) return map.fail("burst", "give burst or rate_process, not both");
  read_wandering(map, service);
  std::optional<ByteCount> burst;
  map.read("burst", parse_size, burst);
  if (burst) service = BucketRate{.burst = *burst};
}

void read_delay(YamlMap& map, LinkSpec& link, const LinkContext& context) {
  if (map.has("delay") && map.has("delay_trace")) return map.fail("delay", "give delay or delay_trace, not both");
  link.has_delay |= map.has("delay") || map.has("delay_trace");
  if (map.has("delay")) link.config.delay_trace = nullptr;
  map.read("delay", parse_duration, link.config.delay);
  if (const auto trace = read_trace(map, "delay_trace", context, parse_delay_csv)) {
    link.config.delay_trace = trace;
    link.config.delay = mean_delay(*trace);
  }
  map.map("jitter", [&](YamlMap& inner) {
    JitterConfig jitter;
    inner.require("deviation", "a time like 5ms");
    inner.read("deviation", parse_duration, jitter.deviation);
    inner.read("step", parse_duration, jitter.step);
    check_time(inner, "step", jitter.step, kShortestStep);
    inner.read("memory", parse_duration, jitter.memory);
    inner.read("least", parse_duration, jitter.least);
    link.config.jitter = jitter;
  });
}

void read_losses(YamlMap& map, LinkConfig& link) {
  map.read("loss", parse_probability, link.loss);
  map.map("burst_loss", [&](YamlMap& inner) {
    BurstLossConfig bursts;
    inner.require("mean_good", "a time like 10s");
    inner.require("mean_bad", "a time like 200ms");
    inner.read("mean_good", parse_duration, bursts.mean_good);
    inner.read("mean_bad", parse_duration, bursts.mean_bad);
    check_time(inner, "mean_good", bursts.mean_good, kShortestStep);
    check_time(inner, "mean_bad", bursts.mean_bad, kShortestStep);
    inner.read("loss_good", parse_probability, bursts.loss_good);
    inner.read("loss_bad", parse_probability, bursts.loss_bad);
    link.burst_loss = bursts;
  });
  map.read("duplicate", parse_probability, link.duplicate);
  map.read("reorder", parse_probability, link.reorder);
  map.read("reorder_delay", parse_duration, link.reorder_delay);
  map.read("corrupt", parse_probability, link.corrupt);
  map.read("truncate", parse_probability, link.truncate);
}

void read_policer(YamlMap& map, LinkConfig& link) {
  map.map("policer", [&](YamlMap& inner) {
    inner.require("rate", "a rate like 20Mbit/s");
    inner.require("burst", "a size like 64kB");
    PolicerConfig policer;
    inner.read("rate", parse_rate, policer.rate);
    inner.read("burst", parse_size, policer.burst);
    if (policer.burst.value() < link.mtu) inner.fail("burst", "expected at least the mtu, or full packets never pass");
    link.policer = policer;
  });
}

void read_cross_traffic(YamlMap& map, BottleneckConfig& bottleneck) {
  map.map("cross_traffic", [&](YamlMap& inner) {
    inner.require("rate", "a rate like 20Mbit/s");
    CrossTrafficConfig cross;
    std::uint64_t bytes = cross.bytes;
    inner.read("rate", parse_rate, cross.rate);
    read_bytes(inner, "size", bytes);
    check_range(inner, "size", bytes, 1, kMaxMtu);
    cross.bytes = static_cast<std::uint32_t>(bytes);
    read_count(inner, "flows", cross.flows);
    check_range(inner, "flows", cross.flows, 1, kMaxFlows);
    inner.read("mean_on", parse_duration, cross.mean_on);
    inner.read("mean_off", parse_duration, cross.mean_off);
    if ((cross.mean_on > Duration::zero()) != (cross.mean_off > Duration::zero()))
      inner.fail("mean_on", "give mean_on and mean_off (an on/off source) or neither (Poisson arrivals)");
    bottleneck.cross_traffic = cross;
  });
}

}  // namespace

void read_bottleneck(YamlMap& map, LinkSpec& link, const LinkContext& context) {
  read_service(map, link, context);
  read_queue(map, link);
  read_cross_traffic(map, link.config);
  if (const auto* bucket = std::get_if<BucketRate>(&link.config.service);
      bucket != nullptr && bucket->burst.value() < link.config.mtu)
    map.fail("burst", "expected at least the mtu, or full packets never pass");
}

void read_link(YamlMap& map, LinkSpec& link, const LinkContext& context) {
  read_size(map, "mtu", link.config.mtu);
  check_range(map, "mtu", link.config.mtu, kMinMtu, kMaxMtu);
  map.read("mtu_signal", parse_switch, link.config.mtu_signal);
  map.read("drops_ect", parse_switch, link.config.drops_ect);
  map.read("bleach", parse_switch, link.config.bleach);
  read_bottleneck(map, link, context);
  read_delay(map, link, context);
  read_losses(map, link.config);
  read_policer(map, link.config);
  std::string shared;
  map.read("shared", shared);
  if (shared.empty()) return;
  const auto found = std::ranges::find(*context.shared, shared);
  if (found == context.shared->end())
    return map.fail("shared", fmt::format("expected the name of one of bottlenecks, got '{}'", shared));
  link.config.shared_bottleneck = static_cast<std::size_t>(found - context.shared->begin());
}

void settle_queue(LinkSpec& link, Duration rtt) {
  const bool aqm = link.config.discipline.kind > QueueKind::drop_front;
  const ByteCount unlimited(UINT32_MAX);
  if (!link.queue) {
    const ByteCount least((aqm ? kDefaultAqmPackets : kDefaultQueuePackets) * link.config.mtu);
    link.config.queue = std::max(least, link.config.rate.bytes_in(rtt));
  } else if (link.queue->packets > 0) {
    link.config.queue = unlimited;
    link.config.discipline.packets = link.queue->packets;
  } else {
    link.config.queue =
        link.queue->time > Duration::zero() ? link.config.rate.bytes_in(link.queue->time) : link.queue->bytes;
  }
  if (link.config.discipline.age > Duration::zero() && !link.queue) link.config.queue = unlimited;
}

void read_outage(YamlMap& map, OutageConfig& outage) {
  map.read("mode", parse_mode, outage.mode);
  OnOffConfig& when = outage.when;
  map.read("first", parse_duration, when.first);
  map.read("every", parse_duration, when.every);
  map.read("mean_gap", parse_duration, when.mean_gap);
  if (map.has("every") && map.has("mean_gap")) map.fail("every", "give every or mean_gap, not both");
  for (const char* key : {"every", "mean_gap"})
    if (map.has(key)) check_time(map, key, std::max(when.every, when.mean_gap), kShortestStep);
  std::optional<Duration> length;
  map.read("length", parse_duration, length);
  if (length) {
    when.least = when.most = *length;
  } else {
    map.require("least", "a time like 50ms, or length for a fixed one");
    map.require("most", "a time like 150ms");
    map.read("least", parse_duration, when.least);
    map.read("most", parse_duration, when.most);
    map.read("mean", parse_duration, when.mean);
    if (when.least > when.most) map.fail("most", "expected at least as much as least");
    if (when.mean && *when.mean < when.least) map.fail("mean", "expected at least as much as least");
  }
}

}  // namespace mpquic::sim
