#include "sim/peers/ngtcp2_connection.h"

#include <algorithm>
#include <bit>

#include "sim/peers/ngtcp2_callbacks.h"
#include "sim/peers/ngtcp2_convert.h"
#include "sim/peers/ngtcp2_options.h"
#include "stack/base/check.h"

namespace mpquic::peers {
namespace {

constexpr std::size_t kMaxReason = 256;
std::uint32_t kVersions[] = {NGTCP2_PROTO_VER_V1};  // ngtcp2 takes a pointer to non-const
constexpr int kClosingPtos = 3;                     // RFC 9000 §10.2

ConnectionId to_ours(const ngtcp2_cid& cid) { return ConnectionId(std::as_bytes(std::span(cid.data, cid.datalen))); }

/// In the order of their names.
constexpr ngtcp2_cc_algo kAlgorithms[] = {NGTCP2_CC_ALGO_BBR, NGTCP2_CC_ALGO_BBR2, NGTCP2_CC_ALGO_CUBIC,
                                          NGTCP2_CC_ALGO_RENO};
static_assert(std::size(kAlgorithms) == std::size(kNgtcp2Controllers));

ngtcp2_cc_algo congestion_algorithm(std::string_view name) {
  const auto known = std::ranges::find(kNgtcp2Controllers, name);
  MPQUIC_CHECK(known != std::end(kNgtcp2Controllers));  // whoever reads configurations refuses others
  return kAlgorithms[known - std::begin(kNgtcp2Controllers)];
}

ngtcp2_conn* connection_of(ngtcp2_crypto_conn_ref* reference) {
  return *static_cast<ngtcp2_conn**>(reference->user_data);
}

/// Errors that end a connection without a CONNECTION_CLOSE.
[[nodiscard]] std::optional<CloseSource> silent_close(int error) {
  switch (error) {
    case NGTCP2_ERR_IDLE_CLOSE: return CloseSource::idle_timeout;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT: return CloseSource::handshake_timeout;
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION: return CloseSource::version_negotiation;
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY: return CloseSource::local;
    default: return std::nullopt;
  }
}

}  // namespace

ngtcp2_cid Ngtcp2Shared::random_cid() const {
  ngtcp2_cid cid{};
  cid.datalen = kCidLength;
  rng->fill(MutableBytes(reinterpret_cast<std::byte*>(cid.data), cid.datalen));
  return cid;
}

Ngtcp2Connection::Ngtcp2Connection(Ngtcp2Shared& shared, ConnectionHandle handle, Role role)
    : shared_(shared), handle_(handle), role_(role) {
  reference_ = {.native = {.get_conn = connection_of, .user_data = &conn_}, .keylog = &shared.config.keylog};
}

Ngtcp2Connection::~Ngtcp2Connection() {
  forget_cids();
  if (conn_ != nullptr) ngtcp2_conn_del(conn_);
}

std::unique_ptr<Ngtcp2Connection> Ngtcp2Connection::connect(Ngtcp2Shared& shared, ConnectionHandle handle,
                                                            const Ngtcp2ConnectOptions& options, Instant now) {
  std::unique_ptr<Ngtcp2Connection> connection(new Ngtcp2Connection(shared, handle, Role::client));
  connection->options_ = options;
  if (!connection->start_client(options.version, 0, now)) return nullptr;
  return connection;
}

std::unique_ptr<Ngtcp2Connection> Ngtcp2Connection::accept(Ngtcp2Shared& shared, ConnectionHandle handle,
                                                           const AcceptedInitial& initial, const FourTuple& tuple,
                                                           Instant now) {
  std::unique_ptr<Ngtcp2Connection> connection(new Ngtcp2Connection(shared, handle, Role::server));
  if (!connection->start_server(initial, tuple, now)) return nullptr;
  connection->emit(Accepted{});
  return connection;
}

bool Ngtcp2Connection::start_client(std::uint32_t version, std::uint32_t original_version, Instant now) {
  const ngtcp2_cid destination = shared_.random_cid();
  const ngtcp2_cid source = shared_.random_cid();
  const NativePath path(options_.tuple);
  ngtcp2_settings settings = make_settings(now);
  settings.original_version = original_version;
  if (!options_.token.empty()) settings.token = {u8(MutableBytes(options_.token)), options_.token.size()};
  const ngtcp2_transport_params params = make_params();
  if (ngtcp2_conn_client_new(&conn_, &destination, &source, path.get(), version, &connection_callbacks(), &settings,
                             &params, nullptr, this) != 0) {
    return false;
  }
  register_cid(source);
  return bind_tls(options_.server_name);
}

bool Ngtcp2Connection::start_server(const AcceptedInitial& initial, const FourTuple& tuple, Instant now) {
  const ngtcp2_cid source = shared_.random_cid();
  const NativePath path(tuple);
  ngtcp2_settings settings = make_settings(now);
  settings.token = initial.header.token;
  ngtcp2_transport_params params = make_params();
  params.original_dcid = initial.original_dcid.value_or(initial.header.dcid);
  if (initial.original_dcid) {
    params.retry_scid = initial.header.dcid;
    params.retry_scid_present = 1;
  }
  const auto& key = shared_.config.static_key;
  params.stateless_reset_token_present = 1;
  if (ngtcp2_crypto_generate_stateless_reset_token(params.stateless_reset_token, u8(Bytes(key)), key.size(), &source) !=
      0)
    return false;
  if (ngtcp2_conn_server_new(&conn_, &initial.header.scid, &source, path.get(), initial.header.version,
                             &connection_callbacks(), &settings, &params, nullptr, this) != 0) {
    return false;
  }
  register_cid(source);
  register_cid(initial.header.dcid);
  return bind_tls({});
}

bool Ngtcp2Connection::bind_tls(const std::string& server_name) {
  tls_ = shared_.tls.make_session(role_, shared_.config.alpn, server_name, &reference_);
  if (!tls_) return false;
  ngtcp2_conn_set_tls_native_handle(conn_, tls_.get());
  if (shared_.config.connection.keep_alive > Duration::zero()) {
    ngtcp2_conn_set_keep_alive_timeout(conn_, to_ngtcp2(shared_.config.connection.keep_alive));
  }
  return true;
}

ngtcp2_settings Ngtcp2Connection::make_settings(Instant now) const {
  const ConnectionConfig& config = shared_.config.connection;
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.cc_algo = congestion_algorithm(config.congestion_control);
  settings.initial_ts = to_timestamp(now);
  settings.initial_rtt = to_ngtcp2(config.initial_rtt);
  settings.handshake_timeout = to_ngtcp2(config.handshake_timeout);
  settings.rand_ctx.native_handle = shared_.rng;
  settings.max_tx_udp_payload_size = config.discover_mtu ? config.max_datagram_size : config.initial_datagram_size;
  settings.no_pmtud = config.discover_mtu ? 0 : 1;
  settings.no_tx_udp_payload_size_shaping = settings.no_pmtud;
  settings.preferred_versions = settings.other_versions = kVersions;
  settings.preferred_versionslen = settings.other_versionslen = std::size(kVersions);
  return settings;
}

ngtcp2_transport_params Ngtcp2Connection::make_params() const {
  const ConnectionConfig& config = shared_.config.connection;
  ngtcp2_transport_params params;
  ngtcp2_transport_params_default(&params);
  params.initial_max_data = config.max_data;
  params.initial_max_stream_data_bidi_local = config.max_stream_data;
  params.initial_max_stream_data_bidi_remote = config.max_stream_data;
  params.initial_max_stream_data_uni = config.max_stream_data;
  params.initial_max_streams_bidi = config.max_streams_bidi;
  params.initial_max_streams_uni = config.max_streams_uni;
  params.max_idle_timeout = to_ngtcp2(config.idle_timeout);
  params.max_ack_delay = to_ngtcp2(config.max_ack_delay);
  params.active_connection_id_limit = std::max<std::uint64_t>(config.active_connection_id_limit, 2);
  params.max_datagram_frame_size = config.max_datagram_frame_size;
  params.disable_active_migration = config.active_migration ? 0 : 1;
  params.grease_quic_bit = config.grease ? 1 : 0;
  return params;
}

void Ngtcp2Connection::register_cid(const ngtcp2_cid& cid) { shared_.by_cid.insert_or_assign(to_ours(cid), handle_); }

void Ngtcp2Connection::forget_cids() {
  std::erase_if(shared_.by_cid, [this](const auto& entry) { return entry.second == handle_; });
}

void Ngtcp2Connection::emit(decltype(Event::what) what) { shared_.events.push_back({handle_, std::move(what)}); }

void Ngtcp2Connection::emit_path_change(PathChange change, const FourTuple& tuple) {
  emit(PathChanged{.id = kInitialPath, .change = change, .tuple = tuple, .error = 0, .reason = {}});
}

FourTuple Ngtcp2Connection::tuple() const { return from_native(*ngtcp2_conn_get_path(conn_)); }

// --- Packets in, timers

void Ngtcp2Connection::receive(const ngtcp2_path& path, Ecn ecn, MutableBytes packet, Instant now) {
  now_ = now;
  counters_.bytes_received += packet.size();
  ++counters_.packets_received;
  if (state_ == State::closing) {
    // RFC 9000 §10.2.1: fewer and fewer answers.
    ++packets_since_close_;
    if (std::has_single_bit(packets_since_close_)) pending_ = close_packet_;
    may_send_ = true;
    return;
  }
  if (state_ != State::open) return;
  may_send_ = true;
  const ngtcp2_pkt_info info{static_cast<std::uint32_t>(ecn)};
  const int result = ngtcp2_conn_read_pkt(conn_, &path, &info, u8(packet), packet.size(), to_timestamp(now));
  if (result != 0) fail(result, now);
}

Deadline Ngtcp2Connection::next_deadline() const {
  if (state_ != State::open) return end_deadline_;
  return to_deadline(ngtcp2_conn_get_expiry(conn_));
}

void Ngtcp2Connection::on_deadline(Instant now) {
  now_ = now;
  if (state_ != State::open) {
    if (expired(end_deadline_, now)) state_ = State::gone;
    return;
  }
  may_send_ = true;
  const int result = ngtcp2_conn_handle_expiry(conn_, to_timestamp(now));
  if (result != 0) fail(result, now);
}

// --- The end

void Ngtcp2Connection::fail(int error, Instant now) {
  if (state_ != State::open) return;
  if (error == NGTCP2_ERR_DRAINING) {
    enter_draining(now);
    return;
  }
  if (error == NGTCP2_ERR_RECV_VERSION_NEGOTIATION && negotiated_version_ != 0) {
    // RFC 9000 §6.2: once more, with a version that both speak.
    const std::uint32_t original = ngtcp2_conn_get_client_chosen_version(conn_);
    ngtcp2_conn_del(conn_);
    conn_ = nullptr;
    forget_cids();
    if (start_client(negotiated_version_, original, now)) return;
  }
  if (const auto source = silent_close(error)) {
    emit(ConnectionClosed{.source = *source, .application = false, .error = 0, .reason = ngtcp2_strerror(error)});
    state_ = State::gone;
    return;
  }
  ngtcp2_connection_close_error cause;
  if (error == NGTCP2_ERR_CRYPTO) {
    ngtcp2_connection_close_error_set_transport_error_tls_alert(&cause, ngtcp2_conn_get_tls_alert(conn_), nullptr, 0);
  } else {
    ngtcp2_connection_close_error_set_transport_error_liberr(&cause, error, nullptr, 0);
  }
  enter_closing(cause, now);
}

void Ngtcp2Connection::enter_closing(ngtcp2_connection_close_error& cause, Instant now) {
  const bool application = cause.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION;
  emit(ConnectionClosed{.source = CloseSource::local,
                        .application = application,
                        .error = cause.error_code,
                        .reason = std::string(reinterpret_cast<const char*>(cause.reason), cause.reasonlen)});
  std::vector<std::byte> packet(ngtcp2_conn_get_max_tx_udp_payload_size(conn_));
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info info{};
  const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(conn_, &path.path, &info, u8(MutableBytes(packet)),
                                                               packet.size(), &cause, to_timestamp(now));
  state_ = State::closing;
  end_deadline_ = now + kClosingPtos * from_ngtcp2(ngtcp2_conn_get_pto(conn_));
  may_send_ = true;
  if (size <= 0) return;
  packet.resize(static_cast<std::size_t>(size));
  close_packet_ =
      PendingPacket{{from_native(path.path), static_cast<Ecn>(info.ecn), packet.size(), packet.size()}, packet};
  pending_ = close_packet_;
}

void Ngtcp2Connection::enter_draining(Instant now) {
  ngtcp2_connection_close_error cause;
  ngtcp2_connection_close_error_default(&cause);
  ngtcp2_conn_get_connection_close_error(conn_, &cause);
  emit(ConnectionClosed{.source = stateless_reset_ ? CloseSource::stateless_reset : CloseSource::peer,
                        .application = cause.type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION,
                        .error = stateless_reset_ ? 0 : cause.error_code,
                        .reason = stateless_reset_
                                      ? "stateless reset"
                                      : std::string(reinterpret_cast<const char*>(cause.reason), cause.reasonlen)});
  pending_.reset();
  state_ = State::draining;
  end_deadline_ = now + kClosingPtos * from_ngtcp2(ngtcp2_conn_get_pto(conn_));
}

void Ngtcp2Connection::close(std::uint64_t application_error, std::string_view reason, Instant now) {
  if (state_ != State::open) return;
  now_ = now;
  reason = reason.substr(0, kMaxReason);
  ngtcp2_connection_close_error cause;
  ngtcp2_connection_close_error_set_application_error(&cause, application_error, u8(as_bytes(reason)), reason.size());
  enter_closing(cause, now);
}

// --- Requests of the client

bool Ngtcp2Connection::migrate(const SocketAddress& local, Instant now) {
  if (state_ != State::open) return false;
  const NativePath path({local, tuple().remote});
  may_send_ = true;
  return ngtcp2_conn_initiate_migration(conn_, path.get(), to_timestamp(now)) == 0;
}

bool Ngtcp2Connection::initiate_key_update(Instant now) {
  if (state_ != State::open) return false;
  may_send_ = true;
  return ngtcp2_conn_initiate_key_update(conn_, to_timestamp(now)) == 0;
}

// --- Numbers

ConnectionStats Ngtcp2Connection::stats() const {
  ConnectionStats stats;
  stats.established = ngtcp2_conn_get_handshake_completed(conn_) != 0;
  stats.packets_sent = counters_.packets_sent;
  stats.packets_received = counters_.packets_received;
  // ngtcp2 derives the next generation ahead of its use.
  stats.key_updates = keys_derived_ > 0 ? keys_derived_ - 1 : 0;
  return stats;
}

PathStats Ngtcp2Connection::path_stats() const {
  ngtcp2_conn_stat native;
  ngtcp2_conn_get_conn_stat(conn_, &native);
  PathStats stats = counters_;
  stats.id = kInitialPath;
  stats.tuple = tuple();
  stats.packets_lost = lost_in_closed_streams_;
  for (const auto& [id, stream] : streams_) {  // tidy: allow(unordered) a sum
    stats.packets_lost +=
        static_cast<std::uint64_t>(ngtcp2_conn_get_stream_loss_count(conn_, static_cast<std::int64_t>(id.value())));
  }
  stats.pto_count = native.pto_count;
  stats.smoothed_rtt = from_ngtcp2(native.smoothed_rtt);
  if (native.min_rtt != UINT64_MAX) stats.min_rtt = from_ngtcp2(native.min_rtt);
  stats.rtt_variance = from_ngtcp2(native.rttvar);
  stats.congestion_window = ByteCount(native.cwnd);
  stats.bytes_in_flight = ByteCount(native.bytes_in_flight);
  stats.max_datagram_size = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn_);
  return stats;
}

}  // namespace mpquic::peers
