#include "sim/link/outage.h"

#include <utility>

namespace mpquic::sim {

Outage::Outage(const OutageConfig& config, const RandomStream& random, std::vector<Link*> links)
    : mode_(config.mode), process_(config.when, random), links_(std::move(links)) {}

void Outage::on_deadline(Instant now) {
  while (process_.next_change() <= now) {
    const Instant at = process_.next_change();
    process_.advance();
    apply(at);
  }
}

void Outage::end(Instant now) {
  if (std::exchange(over_, true) || !process_.on()) return;
  process_.advance();
  apply(now);
}

void Outage::apply(Instant at) {
  for (Link* link : links_) {
    if (mode_ == OutageMode::drop)
      process_.on() ? link->begin_outage(at) : link->end_outage();
    else
      process_.on() ? link->begin_hold() : link->end_hold(at);
  }
}

}  // namespace mpquic::sim
