// Path, the part that deals with 4-tuples: validation, migration, amplification, MTU (RFC 9000 §8, §9, §14).
#include <algorithm>

#include "stack/base/check.h"
#include "stack/path/path.h"

namespace mpquic {

std::optional<DropReason> Path::on_datagram(const FourTuple& from, ByteCount bytes) {
  if (amplification_blocked()) timing_.due_known = false;
  const Tuple* tuple = tuples_.on_datagram(from, bytes);
  if (tuple == nullptr) return DropReason::unknown_address;
  if (tuple != &active()) timing_.due_known = false;  // one that was being validated may have made room for it
  counters_.bytes_received += bytes.value();
  return std::nullopt;
}

void Path::on_packet_from(const FourTuple& from, bool probing_only, bool largest, Instant now) {
  // RFC 9000 §9: only clients migrate, and only after the handshake is confirmed. §9.3: "an endpoint MUST NOT send
  // data to an unvalidated address" but for the first flight; only the highest packet number moves the path.
  if (context_.settings.tuple.role != Role::server || probing_only || !largest || !is_open()) return;
  if (!context_.settings.handshake_confirmed) return;
  if (from == active().addresses && active().proved && !unproved_network_) return;
  timing_.due_known = false;
  apply(tuples_.on_peer_moved(from, validation_pto(), now), now);
}

void Path::on_path_challenge(const FourTuple& from, const ChallengeData& data, bool doubts_marks, Instant now) {
  timing_.due_known = false;
  Tuple* tuple = tuple_for(from);
  if (tuple == nullptr || !is_open()) return;
  tuple->responses.push(data);
  tuple->marks_doubted |= doubts_marks && !tuple->proved;
  // A client that probes will probably move: our own challenge rides along, and the move then costs no round trip.
  const bool probed = context_.settings.tuple.role == Role::server && tuple != &tuples_.active();
  if (probed && !awaits_validation() && !tuple->proved && !tuple->validator.in_progress())
    tuple->validator.start(now, validation_pto());
}

void Path::on_path_response(const ChallengeData& data, Instant now) {
  timing_.due_known = false;
  if (is_open()) apply(tuples_.on_response(data, now), now);
}

void Path::start_validation(Instant now) {
  timing_.due_known = false;
  tuples_.active().validator.start(now, validation_pto());
}

void Path::on_address_validated() {
  timing_.due_known = false;
  tuples_.active().amplification.lift();
  tuples_.active().proved = true;
}

bool Path::migrate(const FourTuple& to, Instant now) {
  timing_.due_known = false;
  if (state_ != State::active || to == active().addresses) return false;
  if (std::ranges::any_of(tuples_.all(), &Tuple::migrate_when_validated)) return false;
  tuples_.start_migration(to, validation_pto(), now);
  return true;
}

std::optional<ProbePlan> Path::next_probe() const {
  if (!is_open()) return std::nullopt;
  for (const Tuple& tuple : tuples_.all()) {
    const bool on_active = &tuple == &active();
    const std::uint64_t credit = tuple.amplification.credit().value();
    if (!tuple.owes_probe() || credit < kMinUsefulDatagram || (on_active && socket_blocked())) continue;
    // RFC 9000 §8.2.1: 1200 bytes, "unless the anti-amplification limit for the path does not permit" it.
    const std::size_t size = std::min<std::uint64_t>(credit, kMinInitialDatagram);
    return ProbePlan{tuple.addresses, size, on_active, ecn_codepoint(tuple)};
  }
  return std::nullopt;
}

void Path::write_probe(const ProbePlan& plan, FrameWriter& writer, Instant now) {
  timing_.due_known = false;
  constexpr std::size_t kFrameSize = 1 + sizeof(ChallengeData);
  Tuple* tuple = tuples_.find(plan.tuple);
  if (tuple == nullptr) return;
  if (plan.ecn != Ecn::not_ect && !plan.on_active) foreign_mark_ = now;
  if (tuple->validator.wants_challenge() && writer.remaining() >= kFrameSize) {
    const bool expanded = plan.datagram_size >= kMinInitialDatagram;
    const bool written = writer.write(PathChallengeFrame{tuple->validator.send_challenge(context_.rng, expanded, now)});
    MPQUIC_CHECK(written);
  }
  while (!tuple->responses.empty() && writer.write(PathResponseFrame{tuple->responses.newest()})) {
    tuple->responses.pop();
  }
}

std::optional<std::size_t> Path::mtu_probe_size(Instant now) const {
  const std::optional<std::size_t> size = active().mtu.probe_size();
  if (!size) return std::nullopt;
  const bool settled = state_ == State::active && context_.settings.handshake_confirmed && active().data_allowed();
  if (!settled || pto_count_ > 0 || socket_blocked() || !active().amplification.lifted()) return std::nullopt;
  if (bytes_in_flight() + ByteCount{*size} > congestion_->window() || !pacer_.can_send(now)) return std::nullopt;
  return size;
}

void Path::on_transmit_too_big(const FourTuple& addresses, Instant now) {
  timing_.due_known = false;
  Tuple* tuple = tuples_.find(addresses);
  if (tuple != nullptr && tuple->mtu.on_too_big(now) && tuple == &tuples_.active()) update_datagram_size(now);
}

void Path::on_peer_udp_limit(Instant now) {
  timing_.due_known = false;
  for (Tuple& tuple : tuples_.all()) tuple.mtu.set_peer_limit(context_.settings.tuple.peer_max_udp_payload);
  update_datagram_size(now);
}

std::size_t Path::max_datagram_size() const { return active().mtu.current(); }

Ecn Path::ecn_codepoint(const Tuple& tuple) const {
  const bool here = same_network(tuple.addresses, network_.addresses);
  if (tuple.marks_doubted && !(here && ecn_.state() == EcnValidator::State::capable)) return Ecn::not_ect;
  return here ? ecn_.codepoint() : EcnValidator(context_.settings.ecn).codepoint();
}

Tuple* Path::tuple_for(const FourTuple& from) {
  if (Tuple* tuple = tuples_.find(from)) return tuple;
  // As in TupleSet::on_datagram: a client may see its own address differently.
  const auto same_remote = [&](const Tuple& tuple) { return tuple.addresses.remote == from.remote; };
  const auto found = std::ranges::find_if(tuples_.all(), same_remote);
  return found == tuples_.all().end() || context_.settings.tuple.role == Role::server ? nullptr : &*found;
}

bool Path::amplification_blocked() const { return active().amplification.credit().value() < kMinUsefulDatagram; }

Duration Path::validation_pto() const {
  // RFC 9000 §8.2.4: "the larger of the current PTO or the PTO for the new path (using kInitialRtt)".
  const RttEstimator unmeasured(context_.settings.initial_rtt);
  return std::max(pto(), unmeasured.pto_base(context_.settings.peer_max_ack_delay));
}

void Path::apply(const TupleOutcome& outcome, Instant now) {
  if (outcome.none_left) unreachable_ = true;
  if (outcome.validated || outcome.switched) unreachable_ = false;
  if (outcome.migration_failed) {
    context_.events.push_back(PathEvent{.kind = PathEvent::Kind::refused,
                                        .id = id_,
                                        .tuple = *outcome.migration_failed,
                                        .reason = "the new 4-tuple did not validate"});
  }
  if (outcome.switched) {
    unproved_network_.reset();
    const bool new_network = !same_network(network_.addresses, active().addresses);
    if (new_network) {
      unproved_network_ = Network{active().addresses, space(SpaceId::application).next_number(), now};
    }
    update_datagram_size(now);
    context_.events.push_back(PathEvent{.kind = PathEvent::Kind::migrated,
                                        .id = id_,
                                        .tuple = active().addresses,
                                        .new_network = new_network,
                                        .reason = outcome.reverted ? "back to the last validated 4-tuple" : ""});
  }
  if (unproved_network_ && active().proved) enter_network(now);
  // A path that is not validated yet may move to a 4-tuple that is: the peer probed it before.
  const bool moved_to_proved = outcome.switched && state_ == State::validating && active().proved;
  if (outcome.validated || moved_to_proved) {
    if (state_ == State::validating) state_ = State::active;
    emit(PathEvent::Kind::validated);
  }
}

void Path::enter_network(Instant now) {
  // RFC 9000 §9.4: "an endpoint MUST immediately reset the congestion controller and round-trip time estimator"; the
  // exception is a change of ports alone, which is no change of network here.
  network_ = *unproved_network_;
  unproved_network_.reset();
  rtt_.reset();
  round_ = {};
  congestion_->reset();
  pacer_ = Pacer(max_datagram_size());
  ecn_.reset(context_.settings.ecn);
  pto_count_ = 0;
  update_datagram_size(now);
}

void Path::update_datagram_size(Instant now) {
  congestion_->on_max_datagram_size(max_datagram_size());
  pacer_.set_max_datagram_size(max_datagram_size(), now);
}

void Path::update_mtu(const AckOutcome& out, Instant now) {
  MtuDiscovery& mtu = tuples_.active().mtu;
  bool changed = false;
  for (const std::uint32_t size : out.mtu_probes_acked) changed |= mtu.on_probe_acked(size, now);
  for (const std::uint32_t size : out.mtu_probes_lost) mtu.on_probe_lost(size, now);
  if (out.newest_acked) mtu.on_acked(out.largest_acked_bytes, out.newest_acked->number);
  for (const LostPacket& lost : out.lost_packets) {
    if (lost.trigger != LossTrigger::forgotten) changed |= mtu.on_packet_lost(lost.number, lost.bytes);
  }
  if (changed) update_datagram_size(now);
}

}  // namespace mpquic
