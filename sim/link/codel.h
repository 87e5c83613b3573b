// CoDel (RFC 8289): drops from the head while packets have waited longer than the target for a whole interval, at a
// spacing of interval / sqrt(number of drops).
#pragma once

#include "sim/link/queue.h"

namespace mpquic::sim {

inline constexpr Duration kCodelTarget = std::chrono::milliseconds(5);  // RFC 8289 §4.3

/// The control law of one queue. `Source` has pop() -> optional<LinkPacket> and bytes(): FQ-CoDel has many.
class Codel {
 public:
  explicit Codel(const QueueConfig& config)
      : target_(config.target.value_or(kCodelTarget)), interval_(config.interval), ecn_(config.ecn) {}

  template <class Source>
  [[nodiscard]] std::optional<LinkPacket> dequeue(Source& source, Instant now, DropSink& drops) {
    Candidate next = take(source, now);
    if (!next.packet) dropping_ = false;
    if (dropping_)
      continue_dropping(source, next, now, drops);
    else if (next.ok_to_drop)
      start_dropping(source, next, now, drops);
    return next.packet;
  }
  /// RFC 8289 §5.3: the next drop comes sqrt(count) times sooner than an interval.
  [[nodiscard]] Instant control_law(Instant at) const;
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  struct Candidate {
    std::optional<LinkPacket> packet;
    bool ok_to_drop = false;
  };
  /// RFC 8289 §5.6, dodequeue.
  template <class Source>
  [[nodiscard]] Candidate take(Source& source, Instant now) {
    Candidate next{.packet = source.pop(), .ok_to_drop = false};
    if (!next.packet) {
      first_above_.reset();
      return next;
    }
    largest_ = std::max(largest_, next.packet->bytes);
    if (now - next.packet->queued_at < target_ || source.bytes() <= largest_)
      first_above_.reset();
    else if (!first_above_)
      first_above_ = now + interval_;
    else
      next.ok_to_drop = now >= *first_above_;
    return next;
  }
  /// True if the packet was dropped: a marked one stays.
  [[nodiscard]] bool drop_or_mark(LinkPacket& packet, DropSink& drops) const;

  template <class Source>
  void continue_dropping(Source& source, Candidate& next, Instant now, DropSink& drops) {
    if (!next.ok_to_drop) dropping_ = false;
    while (dropping_ && now >= drop_next_) {
      ++count_;
      if (!drop_or_mark(*next.packet, drops)) {
        drop_next_ = control_law(drop_next_);
        return;
      }
      next = take(source, now);
      if (next.ok_to_drop)
        drop_next_ = control_law(drop_next_);
      else
        dropping_ = false;
    }
  }
  template <class Source>
  void start_dropping(Source& source, Candidate& next, Instant now, DropSink& drops) {
    if (drop_or_mark(*next.packet, drops)) next = take(source, now);
    dropping_ = true;
    // Congestion that comes back soon is met with the drop rate that controlled it last time.
    const std::uint32_t delta = count_ - last_count_;
    count_ = delta > 1 && now - drop_next_ < kReuseIntervals * interval_ ? delta : 1;
    drop_next_ = control_law(now);
    last_count_ = count_;
  }

  static constexpr int kReuseIntervals = 16;
  Duration target_;
  Duration interval_;
  bool ecn_;
  bool dropping_ = false;
  std::uint32_t count_ = 0;
  std::uint32_t last_count_ = 0;
  std::uint32_t largest_ = 0;
  Deadline first_above_;
  Instant drop_next_{};
};

class CodelQueue final : public Queue {
 public:
  CodelQueue(const QueueConfig& config, const QueueLimits& limits) : codel_(config), limits_(limits) {}
  void enqueue(const LinkPacket& packet, Instant now, DropSink& drops) override;
  [[nodiscard]] std::optional<LinkPacket> dequeue(Instant now, DropSink& drops) override;
  [[nodiscard]] std::size_t packets() const override { return fifo_.packets(); }
  [[nodiscard]] std::uint64_t bytes() const override { return fifo_.bytes(); }

 private:
  Codel codel_;
  PacketFifo fifo_;
  QueueLimits limits_;
};

}  // namespace mpquic::sim
