#include "sim/run/probe.h"

#include <algorithm>

namespace mpquic::sim {
namespace {

constexpr Duration kTick = std::chrono::microseconds(500);
constexpr Duration kPingInterval = std::chrono::milliseconds(20);
constexpr std::size_t kPingBytes = 100;
/// The saturating sender keeps this much waiting, and gives up for a tick when packets vanish before the queue.
constexpr std::uint64_t kBacklog = 64'000;
constexpr int kMostPerTick = 200;
constexpr Duration kLastArrivals = std::chrono::seconds(5);

/// Runs a world for a while, with something to do at regular times.
template <class Act>
void run(World& world, Duration interval, Duration length, Act act) {
  EventQueue& events = world.events();
  for (Instant at{}; at < Instant{} + length; at += interval) {
    events.post(at, {.kind = EventKind::sample});
    while (const auto event = events.pop()) {
      if (!world.dispatch(*event)) break;  // our own
    }
    act(at);
  }
  while (events.next_time() && *events.next_time() < Instant{} + length + kLastArrivals)
    static_cast<void>(world.dispatch(*events.pop()));
}

class Counter final : public Receiver {
 public:
  Counter(World& world, Duration length, DirectionProbe& probe)
      : world_(world),
        probe_(probe),
        bytes_(static_cast<std::size_t>((length + kProbeBin - Duration(1)) / kProbeBin)) {}
  void on_packet(const ReceivedTrain& train) override {
    const Instant now = world_.now();
    const auto bin = static_cast<std::size_t>(now.time_since_epoch() / kProbeBin);
    if (bin < bytes_.size()) bytes_[bin] += train.bytes.size() + kIpUdpOverhead;
    if (bin < bytes_.size() && any_ && now - last_ > kProbeGap) probe_.gaps_ms.push_back(to_milliseconds(now - last_));
    last_ = now;
    any_ = true;
  }
  void finish(Duration length) {
    double total = 0;
    for (const std::uint64_t bytes : bytes_) {
      probe_.mbps.push_back(static_cast<double>(bytes) * 8e-6 / to_seconds(kProbeBin));
      total += static_cast<double>(bytes);
    }
    probe_.mean_mbps = total * 8e-6 / to_seconds(length);
  }

 private:
  World& world_;
  DirectionProbe& probe_;
  std::vector<std::uint64_t> bytes_;
  Instant last_;
  bool any_ = false;
};

class Echo final : public Receiver {
 public:
  explicit Echo(World& world) : world_(world) {}
  void on_packet(const ReceivedTrain& train) override {
    static_cast<void>(
        world_.send(Role::server, {.tuple = train.tuple, .size = train.bytes.size(), .segment_size = 0}, train.bytes));
  }

 private:
  World& world_;
};

class PingCollector final : public Receiver {
 public:
  PingCollector(World& world, PathProbe& probe) : world_(world), probe_(probe) {}
  void on_packet(const ReceivedTrain& train) override {
    std::uint64_t sent = 0;
    for (std::size_t i = 0; i < 8; ++i) sent = sent << 8 | std::to_integer<std::uint64_t>(train.bytes[i]);
    const Instant at = Instant{} + Duration(static_cast<std::int64_t>(sent));
    probe_.rtt_at_s.push_back(to_seconds(at.time_since_epoch()));
    probe_.rtt_ms.push_back(to_milliseconds(world_.now() - at));
  }

 private:
  World& world_;
  PathProbe& probe_;
};

void saturate(const PathConfig& path, std::uint64_t seed, Direction direction, Duration length, DirectionProbe& probe) {
  World world({path}, seed);
  Counter counter(world, length, probe);
  DirectionProbe unused;
  Counter other(world, length, unused);
  const bool up = direction == Direction::up;
  world.attach(Role::server, up ? static_cast<Receiver&>(counter) : other);
  world.attach(Role::client, up ? static_cast<Receiver&>(other) : counter);
  const Link& link = world.link(0, direction);
  const FourTuple client = world.client_tuple(0);
  const FourTuple server{.local = client.remote, .remote = client.local};
  const std::vector<std::byte> bytes(link.config().mtu - kIpUdpOverhead);
  const Transmit packet{.tuple = up ? client : server, .size = bytes.size(), .segment_size = bytes.size()};
  const std::vector<std::byte> hello(kPingBytes);  // opens the NAT
  static_cast<void>(world.send(Role::client, {.tuple = client, .size = kPingBytes, .segment_size = 0}, hello));
  run(world, kTick, length, [&](Instant) {
    for (int i = 0; i < kMostPerTick && link.queued_bytes() < kBacklog && link.up(); ++i) {
      const std::uint64_t before = link.counters().dropped_total();
      if (world.send(up ? Role::client : Role::server, packet, bytes)) break;
      if (link.counters().dropped_total() > before) break;  // policed or full
    }
  });
  counter.finish(length);
  const LinkCounters& counters = link.counters();
  const auto lost = static_cast<double>(counters.dropped_for(LinkDrop::loss));
  probe.loss = lost / std::max(1.0, lost + static_cast<double>(counters.delivered));
}

}  // namespace

PathProbe probe_path(const PathConfig& path, std::uint64_t seed, Duration length) {
  PathProbe probe;
  probe.length = length;
  saturate(path, seed, Direction::up, length, probe.up);
  saturate(path, seed, Direction::down, length, probe.down);
  World world({path}, seed);
  Echo echo(world);
  PingCollector collector(world, probe);
  world.attach(Role::server, echo);
  world.attach(Role::client, collector);
  std::size_t sent = 0;
  std::vector<std::byte> ping(kPingBytes);
  run(world, kPingInterval, length, [&](Instant at) {
    const auto stamp = static_cast<std::uint64_t>(at.time_since_epoch().count());
    for (std::size_t i = 0; i < 8; ++i) ping[i] = static_cast<std::byte>(stamp >> (56 - 8 * i));
    static_cast<void>(
        world.send(Role::client, {.tuple = world.client_tuple(0), .size = kPingBytes, .segment_size = 0}, ping));
    ++sent;
  });
  probe.round_trip_loss =
      1 - static_cast<double>(probe.rtt_ms.size()) / static_cast<double>(std::max<std::size_t>(1, sent));
  return probe;
}

double quantile(std::vector<double> samples, double q) {
  if (samples.empty()) return 0;
  std::ranges::sort(samples);
  return samples[static_cast<std::size_t>(q * static_cast<double>(samples.size() - 1))];
}

}  // namespace mpquic::sim
