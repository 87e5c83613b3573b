// FQ-CoDel (RFC 8290): flows hash into queues that share the link by deficit round robin, new flows before old ones;
// each queue has a CoDel of its own. A full queue drops from the flow that holds most bytes.
#pragma once

#include <vector>

#include "sim/link/codel.h"

namespace mpquic::sim {

class FqCodelQueue final : public Queue {
 public:
  FqCodelQueue(const QueueConfig& config, const QueueLimits& limits);
  void enqueue(const LinkPacket& packet, Instant now, DropSink& drops) override;
  [[nodiscard]] std::optional<LinkPacket> dequeue(Instant now, DropSink& drops) override;
  [[nodiscard]] std::size_t packets() const override { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const override { return bytes_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Node {  // one waiting packet; nodes form a list for each flow, and one of free nodes
    LinkPacket packet;
    std::uint32_t next = kNone;
  };
  enum class Round : std::uint8_t { idle, fresh, old };
  struct Flow {
    explicit Flow(const QueueConfig& config) : codel(config) {}
    Codel codel;
    std::uint32_t head = kNone;
    std::uint32_t tail = kNone;
    std::uint64_t bytes = 0;
    std::int64_t deficit = 0;
    Round round = Round::idle;
  };
  struct FlowSource;

  void append(Flow& flow, const LinkPacket& packet);
  [[nodiscard]] LinkPacket pop(Flow& flow);
  void drop_from_fattest(DropSink& drops);

  std::vector<Flow> flows_;
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNone;
  RingBuffer<std::uint32_t> fresh_;
  RingBuffer<std::uint32_t> old_;
  QueueLimits limits_;
  std::int64_t quantum_;
  std::size_t packets_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace mpquic::sim
