#include "sim/workload/host.h"

namespace mpquic::sim {

Host::Host(Role role, const Parts& parts)
    : role_(role),
      world_(parts.world),
      transport_(&parts.transport),
      application_(&parts.application),
      observer_(parts.observer),
      clock_(parts.clock),
      timer_(parts.world.events().make_timer(
          {.kind = EventKind::host_timer, .target = static_cast<std::uint32_t>(role), .payload = 0})),
      train_(kMaxDatagram) {}

void Host::restart(Transport& transport, Application& application) {
  transport_ = &transport;
  application_ = &application;
  world_.events().disarm(timer_);
}

void Host::on_packet(const ReceivedTrain& train) {
  observer_.before_service(role_, *transport_);
  transport_->receive(train, clock_.now());
  static_cast<void>(service_and_rearm());
}

void Host::on_timer() {
  observer_.before_service(role_, *transport_);
  transport_->on_deadline(clock_.now());
  observer_.on_wakeup(role_, service_and_rearm());
}

void Host::service() {
  observer_.before_service(role_, *transport_);
  static_cast<void>(service_and_rearm());
}

bool Host::drain_events() {
  bool any = false;
  while (const auto event = transport_->poll_event()) {
    application_->on_event(*event, world_.now());
    any = true;
  }
  return any;
}

bool Host::drain_transmissions(std::size_t& trains) {
  const Instant now = clock_.now();
  bool any = false;
  while (const auto train = transport_->poll_transmit(train_, now)) {
    any = true;
    if (const auto failure = world_.send(role_, *train, Bytes(train_).first(train->size)))
      transport_->on_transmit_failed(*train, *failure, now);
    if (++trains == kMaxTrainsPerService) break;
  }
  return any;
}

bool Host::service_and_rearm() {
  std::size_t trains = 0;
  std::size_t rounds = 0;
  // Events first: what the application writes in answer to them leaves with the same trains.
  bool worked = drain_events();
  do {
    worked |= drain_transmissions(trains);
    if (trains < kMaxTrainsPerService && ++rounds < kMaxRoundsPerService) continue;
    observer_.on_runaway(role_);
    break;
  } while (drain_events());
  if (const Deadline deadline = transport_->next_deadline())
    world_.events().arm(timer_, clock_.world_time(*deadline));
  else
    world_.events().disarm(timer_);
  observer_.after_service(role_, *transport_);
  return worked;
}

}  // namespace mpquic::sim
