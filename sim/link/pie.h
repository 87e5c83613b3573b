// PIE (RFC 8033): drops at random on arrival, with a probability that a PI controller moves every 15 ms by how far the
// queueing delay is from its target and by where it is heading. Delay is measured by timestamps (§5.2).
#pragma once

#include "sim/link/queue.h"

namespace mpquic::sim {

class PieQueue final : public Queue {
 public:
  PieQueue(const QueueConfig& config, const QueueLimits& limits, const RandomStream& random);
  void enqueue(const LinkPacket& packet, Instant now, DropSink& drops) override;
  [[nodiscard]] std::optional<LinkPacket> dequeue(Instant now, DropSink& drops) override;
  [[nodiscard]] std::size_t packets() const override { return fifo_.packets(); }
  [[nodiscard]] std::uint64_t bytes() const override { return fifo_.bytes(); }
  [[nodiscard]] double drop_probability() const { return probability_; }

 private:
  void catch_up(Instant now);
  void update(Instant at);
  [[nodiscard]] bool wants_drop();

  PacketFifo fifo_;
  QueueLimits limits_;
  SeededRng rng_;
  Duration target_;
  bool ecn_;
  double probability_ = 0;
  double accumulated_ = 0;  // probability since the last drop: keeps drops apart (§5.1)
  Duration delay_{};
  Duration old_delay_{};
  Duration burst_allowance_;
  Instant next_update_{};
};

}  // namespace mpquic::sim
