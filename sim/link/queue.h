// Where packets wait for the transmitter. A discipline decides which packets it refuses and which leaves next.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "sim/base/random_streams.h"
#include "sim/link/packet.h"
#include "stack/base/ring_buffer.h"

namespace mpquic::sim {

enum class QueueKind : std::uint8_t { drop_tail, drop_front, codel, fq_codel, pie };
[[nodiscard]] std::string_view name_of(QueueKind kind);

/// Keys that a discipline does not know have no meaning for it.
struct QueueConfig {
  QueueKind kind = QueueKind::drop_tail;
  std::size_t packets = SIZE_MAX;  // limit, besides the one in bytes
  Duration age{};                  // droptail: refuses packets while its first one is older; 0: never
  bool ecn = false;                // mark ECN-capable packets instead of dropping them, where the discipline can
  // CoDel and FQ-CoDel (RFC 8289 §4, RFC 8290 §4); PIE's target is that of RFC 8033 §4.2, 15 ms, unless it is given.
  std::optional<Duration> target;  // 5 ms by default
  Duration interval = std::chrono::milliseconds(100);
  std::uint32_t flows = 1024;    // FQ-CoDel's queues
  std::uint32_t quantum = 1514;  // bytes that one of them sends in a round
};

/// Takes what a queue does not want.
class DropSink {
 public:
  DropSink() = default;
  DropSink(const DropSink&) = delete;
  DropSink& operator=(const DropSink&) = delete;
  virtual ~DropSink() = default;
  virtual void drop(const LinkPacket& packet, LinkDrop reason) = 0;
};

class Queue {
 public:
  Queue() = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  virtual ~Queue() = default;
  /// Takes the packet, or gives it (or others to make room) to `drops`.
  virtual void enqueue(const LinkPacket& packet, Instant now, DropSink& drops) = 0;
  /// The next packet for the transmitter; what the discipline drops first goes to `drops`.
  [[nodiscard]] virtual std::optional<LinkPacket> dequeue(Instant now, DropSink& drops) = 0;
  [[nodiscard]] virtual std::size_t packets() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
};

/// `bytes` is the capacity; an empty queue takes any packet.
[[nodiscard]] std::unique_ptr<Queue> make_queue(const QueueConfig& config, ByteCount bytes, const RandomSource& random);

/// A ring that knows how many bytes it holds.
class PacketFifo {
 public:
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t packets() const { return items_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] const LinkPacket& front() const { return items_.front(); }
  void push(const LinkPacket& packet) {
    bytes_ += packet.bytes;
    items_.push_back(packet);
  }
  LinkPacket pop() {
    const LinkPacket packet = items_.pop_front();
    bytes_ -= packet.bytes;
    return packet;
  }

 private:
  RingBuffer<LinkPacket> items_;
  std::uint64_t bytes_ = 0;
};

struct QueueLimits {
  std::uint64_t bytes = 0;
  std::size_t packets = SIZE_MAX;
  [[nodiscard]] bool has_room(const PacketFifo& fifo, std::uint32_t more) const {
    return fifo.empty() || (fifo.bytes() + more <= bytes && fifo.packets() < packets);
  }
};

/// First in, first out; what it refuses is its subclass's matter.
class FifoQueue : public Queue {
 public:
  [[nodiscard]] std::optional<LinkPacket> dequeue(Instant /*now*/, DropSink& /*drops*/) override {
    if (fifo_.empty()) return std::nullopt;
    return fifo_.pop();
  }
  [[nodiscard]] std::size_t packets() const override { return fifo_.packets(); }
  [[nodiscard]] std::uint64_t bytes() const override { return fifo_.bytes(); }

 protected:
  explicit FifoQueue(const QueueLimits& limits) : limits_(limits) {}
  PacketFifo fifo_;
  QueueLimits limits_;
};

/// Refuses what does not fit.
class DropTailQueue final : public FifoQueue {
 public:
  DropTailQueue(const QueueLimits& limits, Duration age) : FifoQueue(limits), age_(age) {}
  void enqueue(const LinkPacket& packet, Instant now, DropSink& drops) override {
    const bool stale = age_ > Duration::zero() && !fifo_.empty() && now - fifo_.front().queued_at > age_;
    if (stale || !limits_.has_room(fifo_, packet.bytes)) return drops.drop(packet, LinkDrop::queue_full);
    fifo_.push(packet);
  }

 private:
  Duration age_;
};

/// The oldest packets make room for the newest.
class DropFrontQueue final : public FifoQueue {
 public:
  explicit DropFrontQueue(const QueueLimits& limits) : FifoQueue(limits) {}
  void enqueue(const LinkPacket& packet, Instant /*now*/, DropSink& drops) override {
    while (!limits_.has_room(fifo_, packet.bytes)) drops.drop(fifo_.pop(), LinkDrop::queue_full);
    fifo_.push(packet);
  }
};

}  // namespace mpquic::sim
