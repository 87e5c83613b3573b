// Demand -> trains. What is bound to a 4-tuple goes first, then the handshake, probes, data, and bare acknowledgements.
#include <algorithm>
#include <array>

#include "stack/conn/connection.h"

namespace mpquic {
namespace {

/// Room that must be left after an Initial packet for a Handshake packet to share its datagram.
constexpr std::size_t kMinCoalescedRoom = 128;

}  // namespace

std::optional<Transmit> Connection::poll_transmit(MutableBytes out, Instant now) {
  if (!lifecycle_.open()) return transmit_close(out, now);
  const Wants wants = survey(now);
  if (keys_.has_write(EncryptionLevel::one_rtt) && handshake_.complete()) {
    if (const auto allowed = keys_.before_sending(now); !allowed) {
      fail(allowed.error(), now);
      return std::nullopt;
    }
    trace_key_update(true, now);
    if (wants.path_probe) {
      if (auto sent = transmit_path_probe(out, now)) return sent;
    }
  }
  pacing_wakeup_.reset();
  if (!confirmed_) {
    if (auto sent = transmit_handshake(out, now)) return sent;
    // A long flight is paced as well, and when all of what went out is acknowledged no other timer runs.
    if (std::max(handshake_.interest(EncryptionLevel::initial), handshake_.interest(EncryptionLevel::handshake)) !=
        Interest::none)
      for (const PathView& view : sendable_views(now)) pacing_wakeup_ = earlier(pacing_wakeup_, view.next_send);
  }
  if (!may_send_application()) return std::nullopt;
  if (wants.pto_probe) {
    if (auto sent = transmit_pto_probe(out, now)) return sent;
  }
  // Before data: a transfer that always has more to send would never leave room, and stay at small datagrams.
  if (wants.mtu_probe) {
    if (auto sent = transmit_mtu_probe(out, now)) return sent;
  }
  // Copies come before new data of their path, and after what was lost.
  const bool lost_first = !copies_.empty() && demand() == Demand::lost_data;
  if (!lost_first) {
    if (auto sent = transmit_copies(out, now)) return sent;
  }
  if (auto sent = transmit_data(out, now)) return sent;
  if (lost_first) {
    if (auto sent = transmit_copies(out, now)) return sent;
  }
  if (wants.acks || config_.buggify != nullptr) {
    if (auto sent = transmit_acks(out, now)) return sent;
  }
  return std::nullopt;
}

Connection::Wants Connection::survey(Instant now) const {
  Wants wants;
  paths_.for_each([&](const Path& path) {
    const Path::Wants& of_path = path.wants();
    wants.path_probe |= of_path.path_probe;
    wants.pto_probe |= of_path.pto_probe;
    wants.mtu_probe |= of_path.mtu_probe;
    wants.acks |= path.wants_ack(now);
  });
  return wants;
}

bool Connection::may_send_application() const {
  return handshake_.complete() && keys_.has_write(EncryptionLevel::one_rtt);
}

Connection::Demand Connection::demand() const {
  Interest most = std::max({handshake_.interest(EncryptionLevel::one_rtt), paths_.interest(), local_cids_.interest(),
                            peer_cids_.interest(), datagrams_.interest(), streams_.interest()});
  if (ping_wanted_) most = std::max(most, Interest::new_data);
  if (most == Interest::none) return Demand::none;
  return most == Interest::new_data ? Demand::new_data : Demand::lost_data;
}

std::span<const PathView> Connection::sendable_views(Instant now) {
  return paths_.views(now, [this](Path& path) { return dcid_of(path) != nullptr; });
}

std::optional<Transmit> Connection::transmit_path_probe(MutableBytes out, Instant now) {
  Path* path = nullptr;
  std::optional<ProbePlan> plan;
  paths_.for_each([&](Path& candidate) {
    if (path != nullptr) return;
    const auto wanted = candidate.next_probe();
    if (wanted && dcid_of(candidate) != nullptr && probe_dcid(candidate, *wanted) != nullptr) {
      path = &candidate;
      plan = wanted;
    }
  });
  if (path == nullptr || out.size() < plan->datagram_size) return std::nullopt;
  PacketTarget to = target(*path, EncryptionLevel::one_rtt, *probe_dcid(*path, *plan), now);
  to.ecn = plan->ecn;
  DatagramWriter train(out);
  if (!train.begin_datagram(plan->datagram_size)) return std::nullopt;
  const PacketPlan packet = plan_packet(to);
  PacketBuilder builder(packet, keys_, train);
  FrameWriter frames(builder.room(), to.level, path->id(), tokens_);
  path->write_probe(*plan, frames, now);
  if (plan->on_active) write_acks(frames, *path, now);
  seal_packet(builder, to, packet, frames, plan->datagram_size);
  return finish_train(train, to, plan->tuple);
}

const ConnectionId* Connection::probe_dcid(Path& path, const ProbePlan& plan) {
  if (plan.on_active) return dcid_of(path);
  Tuple* tuple = path.find_tuple(plan.tuple);
  if (tuple == nullptr) return nullptr;
  const ConnectionId* id = tuple->peer_cid ? peer_cids_.find(path.id(), *tuple->peer_cid) : nullptr;
  if (id != nullptr) return id;
  // RFC 9000 §9.5: another 4-tuple uses another connection ID of the same path.
  tuple->peer_cid = peer_cids_.take(path.id());
  if (tuple->peer_cid) return peer_cids_.find(path.id(), *tuple->peer_cid);
  if (ids_.remote.empty()) return dcid_of(path);
  peer_cids_.report_blocked(path.id());
  return nullptr;
}

bool Connection::handshake_wants(Path& path, EncryptionLevel level, Instant now) const {
  if (!keys_.has_write(level) || !path.has_space(space_of(level))) return false;
  if (path.space(space_of(level)).received().interest(now) != Interest::none) return true;
  // Acknowledgements pass the congestion window, CRYPTO does not, and a PTO's probes are in the budget (RFC 9002 §7).
  return path.send_budget(now).value() >= kMinInitialDatagram &&
         (handshake_.interest(level) != Interest::none || path.probes_owed(space_of(level)) > 0);
}

std::optional<Transmit> Connection::transmit_handshake(MutableBytes out, Instant now) {
  constexpr std::array kLevels{EncryptionLevel::initial, EncryptionLevel::handshake};
  Path& path = *paths_.find(kInitialPath);
  const ConnectionId* dcid = dcid_of(path);
  if (dcid == nullptr) return std::nullopt;
  // RFC 9000 §8.1: a server may not have the credit for a full datagram yet.
  if (path.active().amplification.credit().value() < kMinInitialDatagram || out.size() < kMinInitialDatagram)
    return std::nullopt;
  const Ecn ecn = path.ecn_codepoint();
  const FourTuple tuple = path.active().addresses;
  DatagramWriter train(out);
  if (!train.begin_datagram(kMinInitialDatagram)) return std::nullopt;
  bool handshake_sent = false;
  for (const EncryptionLevel level : kLevels) {
    if (!handshake_wants(path, level, now)) continue;
    const PacketTarget to{path, level, *dcid, now, ecn};
    const PacketPlan plan = plan_packet(to);
    PacketBuilder builder(plan, keys_, train);
    FrameWriter frames(builder.room(), level, kInitialPath, tokens_);
    write_handshake_frames(frames, path, level, now);
    if (frames.size() == 0) continue;
    // RFC 9000 §14.1: datagrams with ack-eliciting Initials are full size; the last packet carries the padding.
    const bool alone = level == EncryptionLevel::handshake || frames.remaining() < kMinCoalescedRoom ||
                       !handshake_wants(path, EncryptionLevel::handshake, now);
    const bool expand = role_ == Role::client || frames.ack_eliciting() || !train.empty();
    const bool with_initial = level == EncryptionLevel::initial || !train.empty();
    seal_packet(builder, to, plan, frames, alone && expand && with_initial ? kMinInitialDatagram : 0);
    handshake_sent |= level == EncryptionLevel::handshake;
    if (alone) break;
  }
  auto sent = finish_train(train, PacketTarget{path, EncryptionLevel::initial, *dcid, now, ecn}, tuple);
  // RFC 9001 §4.9.1: a client is done with Initial keys once it has sent a Handshake packet.
  if (handshake_sent && role_ == Role::client && keys_.has_write(EncryptionLevel::initial))
    discard_level(EncryptionLevel::initial);
  return sent;
}

void Connection::write_handshake_frames(FrameWriter& frames, Path& path, EncryptionLevel level, Instant now) {
  constexpr unsigned kHandshakeAckDelayExponent = 3;
  const SpaceId space = space_of(level);
  AckTracker& received = path.space(space).received();
  if (received.interest(now) != Interest::none)
    static_cast<void>(received.write(frames, std::nullopt, now, kHandshakeAckDelayExponent));
  if (path.send_budget(now).value() < kMinInitialDatagram) return;  // the window is full: acknowledgements only
  const bool probe = path.probes_owed(space) > 0;
  if (probe && handshake_.interest(level) == Interest::none) handshake_.resend_unacked(level);
  handshake_.write_frames(frames);
  if (probe && !frames.ack_eliciting()) static_cast<void>(frames.write(PingFrame{}));  // RFC 9002 §6.2.4
}

bool Connection::has_alternative(PathId id) const {
  bool found = false;
  paths_.for_each([&](const Path& path) {
    found |= path.id() != id && path.state() == Path::State::active && !path.potentially_failed() &&
             peer_cids_.current(path.id()) != nullptr;
  });
  return found;
}

std::optional<Transmit> Connection::transmit_pto_probe(MutableBytes out, Instant now) {
  Path* path = nullptr;
  paths_.for_each([&](Path& candidate) {
    if (path == nullptr && candidate.probes_owed(SpaceId::application) > 0 && dcid_of(candidate) != nullptr &&
        candidate.send_budget(now).value() >= kAckCredit)
      path = &candidate;
  });
  if (path == nullptr) return std::nullopt;
  // Where another path works, that one carries the data, and this one is only asked whether it still lives.
  const bool alone = !has_alternative(path->id());
  const PacketTarget to = target(*path, EncryptionLevel::one_rtt, *dcid_of(*path), now);
  const std::uint64_t budget = path->send_budget(now).value();  // what amplification allows: both probes share it
  const std::size_t size = std::min<std::uint64_t>(path->max_datagram_size(), budget);
  DatagramWriter train(out);
  const auto fits = [&] { return train.empty() || train.size() + size <= budget; };
  while (path->probes_owed(SpaceId::application) > 0 && fits() && train.begin_datagram(size)) {
    const PacketPlan plan = plan_packet(to);
    PacketBuilder builder(plan, keys_, train);
    FrameWriter frames(builder.room(), to.level, path->id(), tokens_);
    if (alone) {
      if (demand() == Demand::none) requeue_oldest(*path);
      write_application_frames(frames, *path, now);
    } else {
      // What went out here while every path had failed is nobody's to repeat but ours.
      requeue_unacked(*path);
      write_acks(frames, *path, now);
    }
    if (!frames.ack_eliciting() && !frames.write(PingFrame{})) break;
    seal_packet(builder, to, plan, frames);
  }
  return finish_train(train, to, path->active().addresses);
}

void Connection::requeue_oldest(Path& path) {
  std::optional<PacketNumber> oldest;
  path.for_each_unacked([&](const SentPacket& packet, const DeliveryToken& token) {
    if (std::holds_alternative<DatagramToken>(token) || std::holds_alternative<AckToken>(token)) return true;
    if (!oldest) oldest = packet.number;
    if (packet.number == *oldest) on_token_lost(token);
    return packet.number == *oldest;
  });
}

std::optional<Transmit> Connection::transmit_data(MutableBytes out, Instant now) {
  datagrams_.expire(now);
  if (datagrams_.interest() != Interest::none) datagrams_.set_max_payload(datagram_limit());
  Demand wanted = demand();
  set_application_limited(wanted == Demand::none);
  const bool at_end = wanted == Demand::none;
  const bool may_reinject = streams_.has_unacked() && paths_.open_count() >= 2;
  if (at_end && !may_reinject) return std::nullopt;
  const auto views = sendable_views(now);
  std::optional<PathId> reinjecting;
  if (may_reinject) reinjecting = reinject(views, at_end, now);
  if (at_end && !reinjecting) return std::nullopt;
  if (reinjecting) wanted = Demand::lost_data;
  PacketContext context{.now = now, .has_retransmission = wanted == Demand::lost_data, .bytes_in_flight = {}};
  for (const PathView& view : views) {
    context.bytes_in_flight += view.bytes_in_flight;
    if (view.next_send) pacing_wakeup_ = earlier(pacing_wakeup_, view.next_send);
  }
  const auto picked = reinjecting ? reinjecting : pick_path(views, context);
  if (!picked) return std::nullopt;
  Path& path = *paths_.find(*picked);
  const PacketTarget to = target(path, EncryptionLevel::one_rtt, *dcid_of(path), now);
  const std::size_t segment = path.max_datagram_size();
  const bool tiny = buggified(config_.buggify, BuggifyPoint::tiny_train);
  const std::size_t budget = tiny ? 0 : std::min<std::uint64_t>(path.send_budget(now).value(), out.size());
  // What is reinjected is on two paths already.
  const CopyOrder copies = reinjecting ? CopyOrder{} : order_copies(path, views, context);
  DatagramWriter train(out);
  while ((train.empty() || train.size() + segment <= budget) && train.begin_datagram(segment)) {
    const PacketPlan plan = plan_packet(to);
    PacketBuilder builder(plan, keys_, train);
    FrameWriter frames(builder.room(), to.level, path.id(), tokens_);
    write_application_frames(frames, path, now, copies.counts.datagrams);
    if (frames.size() == 0) break;
    if (copies.wanted()) queue_copies(copies, path.id());
    const bool fill = frames.remaining() > 0 && frames.remaining() <= kPadSlack && demand() != Demand::none;
    seal_packet(builder, to, plan, frames, fill ? segment : 0);
  }
  if (train.empty()) return std::nullopt;
  emit(trace::SchedulerDecision{path.id(), scheduler_->name(), train.size(), context.has_retransmission}, now);
  scheduler_->on_sent(path.id(), ByteCount{train.size()}, now);
  return finish_train(train, to, path.active().addresses);
}

void Connection::set_application_limited(bool limited) {
  if (limited == application_limited_) return;
  application_limited_ = limited;
  paths_.for_each([limited](Path& path) { path.set_application_limited(limited); });
}

std::optional<Transmit> Connection::transmit_acks(MutableBytes out, Instant now) {
  std::optional<PathId> carrier_id;
  const bool early = buggified(config_.buggify, BuggifyPoint::early_ack);
  paths_.for_each([&](const Path& path) {
    if (carrier_id || !path.has_space(SpaceId::application)) return;
    const Interest interest = path.space(SpaceId::application).received().interest(now);
    if (interest == Interest::none || (interest != Interest::forced && !early)) return;
    const Path& carrier = ack_carrier(path);
    if (can_carry_acks(carrier)) carrier_id = carrier.id();
  });
  if (!carrier_id) return std::nullopt;
  Path* carrier = paths_.find(*carrier_id);
  if (carrier == nullptr) return std::nullopt;
  const ConnectionId* dcid = dcid_of(*carrier);
  const PacketNumberSpace& space = carrier->space(SpaceId::application);
  if (dcid == nullptr || !space.can_track() || carrier->active().amplification.credit().value() < kAckCredit)
    return std::nullopt;
  const std::size_t size =
      std::min<std::uint64_t>(carrier->max_datagram_size(), carrier->active().amplification.credit().value());
  const PacketTarget to = target(*carrier, EncryptionLevel::one_rtt, *dcid, now);
  DatagramWriter train(out);
  if (!train.begin_datagram(size)) return std::nullopt;
  const PacketPlan plan = plan_packet(to);
  PacketBuilder builder(plan, keys_, train);
  FrameWriter frames(builder.room(), to.level, carrier->id(), tokens_);
  write_acks(frames, *carrier, now);
  if (frames.size() == 0) return std::nullopt;
  if (space.wants_ping()) static_cast<void>(frames.write(PingFrame{}));
  seal_packet(builder, to, plan, frames);
  return finish_train(train, to, carrier->active().addresses);
}

std::optional<Transmit> Connection::transmit_mtu_probe(MutableBytes out, Instant now) {
  if (!confirmed_) return std::nullopt;
  Path* path = nullptr;
  std::size_t size = 0;
  paths_.for_each([&](Path& candidate) {
    if (path != nullptr) return;
    const auto wanted = candidate.mtu_probe_size(now);
    if (!wanted || *wanted > out.size() || dcid_of(candidate) == nullptr) return;
    path = &candidate;
    size = *wanted;
  });
  if (path == nullptr) return std::nullopt;
  PacketTarget to = target(*path, EncryptionLevel::one_rtt, *dcid_of(*path), now);
  to.mtu_probe = true;
  DatagramWriter train(out);
  if (!train.begin_datagram(size)) return std::nullopt;
  const PacketPlan plan = plan_packet(to);
  PacketBuilder builder(plan, keys_, train);
  FrameWriter frames(builder.room(), to.level, path->id(), tokens_);
  if (!frames.write(PingFrame{})) return std::nullopt;
  seal_packet(builder, to, plan, frames, size);
  return finish_train(train, to, path->active().addresses);
}

std::optional<Transmit> Connection::transmit_close(MutableBytes out, Instant now) {
  if (!lifecycle_.close_frame_due()) return std::nullopt;
  // Every open path carries it: any one of them may be dead, and the peer needs only one copy.
  Path* path = nullptr;
  paths_.for_each([&](Path& candidate) {
    if (path == nullptr && candidate.id().value() >= close_cursor_ && dcid_of(candidate) != nullptr) path = &candidate;
  });
  if (path == nullptr) {
    close_cursor_ = 0;
    lifecycle_.on_close_sent();
    return std::nullopt;
  }
  close_cursor_ = path->id().value() + 1;
  if (lifecycle_.state() == Lifecycle::State::draining) lifecycle_.on_close_sent();  // one packet (§10.2.2)
  const std::size_t size =
      std::min<std::uint64_t>({path->max_datagram_size(), path->active().amplification.credit().value(), out.size()});
  DatagramWriter train(out);
  if (size < kAckCredit || !train.begin_datagram(size)) return transmit_close(out, now);
  const ConnectionId* dcid = dcid_of(*path);
  for (const EncryptionLevel level : {EncryptionLevel::initial, EncryptionLevel::handshake, EncryptionLevel::one_rtt}) {
    const bool usable = keys_.has_write(level) && path->has_space(space_of(level)) &&
                        (level != EncryptionLevel::one_rtt || handshake_.complete());
    if (!usable) continue;
    const PacketTarget to = target(*path, level, *dcid, now);
    const PacketPlan plan = plan_packet(to);
    PacketBuilder builder(plan, keys_, train);
    FrameWriter frames(builder.room(), level, plan.path, tokens_);
    if (!frames.write(close_frame(level))) continue;
    const bool last = level == EncryptionLevel::one_rtt || !keys_.has_write(EncryptionLevel::handshake) ||
                      (level == EncryptionLevel::handshake && !handshake_.complete());
    seal_packet(builder, to, plan, frames, last && keys_.has_write(EncryptionLevel::initial) ? size : 0);
    if (last) break;
  }
  return finish_train(train, target(*path, EncryptionLevel::one_rtt, *dcid, now), path->active().addresses);
}

Frame Connection::close_frame(EncryptionLevel level) const {
  const CloseCause& cause = *lifecycle_.cause();
  if (lifecycle_.state() == Lifecycle::State::draining)  // RFC 9000 §10.2.2
    return ConnectionCloseFrame{.application = false, .error = error::kNoError, .frame_type = 0, .reason = {}};
  // RFC 9000 §10.2.3: an application's reasons must not leak into packets that anyone could read.
  if (cause.application && level != EncryptionLevel::one_rtt)
    return ConnectionCloseFrame{.application = false, .error = error::kApplicationError, .frame_type = 0, .reason = {}};
  return ConnectionCloseFrame{.application = cause.application,
                              .error = cause.error,
                              .frame_type = cause.frame_type,
                              .reason = as_bytes(cause.reason)};
}

}  // namespace mpquic
