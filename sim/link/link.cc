#include "sim/link/link.h"

#include <algorithm>
#include <numeric>

#include "stack/base/check.h"

namespace mpquic::sim {

std::uint64_t LinkCounters::dropped_total() const {
  return std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0});
}

Link::Link(LinkId id, const LinkConfig& config, const Services& services, std::uint64_t seed)
    : id_(id), config_(config), services_(services), bottleneck_(services.shared) {
  const RandomSource random{.seed = seed, .entity = id.value()};
  if (bottleneck_ == nullptr) {
    own_ = std::make_unique<Bottleneck>(config, random);
    bottleneck_ = own_.get();
  }
  port_ = bottleneck_->attach(*this);
  if (config.policer) {
    MPQUIC_CHECK(config.policer->burst.value() >= config.mtu);
    policer_.emplace(config.policer->rate, config.policer->burst);
  }
  if (config.jitter || config.delay_trace != nullptr)
    delay_model_.emplace(config.jitter, config.delay_trace, random.of(Purpose::jitter));
  add_impairments(random);
}

void Link::add_impairments(const RandomSource& random) {
  auto loss = std::make_unique<IidLoss>(config_.loss, random.of(Purpose::loss));
  loss_ = loss.get();
  impairments_.push_back(std::move(loss));
  if (config_.burst_loss) {
    auto bursts = std::make_unique<BurstLoss>(*config_.burst_loss, random);
    burst_loss_ = bursts.get();
    impairments_.push_back(std::move(bursts));
  }
  if (config_.corrupt > 0)
    impairments_.push_back(std::make_unique<Corrupt>(config_.corrupt, random.of(Purpose::corrupt)));
  if (config_.truncate > 0)
    impairments_.push_back(std::make_unique<Truncate>(config_.truncate, random.of(Purpose::truncate)));
  if (config_.duplicate > 0)
    impairments_.push_back(std::make_unique<Duplicate>(config_.duplicate, random.of(Purpose::duplicate)));
  if (config_.reorder > 0)
    impairments_.push_back(
        std::make_unique<Reorder>(config_.reorder, config_.reorder_delay, random.of(Purpose::reorder)));
}

void Link::offer(LinkPacket packet, Instant now) {
  ++counters_.offered;
  ++counters_.held;
  if (!up()) return drop(packet.ref, LinkDrop::down);
  if (packet.bytes > config_.mtu) return drop(packet.ref, LinkDrop::too_big);
  if (policer_ && !policer_->take(packet.bytes, now)) return drop(packet.ref, LinkDrop::policed);
  if (config_.drops_ect && packet.ecn != Ecn::not_ect) return drop(packet.ref, LinkDrop::ect);
  if (config_.bleach && packet.ecn != Ecn::not_ect) {
    ++counters_.bleached;
    packet.ecn = Ecn::not_ect;
    services_.store.set_ecn(packet.ref, Ecn::not_ect);
  }
  packet.port = port_;
  bottleneck_->offer(packet, now);
}

Instant Link::on_deadline(Instant now) {
  Instant next = due();
  for (; next <= now; next = due()) {
    if (next == wire_due_)
      arrive();
    else if (next == straggler_due_)
      arrive_late();
    else
      own_->on_due();
  }
  return next;
}

void Link::on_served(const LinkPacket& served, Instant at) {
  if (!up()) return drop(served.ref, LinkDrop::down);
  LinkPacket packet = served;
  Fate fate;
  for (const auto& impairment : impairments_) impairment->apply(fate, at);
  if (packet.marked) {
    ++counters_.marked;
    services_.store.set_ecn(packet.ref, Ecn::ce);
  }
  if (fate.flip) {
    ++counters_.corrupted;
    services_.store.flip_bit(packet.ref, *fate.flip);
  }
  if (fate.cut) {
    ++counters_.truncated;
    packet.bytes = services_.store.truncate(packet.ref, *fate.cut);
  }
  if (fate.lost) return drop(packet.ref, LinkDrop::loss);
  if (fate.duplicated) {
    ++counters_.duplicated;
    ++counters_.held;
    LinkPacket copy = packet;
    copy.ref = services_.store.clone(packet.ref);
    propagate(copy, Duration::zero(), at);
  }
  propagate(packet, fate.detour, at);
}

void Link::propagate(const LinkPacket& packet, Duration detour, Instant at) {
  const Instant arrives = at + (delay_model_ ? delay_model_->at(at, config_.delay) : config_.delay);
  if (detour > Duration::zero()) {
    stragglers_.push_back({.packet = {.ref = packet.ref, .bytes = packet.bytes, .arrives = arrives + detour},
                           .sequence = straggler_sequence_++});
    std::ranges::push_heap(stragglers_, std::less<>{});
    straggler_due_ = stragglers_.front().packet.arrives;
    return;
  }
  last_arrival_ = std::max(last_arrival_, arrives);
  if (wire_.empty()) wire_due_ = last_arrival_;
  wire_.push_back({.ref = packet.ref, .bytes = packet.bytes, .arrives = last_arrival_});
}

void Link::arrive() {
  const OnWire packet = wire_.pop_front();
  wire_due_ = kNever;
  if (!wire_.empty()) {
    wire_due_ = wire_.front().arrives;
    services_.store.prefetch(wire_.front().ref, wire_.front().bytes);
  }
  deliver(packet);
}

void Link::arrive_late() {
  std::ranges::pop_heap(stragglers_, std::less<>{});
  const OnWire packet = stragglers_.back().packet;
  stragglers_.pop_back();
  straggler_due_ = stragglers_.empty() ? kNever : stragglers_.front().packet.arrives;
  deliver(packet);
}

void Link::deliver(const OnWire& packet) {
  --counters_.held;
  ++counters_.delivered;
  counters_.delivered_bytes += packet.bytes;
  services_.observer.on_delivered(id_, packet.ref);
}

void Link::drop(PacketRef packet, LinkDrop reason) {
  --counters_.held;
  ++counters_.dropped[static_cast<std::size_t>(reason)];
  services_.observer.on_dropped(id_, packet, reason);
}

void Link::set_rate(Bandwidth rate) {
  config_.rate = rate;
  bottleneck_->set_rate(rate);
}

void Link::set_delay(Duration delay) {
  config_.delay = delay;
  if (delay_model_) delay_model_->forget_trace();
}

void Link::set_loss(double probability) {
  config_.loss = probability;
  loss_->set(probability);
}

void Link::end_faults() {
  policer_.reset();
  if (burst_loss_ != nullptr) burst_loss_->end();
}

void Link::set_up(bool up, Instant now) {
  const bool was_up = this->up();
  up_ = up;
  if (was_up && !this->up()) lose_everything(now);
}

void Link::begin_outage(Instant now) {
  const bool was_up = up();
  ++outages_;
  if (was_up) lose_everything(now);
}

void Link::end_outage() {
  MPQUIC_CHECK(outages_ > 0);
  --outages_;
}

void Link::lose_everything(Instant now) {
  if (own_ != nullptr) own_->flush(now, LinkDrop::down);
  wire_due_ = kNever;
  straggler_due_ = kNever;
  while (!wire_.empty()) drop(wire_.pop_front().ref, LinkDrop::down);
  for (const Straggler& straggler : stragglers_) drop(straggler.packet.ref, LinkDrop::down);
  stragglers_.clear();
}

}  // namespace mpquic::sim
