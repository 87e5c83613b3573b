#include "tests/interop/network.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic::interop {
namespace {

constexpr std::size_t kIpAndUdp = 28;
// Limits that only a broken transport reaches: one that never stops sending, one whose timer never moves on.
constexpr int kMaxTrainsPerPump = 100'000;
constexpr int kMaxStepsInPlace = 10'000;

}  // namespace

void Network::put_on_wire(Host& from, const Transmit& transmit, Bytes datagram) {
  if (filter_ && filter_(transmit.tuple, datagram)) return;
  const auto serialisation =
      Duration(static_cast<std::int64_t>((datagram.size() + kIpAndUdp) * 1'000'000'000 / conditions_.bytes_per_second));
  const Instant start = std::max(now_, from.link_free);
  if (start - now_ > conditions_.queue) return;
  from.link_free = start + serialisation;
  if (rng_.below(100) < conditions_.loss_percent) return;
  Instant arrival = from.link_free + conditions_.delay;
  if (conditions_.jitter > Duration::zero()) {
    arrival += Duration(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(conditions_.jitter.count()))));
  }
  const FourTuple seen{transmit.tuple.remote, transmit.tuple.local};
  wire_.emplace(std::pair{arrival, sequence_++}, InFlight{seen, transmit.ecn, {datagram.begin(), datagram.end()}});
}

void Network::deliver(InFlight packet) {
  Host& host = packet.tuple.local.ip == server_address().ip ? hosts_[1] : hosts_[0];
  if (host.transport == nullptr) return;
  host.transport->receive({packet.tuple, packet.ecn, packet.bytes, packet.bytes.size()}, now_);
}

void Network::pump_host(Host& host) {
  if (host.transport == nullptr) return;
  for (int trains = 0;; ++trains) {
    MPQUIC_CHECK(trains < kMaxTrainsPerPump);
    bool progress = false;
    while (const auto event = host.transport->poll_event()) {
      host.handler(*event);
      progress = true;
    }
    if (const auto transmit = host.transport->poll_transmit(buffer_, now_)) {
      progress = true;
      Bytes rest = Bytes(buffer_).first(transmit->size);
      while (!rest.empty()) {
        const std::size_t size = std::min(transmit->segment_size, rest.size());
        put_on_wire(host, *transmit, rest.first(size));
        rest = rest.subspan(size);
      }
    }
    if (!progress) return;
  }
}

void Network::pump() {
  for (Host& host : hosts_) pump_host(host);
}

bool Network::run(const std::function<bool()>& done, Duration limit) {
  const Instant end = now_ + limit;
  int idle_steps = 0;
  pump();
  while (!done()) {
    Deadline next;
    for (const Host& host : hosts_) {
      if (host.transport != nullptr) next = earlier(next, host.transport->next_deadline());
    }
    if (!wire_.empty()) next = earlier(next, wire_.begin()->first.first);
    if (!next || *next > end) {
      now_ = end;
      return false;
    }
    idle_steps = *next > now_ ? 0 : idle_steps + 1;
    MPQUIC_CHECK(idle_steps < kMaxStepsInPlace);
    now_ = std::max(now_, *next);
    while (!wire_.empty() && wire_.begin()->first.first <= now_)
      deliver(std::move(wire_.extract(wire_.begin()).mapped()));
    for (const Host& host : hosts_) {
      if (host.transport != nullptr && expired(host.transport->next_deadline(), now_))
        host.transport->on_deadline(now_);
    }
    pump();
  }
  return true;
}

}  // namespace mpquic::interop
