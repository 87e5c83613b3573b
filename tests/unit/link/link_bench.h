// One link under test: the shortest host there is. It has a clock, a store of packets without bytes, and a record of
// what comes out.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/link/link.h"
#include "sim/link/outage.h"

namespace mpquic::sim {

inline constexpr std::size_t kIpUdp = 28;
inline constexpr std::size_t kPayload = 1222;  // 1250 bytes: 1 ms at 10 Mbit/s

struct Arrival {
  std::uint64_t serial = 0;
  Instant sent;
  Instant at;
  std::uint32_t bytes = 0;
  Ecn ecn = Ecn::not_ect;
  bool corrupted = false;
  std::uint32_t flow = 0;
  [[nodiscard]] Duration took() const { return at - sent; }
};
struct Loss {
  std::uint64_t serial = 0;
  LinkDrop reason = LinkDrop::loss;
  Instant at;
};

class TestStore final : public PacketStore {
 public:
  PacketRef add(const Arrival& packet) {
    if (free_.empty()) {
      packets_.push_back(packet);
      return PacketRef(static_cast<std::uint32_t>(packets_.size() - 1));
    }
    const PacketRef ref = free_.back();
    free_.pop_back();
    packets_[ref.value()] = packet;
    return ref;
  }
  Arrival take(PacketRef ref) {
    free_.push_back(ref);
    return packets_[ref.value()];
  }
  [[nodiscard]] std::size_t in_use() const { return packets_.size() - free_.size(); }
  [[nodiscard]] PacketRef clone(PacketRef ref) override { return add(Arrival(packets_[ref.value()])); }
  void set_ecn(PacketRef ref, Ecn ecn) override { packets_[ref.value()].ecn = ecn; }
  void flip_bit(PacketRef ref, std::uint64_t /*random*/) override { packets_[ref.value()].corrupted = true; }
  [[nodiscard]] std::uint32_t truncate(PacketRef ref, std::uint64_t random) override {
    const auto payload = packets_[ref.value()].bytes - static_cast<std::uint32_t>(kIpUdp);
    return packets_[ref.value()].bytes = static_cast<std::uint32_t>(kIpUdp + 1 + random % (payload - 1));
  }

 private:
  std::vector<Arrival> packets_;
  std::vector<PacketRef> free_;
};

class Bench final : public LinkObserver {
 public:
  explicit Bench(const LinkConfig& config, std::uint64_t seed = 1)
      : link(LinkId(0), config, {.store = store, .observer = *this}, seed) {}

  struct Options {
    std::uint32_t flow = 0;
    Ecn ecn = Ecn::not_ect;
  };
  /// `payload` of UDP.
  void send(std::size_t payload, const Options& options) {
    const auto bytes = static_cast<std::uint32_t>(payload + kIpUdp);
    const PacketRef ref = store.add({.serial = next_serial++,
                                     .sent = now,
                                     .at = {},
                                     .bytes = bytes,
                                     .ecn = options.ecn,
                                     .corrupted = false,
                                     .flow = options.flow});
    link.offer({.ref = ref, .bytes = bytes, .flow = options.flow, .ecn = options.ecn}, now);
  }
  void send(std::size_t payload) { send(payload, Options{}); }
  void run_until(Instant end) {
    while (true) {
      const Deadline next = earlier(link.next_deadline(), outage == nullptr ? Deadline{} : outage->next_deadline());
      if (!next || *next > end) break;
      now = std::max(now, *next);
      if (outage != nullptr && expired(outage->next_deadline(), now)) outage->on_deadline(now);
      if (expired(link.next_deadline(), now)) link.on_deadline(now);
    }
    now = std::max(now, end);
  }
  /// Until nothing is due. For links without sources of their own.
  void run() {
    while (const Deadline next = link.next_deadline()) run_until(*next);
  }
  /// Sends packets of `payload` every `spacing` for `length`, then lets the link run dry.
  void stream(std::size_t payload, Duration spacing, Duration length) {
    const Instant end = now + length;
    for (Instant at = now; at < end; at += spacing) {
      run_until(at);
      send(payload);
    }
    run_until(end);
  }
  [[nodiscard]] std::size_t lost(LinkDrop reason) const {
    return static_cast<std::size_t>(std::ranges::count(losses, reason, &Loss::reason));
  }

  Instant now{};
  TestStore store;
  std::vector<Arrival> arrivals;
  std::vector<Loss> losses;
  Link link;
  Outage* outage = nullptr;
  std::uint64_t next_serial = 0;

 private:
  void on_delivered(LinkId, PacketRef ref) override {
    arrivals.push_back(store.take(ref));
    arrivals.back().at = now;
  }
  void on_dropped(LinkId, PacketRef ref, LinkDrop reason) override {
    losses.push_back({.serial = store.take(ref).serial, .reason = reason, .at = now});
  }
};

/// 10 Mbit/s, 5 ms, room for 100 kB: a packet of 1222 bytes of payload takes 1 ms.
inline LinkConfig ten_mbit() {
  LinkConfig config;
  config.rate = Bandwidth::from_bits_per_second(10'000'000);
  config.delay = std::chrono::milliseconds(5);
  config.queue = ByteCount(100'000);
  return config;
}

inline Instant at_us(std::int64_t us) { return Instant{} + std::chrono::microseconds(us); }

}  // namespace mpquic::sim
