#include "sim/link_reader.h"

#include <algorithm>

#include "sim/yaml_values.h"
#include "stack/base/packet_io.h"

namespace mpquic::sim {
namespace {

/// Below this, no QUIC handshake fits.
constexpr std::size_t kMinMtu = kMinInitialDatagram + kIpUdpOverhead;
constexpr std::size_t kMaxMtu = 9000;
/// A queue that nobody specified holds a bandwidth-delay product, and never less than this many full packets.
constexpr std::uint64_t kDefaultQueuePackets = 32;

[[nodiscard]] Parsed<QueueSpec> parse_queue(std::string_view text) {
  if (const auto bytes = parse_size(text)) return QueueSpec{.bytes = *bytes, .time = {}};
  if (const auto time = parse_duration(text)) return QueueSpec{.bytes = {}, .time = *time};
  return std::unexpected("a size like 256KiB or a time like 100ms");
}

}  // namespace

void read_link(YamlMap& map, LinkSpec& link) {
  map.read("rate", parse_rate, link.config.rate);
  map.read("delay", parse_duration, link.config.delay);
  map.read("queue", parse_queue, link.queue);
  map.read("loss", parse_probability, link.config.loss);
  map.read("duplicate", parse_probability, link.config.duplicate);
  map.read("reorder", parse_probability, link.config.reorder);
  map.read("reorder_delay", parse_duration, link.config.reorder_delay);
  map.read("corrupt", parse_probability, link.config.corrupt);
  read_size(map, "mtu", link.config.mtu);
  check_range(map, "mtu", link.config.mtu, kMinMtu, kMaxMtu);
}

void settle_queue(LinkSpec& link, Duration rtt) {
  const ByteCount least(kDefaultQueuePackets * link.config.mtu);
  if (!link.queue)
    link.config.queue = std::max(least, link.config.rate.bytes_in(rtt));
  else
    link.config.queue =
        link.queue->time > Duration::zero() ? link.config.rate.bytes_in(link.queue->time) : link.queue->bytes;
}

}  // namespace mpquic::sim
