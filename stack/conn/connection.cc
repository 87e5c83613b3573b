#include "stack/conn/connection.h"

#include <algorithm>

#include "stack/base/overloaded.h"
#include "stack/conn/parameters.h"

namespace mpquic {
namespace {

/// Buffers that transfers have grown shrink after this much silence.
constexpr Duration kQuietBeforeTrim = std::chrono::seconds(2);

PathSettings path_settings(const ConnectionConfig& config, Role role) {
  PathSettings settings;
  settings.tuple.role = role;
  settings.tuple.mtu = {.discover = config.discover_mtu,
                        .initial = config.initial_datagram_size,
                        .maximum = std::max(config.initial_datagram_size, config.max_datagram_size)};
  settings.congestion_control = config.congestion_control;
  settings.initial_rtt = config.initial_rtt;
  settings.pacing = config.pacing;
  settings.ecn = config.ecn;
  settings.local_max_ack_delay = config.max_ack_delay;
  settings.buggify = config.buggify;
  settings.injected_bug = config.injected_bug;
  return settings;
}

StreamLimits stream_limits(const ConnectionConfig& config) {
  return {.max_data = config.max_data,
          .max_stream_data_bidi_local = config.max_stream_data,
          .max_stream_data_bidi_remote = config.max_stream_data,
          .max_stream_data_uni = config.max_stream_data,
          .max_streams_bidi = config.max_streams_bidi,
          .max_streams_uni = config.max_streams_uni,
          .send_buffer = config.send_buffer};
}

/// Server: what the transport parameter says, with a connection ID of its own.
std::optional<PreferredAddress> preferred_address(ConnectionSetup& setup) {
  const ConnectionConfig& config = setup.config;
  if (setup.role != Role::server || (!config.preferred_v4 && !config.preferred_v6)) return std::nullopt;
  const GeneratedCid cid = setup.generate_cid();
  PreferredAddress out{.id = cid.id, .reset_token = cid.reset_token};
  if (config.preferred_v4) out.v4 = *config.preferred_v4;
  if (config.preferred_v6) out.v6 = *config.preferred_v6;
  MPQUIC_CHECK(out.v4.ip.family() == IpAddress::Family::v4 && out.v6.ip.family() == IpAddress::Family::v6);
  return out;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::create(ConnectionSetup setup, Instant now) {
  const ParameterInputs inputs{.config = setup.config,
                               .role = setup.role,
                               .source_cid = setup.local_cid,
                               .original_dcid = setup.original_dcid,
                               .retry_scid = setup.retry_scid,
                               .reset_token = setup.reset_token,
                               .peer_uses_cids = setup.role == Role::client || !setup.remote_cid.empty(),
                               .preferred_address = preferred_address(setup)};
  const TransportParameters parameters = local_parameters(inputs, *setup.rng);
  TlsSessionOptions tls_options{
      .role = setup.role, .server_name = setup.server_name, .parameters = {}, .ticket = setup.ticket};
  encode(parameters, setup.role, tls_options.parameters);
  MPQUIC_TRY_ASSIGN(tls, setup.tls->make_session(tls_options));

  ConnectionSetup& moved = setup;
  std::unique_ptr<Connection> connection(new Connection(std::move(moved), std::move(tls), now));
  connection->multipath_offered_ = parameters.initial_max_path_id.has_value();
  if (const auto& preferred = parameters.preferred_address)
    connection->local_cids_.register_preferred_address_cid({preferred->id, preferred->reset_token});
  connection->emit(trace::ConnectionStarted{setup.tuple, connection->ids_.local, connection->ids_.remote}, now);
  connection->emit(trace::ParametersSet{.local = true, .encoded = tls_options.parameters}, now);
  MPQUIC_TRY(connection->start(setup, now));
  return connection;
}

Connection::Connection(ConnectionSetup setup, std::unique_ptr<TlsSession> tls, Instant now)
    : role_(setup.role),
      config_(std::move(setup.config)),
      rng_(*setup.rng),
      drops_(*setup.drops),
      sink_(std::move(setup.sink)),
      make_token_(std::move(setup.make_token)),
      ids_{setup.local_cid, setup.remote_cid, setup.original_dcid, setup.retry_scid},
      initial_token_(std::move(setup.token)),
      lifecycle_(now, config_.handshake_timeout),
      keys_(KeyRingOptions{.update_after_packets = config_.key_update_after_packets,
                           .limits = {},
                           .injected_bug = config_.injected_bug}),
      handshake_(std::move(tls)),
      paths_(path_settings(config_, role_), config_.max_paths, rng_),
      local_cids_(std::move(setup.generate_cid)),
      peer_cids_(config_.active_connection_id_limit),
      streams_(role_, stream_limits(config_)),
      datagrams_({.send_queue_bytes = config_.datagram_send_queue_bytes,
                  .receive_queue_bytes = config_.datagram_receive_queue_bytes,
                  .max_frame_size = config_.max_datagram_frame_size}),
      scheduler_(make_scheduler(config_.scheduler)),
      duplication_(make_duplication_policy(config_.duplication, config_.duplicate_copies)),
      reinjection_(make_reinjection_policy(config_.reinjection)),
      version_(setup.version) {
  MPQUIC_CHECK(scheduler_ != nullptr && duplication_ != nullptr && reinjection_ != nullptr);
  frame_options_.datagram = config_.max_datagram_frame_size > 0;
  frame_options_.numbered_datagram = takes_numbered_datagrams(config_);
  local_cids_.register_handshake_cid(ids_.local);
  peer_cids_.set_handshake_cid(ids_.remote);
  Path& path = paths_.start(setup.tuple, now);
  if (setup.address_validated) path.on_address_validated();
  keys_.install_initial(setup.initial_dcid, role_);
  lifecycle_.set_idle_timeout(config_.idle_timeout, config_.idle_timeout);
  lifecycle_.set_keep_alive(config_.keep_alive);
}

Result<void> Connection::start(const ConnectionSetup&, Instant now) {
  emit(trace::StateChanged{"attempted"}, now);
  if (role_ == Role::server) return {};
  MPQUIC_TRY(handshake_.start());
  return pump_tls(now);
}

void Connection::drop(DropReason reason, std::size_t size, Instant now) {
  ++drops_[static_cast<std::size_t>(reason)];
  emit(trace::PacketDropped{.reason = reason, .size = size}, now);
}

void Connection::fail(const TransportError& error, Instant now) {
  lifecycle_.close({.error = error.code, .frame_type = error.frame_type, .reason = std::string(error.reason)}, now,
                   paths_.max_pto());
  emit(trace::Closed{.error = error.code, .reason = error.reason}, now);
}

void Connection::close(std::uint64_t application_error, std::string_view reason, Instant now) {
  if (!lifecycle_.open()) return;
  lifecycle_.close({.application = true, .error = application_error, .reason = std::string(reason)}, now,
                   paths_.max_pto());
  emit(trace::Closed{.application = true, .error = application_error, .reason = reason}, now);
}

void Connection::on_stateless_reset(Instant now) {
  lifecycle_.on_peer_close({.source = CloseSource::stateless_reset, .reason = "stateless reset"}, now,
                           paths_.max_pto());
  emit(trace::Closed{.by_peer = true, .reason = "stateless reset"}, now);
}

Result<void> Connection::open_path(const FourTuple& tuple, Instant now) {
  if (!paths_.request_open(tuple, now))
    return mpquic::fail(error::kPathResourceLimitReached, "too many paths are waiting to be opened");
  try_open_paths(now);
  return {};
}

void Connection::abandon_path(PathId id, std::uint64_t error, Instant now) {
  paths_.abandon(id, error, "by the application", now);
  drain_path_events(now);
}

bool Connection::migrate(PathId id, const SocketAddress& local, Instant now) {
  Path* path = paths_.find(id);
  if (path == nullptr || !confirmed_ || !lifecycle_.open()) return false;
  if (paths_.forbids(path->active().addresses.remote)) return false;
  return path->migrate({local, path->active().addresses.remote}, now);
}

void Connection::forget_cids() {
  paths_.for_each([this](const Path& path) { local_cids_.forget(path.id()); });
  for (std::uint32_t id = 0; paths_.multipath() && id <= paths_.usable_limit().value(); ++id)
    local_cids_.forget(PathId{id});
  peer_cids_.forget();
}

void Connection::try_open_paths(Instant now) {
  if (!confirmed_ || !paths_.has_requests()) return;
  if (!paths_.multipath()) {
    paths_.refuse_pending("the peer does not support multipath");
  } else {
    // draft-21 §3.1: connection IDs of both sides for the same unused path ID.
    paths_.open_pending(now, [this](PathId id) { return peer_cids_.has_unused(id) && local_cids_.has_issued(id); });
  }
  drain_path_events(now);
}

void Connection::drain_path_events(Instant now) {
  while (const auto event = paths_.poll_event()) on_path_event(*event, now);
  paths_.start_waiting_validations(now);
  paths_.drain_released_cids([this](PathId id, std::uint64_t sequence) { peer_cids_.retire(id, sequence); });
  if (paths_.multipath()) local_cids_.set_path_limit(paths_.usable_limit());
}

void Connection::on_path_event(const PathEvent& event, Instant now) {
  using Kind = PathEvent::Kind;
  static constexpr std::string_view kStates[] = {"opened",    "validated", "failed", "recovered", "migrated",
                                                 "abandoned", "refused",   "closed", "none_left", "status"};
  emit(trace::PathStateChanged{event.id, event.tuple, kStates[static_cast<std::size_t>(event.kind)], event.reason},
       now);
  const PathId id = event.id.value_or(kInitialPath);  // absent in `refused` only
  const auto report = [&](PathChange change) {
    events_.push_back(PathChanged{event.id, change, event.tuple, event.error, event.reason});
  };
  switch (event.kind) {
    case Kind::opened:
      static_cast<void>(peer_cids_.open(id));  // a server may have none yet: dcid_of() tries again
      local_cids_.open(id);
      return report(PathChange::opened);
    case Kind::validated: on_address_proved(event.tuple.remote.ip, now); return report(PathChange::validated);
    case Kind::failed:
      if (Path* path = paths_.find(id)) requeue_unacked(*path);
      drop_copies(id);
      // Nobody repeats a PING (RFC 9000 §13.3), and this path may have carried the last one.
      if (lifecycle_.keep_alive_unanswered()) keep_alive_everywhere(now);
      return report(PathChange::failed);
    case Kind::recovered: return report(PathChange::recovered);
    case Kind::migrated:
      if (event.new_network) paths_.on_return_path_gone(id);
      if (const Path* path = paths_.find(id); path != nullptr && path->active().peer_cid)
        peer_cids_.make_current(id, *path->active().peer_cid);
      // A tuple that was probed before is proved when the path moves to it.
      if (const Path* path = paths_.find(id); path != nullptr && path->active().proved)
        on_address_proved(path->active().addresses.remote.ip, now);
      return report(PathChange::migrated);
    case Kind::abandoned:
      // The last one has yet to carry CONNECTION_CLOSE (draft-21 §3.4).
      if (paths_.open_count() > 0) peer_cids_.abandon(id);
      local_cids_.abandon(id);
      drop_copies(id);
      paths_.on_return_path_gone(id);
      return report(PathChange::abandoned);
    case Kind::refused:
      // The move to the preferred address was our own idea, and path 0 stays where it was (RFC 9000 §9.6.2).
      if (preferred_move_ == event.tuple) return;
      return report(PathChange::refused);
    case Kind::closed:
      local_cids_.forget(id);
      keys_.forget_path(id);
      drop_copies(id);
      copies_.erase(id);
      return;
    case Kind::none_left: return fail({error::kNoViablePath, "no path is left"}, now);
    case Kind::status: return report(PathChange::status);
  }
}

void Connection::discard_level(EncryptionLevel level) {
  keys_.discard(level);
  handshake_.discard(level);
  Path& path = *paths_.find(kInitialPath);
  if (!path.has_space(space_of(level))) return;
  outcome_.clear();
  path.discard_space(space_of(level), outcome_);  // its tokens are CRYPTO and ACK of this level: of no more use
}

std::optional<ConnectionEvent> Connection::poll_event() {
  if (!events_.empty()) return events_.pop_front();
  if (const auto event = streams_.poll_event()) {
    switch (event->kind) {
      case StreamEventKind::opened: return StreamOpened{event->id};
      case StreamEventKind::readable: return StreamReadable{event->id};
      case StreamEventKind::writable: return StreamWritable{event->id};
      case StreamEventKind::reset: return StreamReset{event->id, event->error};
      case StreamEventKind::stopped: return StreamStopped{event->id, event->error};
      case StreamEventKind::finished: return StreamFinished{event->id};
      case StreamEventKind::streams_available: return StreamsAvailable{event->dir};
    }
  }
  if (datagrams_.poll_readable()) return DatagramReceived{};
  if (const auto lost = datagrams_.poll_lost()) return DatagramLost{*lost};
  if (!lifecycle_.open() && !close_reported_ && lifecycle_.cause()) {
    close_reported_ = true;
    const CloseCause& cause = *lifecycle_.cause();
    return ConnectionClosed{cause.source, cause.application, cause.error, cause.reason};
  }
  return std::nullopt;
}

std::optional<std::vector<std::byte>> Connection::take_ticket() {
  if (tickets_.empty()) return std::nullopt;
  auto ticket = std::move(tickets_.front());
  tickets_.erase(tickets_.begin());
  return ticket;
}

std::optional<std::vector<std::byte>> Connection::take_token() {
  if (address_tokens_.empty()) return std::nullopt;
  auto token = std::move(address_tokens_.front());
  address_tokens_.erase(address_tokens_.begin());
  return token;
}

ConnectionStats Connection::stats() const {
  ConnectionStats stats;
  stats.established = handshake_.complete();
  stats.multipath = paths_.multipath();
  if (stats.multipath) stats.path_limit = paths_.usable_limit().value() + 1;
  stats.key_updates = keys_.update_count();
  const auto add = [&stats](const PathCounters& counters) {
    stats.packets_sent += counters.packets_sent;
    stats.packets_received += counters.packets_received;
  };
  paths_.for_each([&add](const Path& path) { add(path.counters()); });
  for (const ClosedPath& path : paths_.closed()) add(path.counters);
  return stats;
}

void Connection::path_stats(std::vector<PathStats>& out) const {
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  const auto add = [&out](PathId id, const FourTuple& tuple, const PathCounters& counters) -> PathStats& {
    PathStats& stats = out.emplace_back();
    stats.id = id;
    stats.tuple = tuple;
    stats.bytes_sent = counters.bytes_sent;
    stats.bytes_received = counters.bytes_received;
    stats.packets_sent = counters.packets_sent;
    stats.packets_received = counters.packets_received;
    stats.packets_lost = counters.packets_lost;
    stats.stream_bytes_sent = counters.stream_bytes_sent;
    stats.stream_bytes_received = counters.stream_bytes_received;
    stats.bytes_retransmitted = counters.bytes_retransmitted;
    stats.bytes_duplicated = counters.bytes_duplicated;
    stats.pto_count = counters.pto_count;
    return stats;
  };
  for (const ClosedPath& path : paths_.closed()) add(path.id, path.tuple, path.counters).abandoned = true;
  // Until it is confirmed, a handshake goes on in full datagrams.
  const std::size_t needed = confirmed_ ? Path::kMinUsefulDatagram : kMinInitialDatagram;
  paths_.for_each([&](const Path& path) {
    PathStats& stats = add(path.id(), path.active().addresses, path.counters());
    stats.validated = path.state() == Path::State::active;
    stats.abandoned = !path.is_open();
    stats.amplification_limited = path.active().amplification.credit().value() < needed;
    stats.backup = path.view(Instant{}).backup;
    stats.smoothed_rtt = path.rtt().smoothed();
    stats.min_rtt = path.rtt().min();
    stats.rtt_variance = path.rtt().variance();
    stats.congestion_window = path.congestion().window();
    stats.bytes_in_flight = path.bytes_in_flight();
    stats.max_datagram_size = path.max_datagram_size();
  });
  std::sort(out.begin() + first, out.end(), [](const PathStats& a, const PathStats& b) { return a.id < b.id; });
}

void Connection::on_data_moved(Instant now) {
  last_data_ = now;
  if (!trim_at_) trim_at_ = now + kQuietBeforeTrim;
}

void Connection::trim_if_quiet(Instant now) {
  if (!expired(trim_at_, now)) return;
  trim_at_.reset();
  if (now - last_data_ < kQuietBeforeTrim) {
    trim_at_ = last_data_ + kQuietBeforeTrim;
    return;
  }
  streams_.trim();
  datagrams_.trim();
  copies_.trim();
  events_.trim();
  outcome_ = {};
  paths_.for_each([](Path& path) {
    if (path.has_space(SpaceId::application)) path.space(SpaceId::application).trim();
  });
}

Deadline Connection::next_deadline() const {
  if (!lifecycle_.open()) return lifecycle_.next_deadline(Duration{});
  Earliest earliest;
  earliest.add(paths_.next_deadline());
  earliest.add(keys_.next_deadline());
  earliest.add(pacing_wakeup_);
  earliest.add(trim_at_);
  // PTOs only put the idle timeout off: while something else comes before it anyway, no path need be asked for its own.
  if (earliest.exceeds(lifecycle_.next_deadline(Duration{}))) earliest.add(lifecycle_.next_deadline(paths_.max_pto()));
  paths_.for_each([&](const Path& path) {
    const Deadline& due = path.ack_deadline();
    if (!earliest.exceeds(due)) return;
    // An ACK that nothing can carry must not wake us up: what makes room for it will.
    if (!confirmed_ || can_carry_acks(ack_carrier(path))) earliest.add(due);
  });
  return earliest.deadline();
}

void Connection::on_deadline(Instant now) {
  lifecycle_.on_deadline(now, paths_.max_pto());
  if (!lifecycle_.open()) return;
  keep_alive(now);
  trim_if_quiet(now);
  keys_.on_deadline(now);
  paths_.on_deadline(now, outcome_, [this, now](Path& path, AckOutcome& outcome) { deliver(path, outcome, now); });
  if (expired(pacing_wakeup_, now)) pacing_wakeup_.reset();
  drain_path_events(now);
  try_open_paths(now);
}

void Connection::keep_alive(Instant now) {
  if (!lifecycle_.keep_alive_due()) return;
  if (lifecycle_.keep_alive_unanswered()) return keep_alive_everywhere(now);
  ping_wanted_ = true;
}

void Connection::keep_alive_everywhere(Instant now) {
  paths_.for_each([](Path& path) { path.probe_if_idle(); });
  lifecycle_.on_keep_alive_sent(now);
}

void Connection::set_writable(const SocketAddress& local, bool writable) { paths_.set_writable(local, writable); }

void Connection::on_transmit_failed(const FourTuple& tuple, TransmitFailure failure, Instant now) {
  if (failure != TransmitFailure::too_big) return;  // unreachable and refused may pass: loss detection judges the path
  paths_.for_each([&](Path& path) {
    if (path.find_tuple(tuple) != nullptr) path.on_transmit_too_big(tuple, now);
  });
}

void Connection::emit_metrics(const Path& path, Instant now) {
  if (!sink_) return;
  emit(trace::MetricsUpdated{.path = path.id(),
                             .smoothed_rtt = path.rtt().smoothed(),
                             .latest_rtt = path.rtt().latest(),
                             .min_rtt = path.rtt().min(),
                             .rtt_variance = path.rtt().variance(),
                             .pto_count = path.pto_count(),
                             .congestion_window = path.congestion().window(),
                             .bytes_in_flight = path.bytes_in_flight(),
                             .slow_start_threshold = path.congestion().slow_start_threshold()},
       now);
}

void Connection::emit_coupling(Path& path, Instant now) {
  if (!sink_) return;
  const std::optional<Coupling> coupling = path.congestion().coupling();
  if (!coupling || path.traced_alpha() == coupling->alpha_millionths) return;
  path.traced_alpha() = coupling->alpha_millionths;
  emit(trace::CouplingUpdated{.path = path.id(),
                              .algorithm = path.congestion().name(),
                              .alpha_millionths = coupling->alpha_millionths,
                              .total_window = coupling->total_window},
       now);
}

}  // namespace mpquic
