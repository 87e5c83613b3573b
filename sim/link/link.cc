#include "sim/link/link.h"

#include <algorithm>
#include <numeric>

namespace mpquic::sim {

std::string_view name_of(LinkDrop reason) {
  switch (reason) {
    case LinkDrop::queue_full: return "queue_full";
    case LinkDrop::loss: return "loss";
    case LinkDrop::too_big: return "too_big";
    case LinkDrop::down: return "down";
    case LinkDrop::count_: break;
  }
  return "unknown";
}

std::uint64_t LinkCounters::dropped_total() const {
  return std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0});
}

Link::Link(LinkId id, const LinkConfig& config, const Services& services, std::uint64_t seed)
    : id_(id),
      config_(config),
      services_(services),
      queue_(std::make_unique<DropTailQueue>(config.queue)),
      service_timer_(services.events.make_timer({.kind = EventKind::link_serviced, .target = id.value()})),
      arrival_timer_(services.events.make_timer({.kind = EventKind::link_arrival, .target = id.value()})) {
  MPQUIC_CHECK(config.rate.bits_per_second() > 0);
  add_impairments(seed);
}

void Link::add_impairments(std::uint64_t seed) {
  const auto random = [&](Purpose purpose) {
    return RandomStream{.seed = seed, .stream = stream_of(purpose, id_.value())};
  };
  auto loss = std::make_unique<IidLoss>(config_.loss, random(Purpose::loss));
  loss_ = loss.get();
  impairments_.push_back(std::move(loss));
  if (config_.corrupt > 0) impairments_.push_back(std::make_unique<Corrupt>(config_.corrupt, random(Purpose::corrupt)));
  if (config_.duplicate > 0)
    impairments_.push_back(std::make_unique<Duplicate>(config_.duplicate, random(Purpose::duplicate)));
  if (config_.reorder > 0)
    impairments_.push_back(std::make_unique<Reorder>(config_.reorder, config_.reorder_delay, random(Purpose::reorder)));
}

void Link::offer(PacketRef packet) {
  ++counters_.offered;
  ++counters_.held;
  const std::size_t bytes = services_.pool[packet].ip_size();
  if (!up_) return drop(packet, LinkDrop::down);
  if (bytes > config_.mtu) return drop(packet, LinkDrop::too_big);
  const Queued item{.packet = packet, .bytes = static_cast<std::uint32_t>(bytes)};
  if (!queue_->enqueue(item, services_.events.now())) return drop(packet, LinkDrop::queue_full);
  if (!in_service_) transmit_next();
}

void Link::transmit_next() {
  const Instant now = services_.events.now();
  const auto next = queue_->dequeue(now);
  if (!next) return;
  in_service_ = next->packet;
  services_.events.arm(service_timer_, now + transfer_time(next->bytes));
}

void Link::on_serviced() {
  const PacketRef packet = *in_service_;
  in_service_.reset();
  Fate fate;
  const MutableBytes bytes = services_.pool.bytes(packet);
  for (const auto& impairment : impairments_) impairment->apply(bytes, fate, services_.events.now());
  if (fate.corrupted) ++counters_.corrupted;
  if (fate.lost) {
    drop(packet, LinkDrop::loss);
  } else {
    if (fate.duplicated) {
      ++counters_.duplicated;
      ++counters_.held;
      propagate(services_.pool.clone(packet), Fate{});
    }
    propagate(packet, fate);
  }
  transmit_next();
}

void Link::propagate(PacketRef packet, const Fate& fate) {
  const Instant arrives = services_.events.now() + config_.delay;
  if (fate.detour > Duration::zero()) {
    services_.events.post(arrives + fate.detour, {EventKind::link_straggler, id_.value(), packet.value()});
    return;
  }
  last_arrival_ = std::max(last_arrival_, arrives);
  if (wire_.empty()) services_.events.arm(arrival_timer_, last_arrival_);
  wire_.push_back({.packet = packet, .arrives = last_arrival_});
}

void Link::on_arrival() {
  const PacketRef packet = wire_.pop_front().packet;
  if (!wire_.empty()) services_.events.arm(arrival_timer_, wire_.front().arrives);
  deliver(packet);
}

void Link::on_straggler(PacketRef packet) {
  if (!up_ || services_.pool[packet].sent_at < went_down_) return drop(packet, LinkDrop::down);
  deliver(packet);
}

void Link::deliver(PacketRef packet) {
  --counters_.held;
  ++counters_.delivered;
  counters_.delivered_bytes += services_.pool[packet].ip_size();
  services_.observer.on_delivered(id_, packet);
}

void Link::drop(PacketRef packet, LinkDrop reason) {
  --counters_.held;
  ++counters_.dropped[static_cast<std::size_t>(reason)];
  services_.observer.on_dropped(id_, packet, reason);
}

void Link::set_rate(Bandwidth rate) {
  MPQUIC_CHECK(rate.bits_per_second() > 0);
  config_.rate = rate;
  timed_bytes_ = 0;
}

void Link::set_loss(double probability) {
  config_.loss = probability;
  loss_->set(probability);
}

void Link::set_up(bool up) {
  if (up_ == up) return;
  up_ = up;
  if (up) return;
  went_down_ = services_.events.now();
  services_.events.disarm(service_timer_);
  services_.events.disarm(arrival_timer_);
  if (in_service_) drop(*in_service_, LinkDrop::down);
  in_service_.reset();
  while (const auto item = queue_->dequeue(went_down_)) drop(item->packet, LinkDrop::down);
  while (!wire_.empty()) drop(wire_.pop_front().packet, LinkDrop::down);
}

Duration Link::transfer_time(std::uint32_t bytes) {
  if (bytes != timed_bytes_) {
    timed_bytes_ = bytes;
    timed_ = config_.rate.transfer_time(ByteCount(bytes));
  }
  return timed_;
}

}  // namespace mpquic::sim
