#include "stack/path/tuple.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"

namespace mpquic {

void PendingResponses::push(const ChallengeData& data) {
  if (count_ == kMax) {
    std::shift_left(items_.begin(), items_.end(), 1);
    --count_;
  }
  items_[count_++] = data;
}

bool same_network(const FourTuple& a, const FourTuple& b) {
  return a.local.ip == b.local.ip && a.remote.ip == b.remote.ip;
}

TupleSet::TupleSet(const FourTuple& addresses, const TupleSettings& settings) : settings_(settings) {
  tuples_.reserve(1 + kMaxProbingTuples);
  add(addresses);
}

Tuple* TupleSet::find(const FourTuple& addresses) {
  const auto found = std::ranges::find(tuples_, addresses, &Tuple::addresses);
  return found == tuples_.end() ? nullptr : &*found;
}

Tuple* TupleSet::on_datagram(const FourTuple& addresses, ByteCount bytes) {
  Tuple* tuple = find(addresses);
  if (tuple == nullptr && settings_.role == Role::client) {
    // The server's address is known, our own may be reported differently (a wildcard socket, a renumbered host).
    const auto found =
        std::ranges::find_if(tuples_, [&](const Tuple& known) { return known.addresses.remote == addresses.remote; });
    if (found == tuples_.end()) return nullptr;
    tuple = &*found;
  }
  if (tuple == nullptr) tuple = &add(addresses);
  tuple->amplification.on_received(bytes);
  return tuple;
}

TupleOutcome TupleSet::on_peer_moved(const FourTuple& addresses, Duration pto, Instant now) {
  const auto found = std::ranges::find(tuples_, addresses, &Tuple::addresses);
  if (found == tuples_.end()) return {};
  if (found == tuples_.begin()) {
    // Its validation had failed, and there was no other to go back to; but here is the peer.
    const Validator& validator = found->validator;
    if (!found->proved && !validator.in_progress() && !validator.waiting()) found->validator.start(now, pto);
    return {};
  }
  // RFC 9000 §9.3.3: an attacker may have forwarded the packet, so the address that is left gets challenged as well.
  if (active().proved && !active().validator.in_progress()) active().validator.start(now, pto);
  if (!found->proved && !found->validator.in_progress()) {
    // Moving does not let a path jump the queue.
    active().validator.waiting() ? found->validator.wait() : found->validator.start(now, pto);
  }
  return activate(static_cast<std::size_t>(found - tuples_.begin()));
}

void TupleSet::start_migration(const FourTuple& addresses, Duration pto, Instant now) {
  Tuple* tuple = find(addresses);
  if (tuple == nullptr) tuple = &add(addresses);
  tuple->migrate_when_validated = true;
  tuple->validator.start(now, pto);
}

TupleOutcome TupleSet::on_response(const ChallengeData& data, Instant now) {
  for (std::size_t i = 0; i < tuples_.size(); ++i) {
    Tuple& tuple = tuples_[i];
    if (tuple.validator.on_response(data, now) == Validator::Answer::unknown) continue;
    const bool first_proof = !tuple.proved;
    tuple.proved = true;
    tuple.amplification.lift();
    TupleOutcome outcome;
    if (std::exchange(tuple.migrate_when_validated, false) && i > 0) outcome = activate(i);
    outcome.validated = first_proof && (i == 0 || outcome.switched);
    return outcome;
  }
  return {};
}

TupleOutcome TupleSet::on_deadline(Instant now) {
  TupleOutcome outcome;
  active().mtu.on_deadline(now);
  for (std::size_t i = tuples_.size(); i-- > 1;) {
    if (!run_validator(tuples_[i], now)) continue;
    if (tuples_[i].migrate_when_validated) outcome.migration_failed = tuples_[i].addresses;
    remove(i);
  }
  if (!run_validator(active(), now)) return outcome;
  const auto fallback = std::find_if(tuples_.begin() + 1, tuples_.end(), [](const Tuple& t) { return t.proved; });
  if (fallback == tuples_.end()) {
    outcome.none_left = true;
    return outcome;
  }
  // RFC 9000 §9.3.2: "the endpoint MUST revert to using the last validated peer address".
  const auto index = static_cast<std::size_t>(fallback - tuples_.begin());
  const std::optional<FourTuple> migration_failed = outcome.migration_failed;
  outcome = activate(index);
  outcome.migration_failed = migration_failed;
  outcome.reverted = true;
  remove(index);
  return outcome;
}

bool TupleSet::run_validator(Tuple& tuple, Instant now) {
  const bool owed = tuple.validator.wants_challenge();
  const bool failed = tuple.validator.on_deadline(now);
  tuple.marks_doubted |= !owed && tuple.validator.wants_challenge();  // it is to be repeated
  return failed;
}

Deadline TupleSet::next_deadline() const {
  Earliest earliest;
  earliest.add(active().mtu.next_deadline());
  for (const Tuple& tuple : tuples_) earliest.add(tuple.validator.next_deadline());
  return earliest.deadline();
}

void TupleSet::remove(std::size_t index) {
  if (const auto cid = tuples_[index].peer_cid) released_cids_.push_back(*cid);
  tuples_.erase(tuples_.begin() + static_cast<std::ptrdiff_t>(index));
}

Tuple& TupleSet::add(const FourTuple& addresses) {
  if (tuples_.size() > kMaxProbingTuples) {
    // What may have to be fallen back to stays; of the others the oldest goes.
    auto victim = std::find_if(tuples_.begin() + 1, tuples_.end(), [](const Tuple& tuple) { return !tuple.proved; });
    if (victim == tuples_.end()) victim = tuples_.begin() + 1;
    remove(static_cast<std::size_t>(victim - tuples_.begin()));
  }
  Tuple tuple{.addresses = addresses,
              .amplification = {},
              .validator = {},
              .mtu = MtuDiscovery(settings_.mtu),
              .responses = {},
              .peer_cid = {}};
  tuple.mtu.set_peer_limit(settings_.peer_max_udp_payload);
  // RFC 9000 §8.1 limits what a server sends to a client's claim; a client chose the address itself.
  if (settings_.role == Role::client) tuple.amplification.lift();
  return tuples_.emplace_back(tuple);
}

TupleOutcome TupleSet::activate(std::size_t index) {
  MPQUIC_CHECK(index > 0 && index < tuples_.size());
  std::swap(tuples_[0], tuples_[index]);
  TupleOutcome outcome;
  outcome.switched = true;
  return outcome;
}

}  // namespace mpquic
