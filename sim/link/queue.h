// Where packets wait for the transmitter. A discipline decides which packets it refuses and which leaves next.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/packet_pool.h"
#include "stack/base/ring_buffer.h"

namespace mpquic::sim {

struct Queued {
  PacketRef packet;
  std::uint32_t bytes = 0;  // on the wire
};

class Queue {
 public:
  Queue() = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  virtual ~Queue() = default;
  /// False refuses the packet; the caller drops it.
  [[nodiscard]] virtual bool enqueue(const Queued& item, Instant now) = 0;
  [[nodiscard]] virtual std::optional<Queued> dequeue(Instant now) = 0;
  [[nodiscard]] virtual std::size_t packets() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
};

/// First in, first out; refuses what does not fit. An empty queue takes any packet.
class DropTailQueue final : public Queue {
 public:
  explicit DropTailQueue(ByteCount capacity) : capacity_(capacity.value()) {}
  [[nodiscard]] bool enqueue(const Queued& item, Instant /*now*/) override {
    if (!items_.empty() && bytes_ + item.bytes > capacity_) return false;
    bytes_ += item.bytes;
    items_.push_back(item);
    return true;
  }
  [[nodiscard]] std::optional<Queued> dequeue(Instant /*now*/) override {
    if (items_.empty()) return std::nullopt;
    const Queued item = items_.pop_front();
    bytes_ -= item.bytes;
    return item;
  }
  [[nodiscard]] std::size_t packets() const override { return items_.size(); }
  [[nodiscard]] std::uint64_t bytes() const override { return bytes_; }

 private:
  RingBuffer<Queued> items_;
  std::uint64_t bytes_ = 0;
  std::uint64_t capacity_;
};

}  // namespace mpquic::sim
