#include "sim/link/fq_codel.h"

#include <algorithm>

namespace mpquic::sim {
namespace {

/// At most this many packets go at once, half of the fattest queue if that is less (RFC 8290 §4.1.3).
constexpr std::uint32_t kDropBatch = 64;
/// Spreads neighbouring flow numbers over the queues (Fibonacci hashing).
constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;

}  // namespace

struct FqCodelQueue::FlowSource {
  FqCodelQueue& queue;
  Flow& flow;
  [[nodiscard]] std::optional<LinkPacket> pop() const {
    if (flow.head == kNone) return std::nullopt;
    return queue.pop(flow);
  }
  [[nodiscard]] std::uint64_t bytes() const { return flow.bytes; }
};

FqCodelQueue::FqCodelQueue(const QueueConfig& config, const QueueLimits& limits)
    : flows_(config.flows, Flow(config)), limits_(limits), quantum_(config.quantum) {}

void FqCodelQueue::append(Flow& flow, const LinkPacket& packet) {
  std::uint32_t node = free_;
  if (node == kNone) {
    node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    free_ = nodes_[node].next;
  }
  nodes_[node] = {.packet = packet, .next = kNone};
  if (flow.head == kNone)
    flow.head = node;
  else
    nodes_[flow.tail].next = node;
  flow.tail = node;
  flow.bytes += packet.bytes;
  bytes_ += packet.bytes;
  ++packets_;
}

LinkPacket FqCodelQueue::pop(Flow& flow) {
  const std::uint32_t node = flow.head;
  flow.head = nodes_[node].next;
  nodes_[node].next = free_;
  free_ = node;
  const LinkPacket& packet = nodes_[node].packet;
  flow.bytes -= packet.bytes;
  bytes_ -= packet.bytes;
  --packets_;
  return packet;
}

void FqCodelQueue::enqueue(const LinkPacket& packet, Instant /*now*/, DropSink& drops) {
  const std::uint64_t hash = (packet.flow * kGoldenRatio) >> 32;
  const auto index = static_cast<std::uint32_t>(hash % flows_.size());
  Flow& flow = flows_[index];
  append(flow, packet);
  if (flow.round == Round::idle) {
    flow.round = Round::fresh;
    flow.deficit = quantum_;
    fresh_.push_back(index);
  }
  while (packets_ > 1 && (bytes_ > limits_.bytes || packets_ > limits_.packets)) drop_from_fattest(drops);
}

void FqCodelQueue::drop_from_fattest(DropSink& drops) {
  Flow& fattest = *std::ranges::max_element(flows_, {}, &Flow::bytes);
  const std::uint64_t half = fattest.bytes / 2;
  std::uint64_t dropped = 0;
  for (std::uint32_t i = 0; i < kDropBatch && packets_ > 1 && (i == 0 || dropped < half); ++i) {
    const LinkPacket packet = pop(fattest);
    dropped += packet.bytes;
    drops.drop(packet, LinkDrop::queue_full);
    if (fattest.head == kNone) return;
  }
}

std::optional<LinkPacket> FqCodelQueue::dequeue(Instant now, DropSink& drops) {
  while (!fresh_.empty() || !old_.empty()) {
    const bool is_fresh = !fresh_.empty();
    RingBuffer<std::uint32_t>& list = is_fresh ? fresh_ : old_;
    const std::uint32_t index = list.front();
    Flow& flow = flows_[index];
    if (flow.deficit <= 0) {
      flow.deficit += quantum_;
      flow.round = Round::old;
      old_.push_back(list.pop_front());
      continue;
    }
    FlowSource source{*this, flow};
    if (auto packet = flow.codel.dequeue(source, now, drops)) {
      flow.deficit -= packet->bytes;
      return packet;
    }
    // A new flow that runs empty has to wait its turn among the old ones, or it could jump the queue for ever
    // (RFC 8290 §4.2).
    static_cast<void>(list.pop_front());
    flow.round = is_fresh && !old_.empty() ? Round::old : Round::idle;
    if (flow.round == Round::old) old_.push_back(index);
  }
  return std::nullopt;
}

}  // namespace mpquic::sim
