#include "sim/host.h"

namespace mpquic::sim {

Host::Host(Role role, const Parts& parts)
    : role_(role),
      parts_(parts),
      timer_(parts.world.events().make_timer(
          {.kind = EventKind::host_timer, .target = static_cast<std::uint32_t>(role), .payload = 0})),
      train_(kMaxDatagram) {}

void Host::on_packet(const ReceivedTrain& train) {
  parts_.observer.before_service(role_, parts_.transport);
  parts_.transport.receive(train, parts_.world.now());
  static_cast<void>(service_and_rearm());
}

void Host::on_timer() {
  parts_.observer.before_service(role_, parts_.transport);
  parts_.transport.on_deadline(parts_.world.now());
  parts_.observer.on_wakeup(role_, service_and_rearm());
}

void Host::service() {
  parts_.observer.before_service(role_, parts_.transport);
  static_cast<void>(service_and_rearm());
}

bool Host::drain_events() {
  bool any = false;
  while (const auto event = parts_.transport.poll_event()) {
    parts_.application.on_event(*event, parts_.world.now());
    any = true;
  }
  return any;
}

bool Host::drain_transmissions(std::size_t& trains) {
  const Instant now = parts_.world.now();
  bool any = false;
  while (const auto train = parts_.transport.poll_transmit(train_, now)) {
    any = true;
    if (const auto failure = parts_.world.send(role_, *train, Bytes(train_).first(train->size)))
      parts_.transport.on_transmit_failed(train->tuple, *failure, now);
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
    parts_.observer.on_runaway(role_);
    break;
  } while (drain_events());
  if (const Deadline deadline = parts_.transport.next_deadline())
    parts_.world.events().arm(timer_, *deadline);
  else
    parts_.world.events().disarm(timer_);
  parts_.observer.after_service(role_, parts_.transport);
  return worked;
}

}  // namespace mpquic::sim
