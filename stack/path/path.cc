#include "stack/path/path.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"

namespace mpquic {
namespace {

/// RFC 9000 §13.2.1: Initial and Handshake packets are acknowledged at once.
constexpr AckPolicy kImmediateAcks{.packets_before_ack = 1, .max_delay = Duration{}};
constexpr std::array kAllSpaces{SpaceId::initial, SpaceId::handshake, SpaceId::application};

}  // namespace

Path::Path(PathId id, const FourTuple& tuple, Start start, const PathContext& context, Instant now)
    : id_(id),
      state_(start == Start::validate || start == Start::wait ? State::validating : State::active),
      context_(context),
      tuples_(tuple, context.settings.tuple),
      rtt_(context.settings.initial_rtt),
      min_rtt_return_(id),
      congestion_(
          make_congestion_controller(context.settings.congestion_control, max_datagram_size(), context.coupling)),
      pacer_(max_datagram_size()),
      ecn_(context.settings.ecn),
      network_{tuple, PacketNumber{0}, Instant::min()} {
  MPQUIC_CHECK(congestion_ != nullptr);
  const AckPolicy delayed{.packets_before_ack = AckPolicy{}.packets_before_ack,
                          .max_delay = context.settings.local_max_ack_delay};
  for (const SpaceId space : kAllSpaces) {
    const bool application = space == SpaceId::application;
    if (!application && start != Start::handshake) continue;
    spaces_[index_of(space)] =
        std::make_unique<PacketNumberSpace>(id, space, application ? delayed : kImmediateAcks, context.rng);
  }
  Tuple& first = tuples_.active();
  if (start == Start::validate) first.validator.start(now, validation_pto());
  if (start == Start::wait) first.validator.wait();
  if (start == Start::proved) {
    first.validator.set_validated();
    first.amplification.lift();
  }
  first.proved = first.amplification.lifted() && state_ == State::active;
}

void Path::discard_space(SpaceId space, AckOutcome& out) {
  timing_.due_known = false;
  if (!has_space(space)) return;
  this->space(space).forget_all(out);
  spaces_[index_of(space)].reset();
  probes_owed_[index_of(space)] = 0;
  pto_count_ = 0;  // RFC 9002 §6.2.2
}

void Path::requeue_space(SpaceId space, AckOutcome& out) {
  timing_.due_known = false;
  if (has_space(space)) this->space(space).forget_all(out);
}

void Path::on_packet_received(SpaceId space, PacketNumber number, bool ack_eliciting, Ecn ecn, Instant now) {
  AckTracker& tracker = this->space(space).received();
  tracker.on_received(number, now, ack_eliciting, ecn);
  ++counters_.packets_received;
  if (space != SpaceId::application) return;
  const Duration max_delay = context_.settings.local_max_ack_delay;
  if (buggified(context_.settings.buggify, BuggifyPoint::late_ack))
    return tracker.set_policy({.packets_before_ack = UINT32_MAX, .max_delay = max_delay});
  tracker.set_policy(ack_policy_for(tracker.packets_received(), max_delay, rtt_));
}

Result<void> Path::on_ack(SpaceId space, const AckFrame& frame, Instant now, AckOutcome& out,
                          std::optional<PathId> returned_on) {
  timing_.due_known = false;
  if (!has_space(space)) return {};
  const ByteCount prior_in_flight = bytes_in_flight();
  // RFC 9000 §9.4: packets of a network that the path has left say nothing about the one that it is on.
  const bool stale = space == SpaceId::application && frame.largest < network_.first;
  RttEstimator unused = stale ? rtt_ : RttEstimator();
  MPQUIC_TRY(this->space(space).on_ack(frame, rtt_context(stale ? unused : rtt_), now, out));
  if (out.rtt_sample && !stale && *out.rtt_sample <= rtt_.min()) min_rtt_return_ = returned_on.value_or(id_);
  if (space == SpaceId::handshake && out.newest_acked) handshake_acked_ = true;
  if (anti_deadlock_from_) anti_deadlock_from_ = now;
  if (space == SpaceId::application && !stale) update_round();
  digest(out, prior_in_flight, now);
  return {};
}

void Path::update_round() {
  const PacketNumberSpace& sent = std::as_const(*this).space(SpaceId::application);
  if (sent.unacked_begin() < round_.end || !rtt_.has_sample()) return;
  Duration patience = std::max(kPatienceRtts * rtt_.smoothed(), compute_pto());
  if (round_.patience > Duration{}) patience = std::min(patience, 2 * round_.patience);
  round_ = {.end = sent.next_number(), .patience = patience};
}

Deadline Path::overdue_at() const {
  if (round_.patience == Duration{} || !has_space(SpaceId::application)) return std::nullopt;
  const SentPacket* oldest = space(SpaceId::application).oldest_eliciting(reinjection_marks_.overdue);
  return oldest != nullptr ? Deadline{oldest->time_sent + round_.patience} : std::nullopt;
}

void Path::on_return_path_gone(PathId path) {
  if (min_rtt_return_ == path && path != id_) rtt_.reset_min();
}

void Path::digest(const AckOutcome& out, ByteCount prior_in_flight, Instant now) {
  counters_.packets_lost += out.lost_packets.size();
  if (out.ack_eliciting_acked) on_progress();
  if (!is_open()) return;  // the rest concerns what is yet to be sent
  update_mtu(out, now);
  update_congestion(out, prior_in_flight, now);
}

void Path::update_congestion(const AckOutcome& out, ByteCount prior_in_flight, Instant now) {
  // RFC 9000 §9.4 again: marks that another network let pass, or dropped, say nothing about this one.
  if (!out.newest_lost_sent || *out.newest_lost_sent >= network_.since) ecn_.on_lost(out.lost_ect);
  const Instant mark_sent = out.newest_ect_acked_sent.value_or(Instant::max());
  if (mark_sent >= network_.since && mark_sent > foreign_mark_) ecn_.on_ack(out.ecn.verdict);
  if (out.newest_lost_sent && *out.newest_lost_sent >= network_.since) {
    congestion_->on_congestion(*out.newest_lost_sent, out.lost_bytes, false, now);
    if (out.persistent_congestion) congestion_->on_persistent_congestion(now);
  }
  if (out.spurious_congestion) congestion_->on_spurious_congestion(now);
  if (out.newest_acked && out.newest_acked->time_sent >= network_.since) {
    const bool marked = out.ecn.newly_marked > 0 && out.ecn.verdict != EcnVerdict::invalid;
    if (marked) congestion_->on_congestion(out.newest_acked->time_sent, ByteCount{}, true, now);
    if (out.acked_bytes > ByteCount{}) {
      congestion_->on_acked(AckSummary{.now = now,
                                       .acked = out.acked_bytes,
                                       .largest_sent_time = out.newest_acked->time_sent,
                                       .prior_in_flight = prior_in_flight,
                                       .rtt = rtt_sample(),
                                       .application_limited = was_limited_by_application(prior_in_flight)});
    }
  }
  if (context_.settings.pacing && rtt_.has_sample()) pacer_.set_rate(congestion_->pacing_rate(rtt_sample()), now);
}

bool Path::was_limited_by_application(ByteCount prior_in_flight) const {
  if (!application_limited_) return false;
  // RFC 9002 §7.8: a window that was (nearly) used may grow, although nothing is left to send by now. In slow start
  // half counts as used, since the window doubles in a round trip.
  const ByteCount window = congestion_->window();
  if (congestion_->in_slow_start()) return prior_in_flight * 2 < window;
  constexpr std::uint64_t kSlackDatagrams = 3;
  return prior_in_flight + ByteCount{kSlackDatagrams * max_datagram_size()} < window;
}

void Path::on_progress() {
  if (peer_validated_us()) pto_count_ = 0;  // RFC 9002 §6.2.1
  probes_owed_.fill(0);
  unreachable_ = false;  // whatever became of its challenges
  if (!std::exchange(potentially_failed_, false) || !is_open()) return;
  congestion_->set_active(true);
  emit(PathEvent::Kind::recovered);
}

void Path::on_packet_sent(SpaceId space, const SentPacket& packet, std::span<const DeliveryToken> tokens, Instant now) {
  this->space(space).on_sent(packet, tokens);
  ++counters_.packets_sent;
  if (packet.mtu_probe) tuples_.active().mtu.on_probe_sent(packet.bytes);
  ecn_.on_sent(packet.ecn);
  if (packet.ack_eliciting && probes_owed_[index_of(space)] > 0) --probes_owed_[index_of(space)];
  if (!packet.in_flight) return;
  timing_.due_known = false;
  const ByteCount bytes{packet.bytes};
  congestion_->on_sent(bytes, bytes_in_flight(), now);
  pacer_.on_sent(bytes, now);
  if (id_ == kInitialPath && context_.settings.tuple.role == Role::client) anti_deadlock_from_ = now;
}

void Path::on_datagram_sent(const FourTuple& addresses, ByteCount bytes) {
  counters_.bytes_sent += bytes.value();
  Tuple* tuple = tuples_.find(addresses);
  if (tuple == nullptr) return;
  tuple->amplification.on_sent(bytes);
  if (amplification_blocked()) timing_.due_known = false;
}

ByteCount Path::send_budget(Instant now) const {
  if (!is_open() || socket_blocked()) return ByteCount{};
  ByteCount budget = std::min(saturating_sub(congestion_->window(), bytes_in_flight()), pacer_.budget(now));
  if (!space(SpaceId::application).can_track()) budget = ByteCount{};
  std::uint64_t owed = 0;
  for (const std::uint8_t probes : probes_owed_) owed += probes;
  budget = std::max(budget, ByteCount{owed * max_datagram_size()});
  return std::min(budget, active().amplification.credit());
}

void Path::probe_if_idle() {
  if (state_ != State::active || std::as_const(*this).space(SpaceId::application).has_ack_eliciting_in_flight()) return;
  timing_.due_known = false;
  std::uint8_t& owed = probes_owed_[index_of(SpaceId::application)];
  owed = std::max<std::uint8_t>(owed, 1);
}

ByteCount Path::bytes_in_flight() const {
  ByteCount total;
  for (const auto& space : spaces_) {
    if (space) total += space->bytes_in_flight();
  }
  return total;
}

bool Path::peer_validated_us() const {
  const PathSettings& settings = context_.settings;
  return settings.tuple.role == Role::server || handshake_acked_ || settings.handshake_confirmed;
}

bool Path::awaits_first_probe() const {
  return std::ranges::any_of(probes_owed_, [](std::uint8_t owed) { return owed == kPtoProbes; });
}

bool Path::socket_blocked() const {
  const std::vector<SocketAddress>& blocked = context_.settings.blocked_sockets;
  return !blocked.empty() && std::ranges::find(blocked, active().addresses.local) != blocked.end();
}

std::optional<Pto> Path::next_pto() const {
  // RFC 9002 §6.2.2.1: a server at its amplification limit "MUST NOT" arm the timer. While validating, challenges have
  // a timer of their own. And one timeout at a time: the next one counts from the probes of this one.
  if (state_ != State::active || amplification_blocked() || awaits_first_probe()) return std::nullopt;
  std::array<PtoSpace, kSpaceCount> spaces;
  std::size_t count = 0;
  for (const auto& space : spaces_) {
    if (space) {
      spaces[count++] = PtoSpace{space->id(), space->has_ack_eliciting_in_flight(), space->last_ack_eliciting_sent()};
    }
  }
  const PathSettings& settings = context_.settings;
  if (has_bug(settings.injected_bug, InjectedBug::timer_on_send))
    for (PtoSpace& space : spaces) space.last_ack_eliciting = std::max(space.last_ack_eliciting, {settings.last_sent});
  return earliest_pto(std::span(spaces).first(count),
                      PtoContext{.base = rtt_.pto_base(Duration{}),
                                 .max_ack_delay = settings.peer_max_ack_delay,
                                 .count = pto_count_,
                                 .handshake_confirmed = settings.handshake_confirmed,
                                 .anti_deadlock_from = peer_validated_us() ? std::nullopt : anti_deadlock_from_,
                                 .has_handshake_keys = settings.has_handshake_keys});
}

void Path::compute_timing() const {
  timing_.due = compute_deadline();
  timing_.pto = compute_pto();
  timing_.wants = compute_wants();
  timing_.due_known = true;
}

Path::Wants Path::compute_wants() const {
  return {.path_probe = std::ranges::any_of(tuples_.all(), [](const Tuple& tuple) { return tuple.owes_probe(); }),
          .pto_probe = probes_owed(SpaceId::application) > 0,
          .mtu_probe = active().mtu.probe_size().has_value()};
}

void Path::compute_ack_timing() const {
  timing_.ack_due = compute_ack_deadline();
  timing_.ack_overdue = is_ack_overdue();
  timing_.acks_known = true;
}

Deadline Path::compute_ack_deadline() const {
  Earliest earliest;
  for (const auto& space : spaces_)
    if (space) earliest.add(std::as_const(*space).received().next_deadline());
  return earliest.deadline();
}

bool Path::is_ack_overdue() const {
  return std::ranges::any_of(spaces_,
                             [](const auto& space) { return space && std::as_const(*space).received().is_overdue(); });
}

Deadline Path::compute_deadline() const {
  if (state_ == State::closed) return std::nullopt;
  Earliest earliest;
  earliest.add(requeue_at_);
  for (const auto& space : spaces_)
    if (space) earliest.add(space->loss_time());
  if (is_open()) {
    earliest.add(tuples_.next_deadline());
    if (const auto pto = next_pto()) earliest.add(pto->time);
  }
  return earliest.deadline();
}

void Path::on_deadline(Instant now, AckOutcome& out) {
  timing_.due_known = false;
  if (expired(requeue_at_, now)) {
    requeue_at_.reset();
    forget_outstanding(out);
  }
  if (is_open()) apply(tuples_.on_deadline(now), now);
  // RFC 9002 §A.9: the loss timer goes first; a PTO that is due as well follows with the next call.
  if (detect_lost(now, out) || !is_open()) return;
  if (const auto pto = next_pto(); pto && pto->time <= now) on_pto(*pto, now);
}

bool Path::detect_lost(Instant now, AckOutcome& out) {
  const ByteCount prior_in_flight = bytes_in_flight();
  bool due = false;
  for (const auto& space : spaces_) {
    if (!space || !expired(space->loss_time(), now)) continue;
    space->detect_lost(rtt_context(rtt_), now, out);
    due = true;
  }
  if (due) digest(out, prior_in_flight, now);
  return due;
}

void Path::on_pto(const Pto& pto, Instant now) {
  ++pto_count_;
  ++counters_.pto_count;
  probes_owed_[index_of(pto.space)] = kPtoProbes;
  // RFC 9002 §6.2.4: "the sender SHOULD send ack-eliciting packets from other packet number spaces with in-flight
  // data". A client behind a NAT that rebound during the handshake is found by its 1-RTT packets only.
  for (const auto& space : spaces_) {
    if (space == nullptr || space->id() == pto.space || !space->has_ack_eliciting_in_flight()) continue;
    std::uint8_t& owed = probes_owed_[index_of(space->id())];
    owed = std::max<std::uint8_t>(owed, 1);
  }
  if (anti_deadlock_from_) anti_deadlock_from_ = now;
  ecn_.on_pto();
  if (pto_count_ == kBlackHolePtos && tuples_.active().mtu.fall_back()) update_datagram_size(now);
  // The timer runs only while something ack-eliciting is outstanding, so that silence alone never fails a path.
  if (pto.space != SpaceId::application || std::exchange(potentially_failed_, true)) return;
  congestion_->set_active(false);
  emit(PathEvent::Kind::failed, "PTO");
}

void Path::expire_pto(Instant now) {
  timing_.due_known = false;
  if (const auto pto = next_pto(); pto && pto->space == SpaceId::application) on_pto(*pto, now);
}

PathView Path::view(Instant now) const {
  PathView view;
  describe(view, now);
  return view;
}

void Path::describe_standing(PathView& view) const {
  view.id = id_;
  view.validated = active().data_allowed();
  view.backup = backup_;
  view.potentially_failed = potentially_failed_;
  view.max_datagram_size = max_datagram_size();
}

void Path::describe(PathView& view, Instant now) const {
  describe_standing(view);
  view.socket_blocked = socket_blocked();
  view.untracked = !space(SpaceId::application).can_track();
  view.smoothed_rtt = rtt_.smoothed();
  view.latest_rtt = rtt_.latest();
  view.min_rtt = rtt_.min();
  view.rtt_variance = rtt_.variance();
  view.has_rtt_sample = rtt_.has_sample();
  view.congestion_window = congestion_->window();
  view.bytes_in_flight = bytes_in_flight();
  view.patience = round_.patience;
  view.overdue_at = overdue_at();
  view.amplification_credit = active().amplification.credit();
  view.pacing_rate = pacer_.rate();
  view.next_send = pacer_.next_send(now);
  view.pacing_blocked = view.next_send.has_value();
}

void Path::abandon(Instant now) {
  timing_.due_known = false;
  MPQUIC_CHECK(is_open());
  state_ = State::abandoned;
  congestion_->set_active(false);
  probes_owed_.fill(0);
  // What is in flight on a working path is on its way; on a dead one, waiting would only stall the receiver.
  requeue_at_ = potentially_failed_ || unreachable_ ? now : now + pto();
}

void Path::close(AckOutcome& out) {
  timing_.due_known = false;
  forget_outstanding(out);
  state_ = State::closed;
}

void Path::forget_outstanding(AckOutcome& out) {
  const std::size_t before = out.lost_packets.size();
  const std::size_t tokens_before = out.lost.size();
  for (const auto& space : spaces_) {
    if (space) space->forget_all(out);
  }
  if (has_bug(context_.settings.injected_bug, InjectedBug::free_unacked))
    out.lost.resize(tokens_before, DeliveryToken{});
  counters_.packets_lost += out.lost_packets.size() - before;
}

RttContext Path::rtt_context(RttEstimator& rtt) const {
  const PathSettings& settings = context_.settings;
  return RttContext{rtt, settings.peer_max_ack_delay, settings.peer_ack_delay_exponent, settings.handshake_confirmed};
}

RttSample Path::rtt_sample() const { return RttSample{rtt_.latest(), rtt_.smoothed(), rtt_.min()}; }

void Path::emit(PathEvent::Kind kind, std::string_view reason) {
  context_.events.push_back(PathEvent{.kind = kind, .id = id_, .tuple = active().addresses, .reason = reason});
}

}  // namespace mpquic
