// A queue and its transmitter. A link has one of its own, or shares one with other links: then packets of all of them
// wait in one queue, and each leaves through the port that it came in by.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "sim/link/cross_traffic.h"
#include "sim/link/queue.h"
#include "sim/link/service.h"

namespace mpquic::sim {

struct BottleneckConfig {
  Bandwidth rate = Bandwidth::from_bits_per_second(100'000'000);  // of IP packets; above zero
  ByteCount queue{1'000'000};                                     // IP bytes that wait, without the one in service
  QueueConfig discipline;
  ServiceConfig service;
  std::optional<CrossTrafficConfig> cross_traffic;
};

class Bottleneck final : private DropSink {
 public:
  class Exit {
   public:
    Exit() = default;
    Exit(const Exit&) = delete;
    Exit& operator=(const Exit&) = delete;
    virtual ~Exit() = default;
    virtual void on_served(const LinkPacket& packet, Instant at) = 0;
    virtual void on_refused(const LinkPacket& packet, LinkDrop reason) = 0;
  };
  struct CrossCounters {
    std::uint64_t offered = 0;
    std::uint64_t served = 0;
    std::uint64_t dropped = 0;
  };

  Bottleneck(const BottleneckConfig& config, const RandomSource& random);
  /// `exit` outlives the bottleneck's last packet. Gives the port to put into its packets.
  [[nodiscard]] std::uint16_t attach(Exit& exit);

  void offer(LinkPacket packet, Instant now) {
    packet.queued_at = now;
    queue_->enqueue(packet, now, *this);
    if (!in_service_) serve_next(now);
  }
  /// kNever without work. Valid until the next call of anything else.
  [[nodiscard]] Instant due() const { return due_; }
  /// Does what is due at due(), one thing.
  void on_due();
  // --- The same for a host that drives a shared bottleneck
  [[nodiscard]] Deadline next_deadline() const { return due_ == kNever ? Deadline{} : Deadline{due_}; }
  void on_deadline(Instant now) {
    while (due_ <= now) on_due();
  }

  /// The packet in service finishes at the old rate. Ends a trace or process.
  void set_rate(Bandwidth rate);
  /// While it is paused (calls nest), packets wait; what would have left meanwhile leaves at the end.
  void pause();
  void resume(Instant now);
  /// Everything that waits or is in service goes out as dropped.
  void flush(Instant now, LinkDrop reason);

  [[nodiscard]] std::size_t queued_packets() const { return queue_->packets(); }
  [[nodiscard]] std::uint64_t queued_bytes() const { return queue_->bytes(); }
  [[nodiscard]] bool paused() const { return pauses_ > 0; }
  /// Service::rate().
  [[nodiscard]] std::optional<Bandwidth> rate() const { return service_->rate(); }
  [[nodiscard]] const CrossCounters& cross_traffic() const { return cross_counters_; }

 private:
  void serve_next(Instant now);
  void finish_service();
  void emit_cross_traffic();
  void update_due();
  void drop(const LinkPacket& packet, LinkDrop reason) override;

  RandomSource random_;
  std::unique_ptr<Queue> queue_;
  std::unique_ptr<Service> service_;
  std::optional<CrossTraffic> cross_traffic_;
  std::vector<Exit*> exits_;
  std::optional<LinkPacket> in_service_;
  Instant finishes_ = kNever;
  Instant due_ = kNever;
  int pauses_ = 0;
  CrossCounters cross_counters_;
};

}  // namespace mpquic::sim
