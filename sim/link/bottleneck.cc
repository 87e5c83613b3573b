#include "sim/link/bottleneck.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic::sim {
namespace {

constexpr std::uint16_t kCrossPort = UINT16_MAX;

}  // namespace

Bottleneck::Bottleneck(const BottleneckConfig& config, const RandomSource& random)
    : random_(random),
      queue_(make_queue(config.discipline, config.queue, random)),
      service_(make_service(config.service, config.rate, random)) {
  MPQUIC_CHECK(config.rate.bits_per_second() > 0);
  if (config.cross_traffic) cross_traffic_.emplace(*config.cross_traffic, random.of(Purpose::cross_traffic));
  update_due();
}

std::uint16_t Bottleneck::attach(Exit& exit) {
  MPQUIC_CHECK(exits_.size() < kCrossPort);
  exits_.push_back(&exit);
  return static_cast<std::uint16_t>(exits_.size() - 1);
}

void Bottleneck::serve_next(Instant now) {
  in_service_ = queue_->dequeue(now, *this);
  finishes_ = in_service_ ? service_->finish(in_service_->bytes, now) : kNever;
  update_due();
}

void Bottleneck::update_due() {
  due_ = pauses_ > 0 ? kNever : finishes_;
  if (cross_traffic_) due_ = std::min(due_, cross_traffic_->next());
}

void Bottleneck::on_due() {
  if (cross_traffic_ && cross_traffic_->next() == due_)
    emit_cross_traffic();
  else
    finish_service();
}

void Bottleneck::finish_service() {
  const LinkPacket packet = *in_service_;
  const Instant at = finishes_;
  if (packet.port == kCrossPort)
    ++cross_counters_.served;
  else
    exits_[packet.port]->on_served(packet, at);
  serve_next(at);
}

void Bottleneck::emit_cross_traffic() {
  const Instant at = cross_traffic_->next();
  LinkPacket packet = cross_traffic_->emit();
  packet.port = kCrossPort;
  ++cross_counters_.offered;
  offer(packet, at);
  update_due();
}

void Bottleneck::drop(const LinkPacket& packet, LinkDrop reason) {
  if (packet.port == kCrossPort)
    ++cross_counters_.dropped;
  else
    exits_[packet.port]->on_refused(packet, reason);
}

void Bottleneck::set_rate(Bandwidth rate) {
  MPQUIC_CHECK(rate.bits_per_second() > 0);
  service_ = std::make_unique<FixedRateService>(rate);
}

void Bottleneck::pause() {
  ++pauses_;
  update_due();
}

void Bottleneck::resume(Instant now) {
  MPQUIC_CHECK(pauses_ > 0);
  if (--pauses_ > 0) return;
  if (in_service_) finishes_ = std::max(finishes_, now);
  update_due();
}

void Bottleneck::flush(Instant now, LinkDrop reason) {
  if (in_service_) drop(*in_service_, reason);
  in_service_.reset();
  while (const auto packet = queue_->dequeue(now, *this)) drop(*packet, reason);
  finishes_ = kNever;
  update_due();
}

}  // namespace mpquic::sim
