// From the first flight to a confirmed handshake (RFC 9001 §4, RFC 9000 §7).
#include <algorithm>
#include <array>

#include "stack/base/overloaded.h"
#include "stack/conn/connection.h"
#include "stack/crypto/initial.h"

namespace mpquic {
namespace {

/// Tickets and tokens that wait for the application; the oldest go.
constexpr std::size_t kMaxKeptTickets = 4;

StreamLimits stream_limits(const TransportParameters& peer) {
  return {.max_data = peer.initial_max_data,
          .max_stream_data_bidi_local = peer.initial_max_stream_data_bidi_local,
          .max_stream_data_bidi_remote = peer.initial_max_stream_data_bidi_remote,
          .max_stream_data_uni = peer.initial_max_stream_data_uni,
          .max_streams_bidi = peer.initial_max_streams_bidi,
          .max_streams_uni = peer.initial_max_streams_uni};
}

}  // namespace

Result<void> Connection::pump_tls(Instant now) {
  while (auto event = handshake_.poll_event()) {
    MPQUIC_TRY(std::visit(overloaded{
                              [](const TlsHandshakeData&) -> Result<void> { return {}; },
                              [this](const TlsSecretReady& ready) -> Result<void> {
                                keys_.install(ready);
                                if (ready.level == EncryptionLevel::handshake && ready.write)
                                  paths_.settings().has_handshake_keys = true;
                                return ready.write ? Result<void>{} : handshake_.begin_reading(ready.level);
                              },
                              [this, now](const TlsPeerParameters& peer) -> Result<void> {
                                emit(trace::ParametersSet{.local = false, .encoded = peer.encoded}, now);
                                return on_peer_parameters(peer.encoded, now);
                              },
                              [this, now](const TlsCompleted& completed) -> Result<void> {
                                emit(trace::StateChanged{"complete"}, now);
                                on_handshake_complete(completed);
                                return {};
                              },
                              [this](TlsTicket& ticket) -> Result<void> {
                                if (tickets_.size() == kMaxKeptTickets) tickets_.erase(tickets_.begin());
                                tickets_.push_back(std::move(ticket.session));
                                return {};
                              },
                          },
                          *event));
  }
  return {};
}

Result<void> Connection::check_handshake_ids(const TransportParameters& peer) const {
  const auto mismatch = [](std::string_view reason) { return mpquic::fail(error::kTransportParameterError, reason); };
  if (peer.initial_source_connection_id != ids_.remote) return mismatch("initial_source_connection_id does not match");
  if (role_ == Role::server) return {};
  if (peer.original_destination_connection_id != ids_.original_dcid)
    return mismatch("original_destination_connection_id does not match");
  if (peer.retry_source_connection_id != ids_.retry_scid) return mismatch("retry_source_connection_id does not match");
  return {};
}

Result<void> Connection::on_peer_parameters(Bytes encoded, Instant now) {
  MPQUIC_TRY_ASSIGN(peer, decode(encoded, peer_of(role_)));
  MPQUIC_TRY(check_handshake_ids(peer));
  // draft-21 §2.1: who offers multipath must use connection IDs.
  if (peer.initial_max_path_id && (ids_.remote.empty() || ids_.local.empty()))
    return mpquic::fail(error::kProtocolViolation, "multipath offered with a zero-length connection ID");

  lifecycle_.set_idle_timeout(config_.idle_timeout,
                              std::chrono::milliseconds(std::min<std::uint64_t>(peer.max_idle_timeout, UINT32_MAX)));
  streams_.on_peer_limits(stream_limits(peer));
  peer_max_datagram_ = peer.max_datagram_frame_size;
  peer_numbers_datagrams_ = peer.numbered_datagrams;
  peer_greases_ = peer.grease_quic_bit;
  PathSettings& settings = paths_.settings();
  settings.peer_max_ack_delay = std::chrono::milliseconds(peer.max_ack_delay);
  settings.peer_ack_delay_exponent = static_cast<unsigned>(peer.ack_delay_exponent);
  paths_.set_peer_max_udp_payload(
      static_cast<std::size_t>(std::min<std::uint64_t>(peer.max_udp_payload_size, kMaxDatagram)), now);
  if (peer.disable_active_migration) paths_.forbid_remote(paths_.find(kInitialPath)->active().addresses.remote);
  negotiate_multipath(peer);
  local_cids_.set_peer_limit(peer.active_connection_id_limit);
  if (peer.stateless_reset_token) peer_cids_.set_handshake_reset_token(*peer.stateless_reset_token);
  if (peer.preferred_address) {
    MPQUIC_TRY(peer_cids_.on_preferred_address(peer.preferred_address->id, peer.preferred_address->reset_token));
    note_preferred_address(*peer.preferred_address);
  }
  frame_options_.address_advertisement = config_.address_advertisement && peer.address_advertisement;
  return {};
}

void Connection::note_preferred_address(const PreferredAddress& preferred) {
  const SocketAddress local = paths_.find(kInitialPath)->active().addresses.local;
  const SocketAddress& remote = local.ip.family() == IpAddress::Family::v4 ? preferred.v4 : preferred.v6;
  // RFC 9000 §18.2: a family that is not offered is all zero.
  if (remote.port != 0 && !remote.ip.is_unspecified()) preferred_move_ = FourTuple{local, remote};
}

void Connection::negotiate_multipath(const TransportParameters& peer) {
  if (!multipath_offered_ || !peer.initial_max_path_id) return;
  frame_options_.multipath = true;
  paths_.enable_multipath(config_.max_paths - 1, static_cast<std::uint32_t>(*peer.initial_max_path_id));
  peer_cids_.enable_multipath();
  local_cids_.set_path_limit(paths_.usable_limit());
}

void Connection::on_handshake_complete(const TlsCompleted& completed) {
  lifecycle_.on_established();
  events_.push_back(HandshakeCompleted{completed.alpn, completed.resumed, paths_.multipath()});
  if (role_ == Role::server) confirm_after_packet_ = true;  // RFC 9001 §4.1.2
}

void Connection::on_handshake_confirmed(Instant now) {
  if (confirmed_) return;
  confirmed_ = true;
  confirm_after_packet_ = false;
  keys_.set_handshake_confirmed();
  paths_.settings().handshake_confirmed = true;
  discard_level(EncryptionLevel::handshake);
  emit(trace::StateChanged{"confirmed"}, now);
  events_.push_back(HandshakeConfirmed{});
  if (role_ == Role::server) {
    handshake_.send_done();
    handshake_.release_tls();
    // The handshake proved path 0's address (RFC 9000 §8.1).
    on_address_proved(paths_.find(kInitialPath)->active().addresses.remote.ip, now);
  }
  // RFC 9000 §9.6.1: probe first, with an unused connection ID (the parameter's is the lowest), and move if it answers.
  if (preferred_move_) static_cast<void>(paths_.find(kInitialPath)->migrate(*preferred_move_, now));
  try_open_paths(now);
}

void Connection::on_address_proved(const IpAddress& ip, Instant now) {
  if (role_ != Role::server || !confirmed_ || !validated_.add(ip)) return;
  if (!make_token_ || tokens_issued_ == kMaxNewTokens) return;
  ++tokens_issued_;
  handshake_.send_token(make_token_(validated_.all(), now));
}

void Connection::on_retry(const ProtectedPacket& packet, Instant now) {
  // RFC 9000 §17.2.5.2: one Retry, before anything else from the server, and only if its integrity tag verifies.
  if (role_ != Role::client || packet.version != version_ || peer_seen_ || ids_.retry_scid || packet.token.empty() ||
      packet.token.size() > kMaxAddressToken || packet.dcid != ids_.local || packet.scid == ids_.remote ||
      !verify_retry(ids_.original_dcid, packet.bytes))
    return drop(DropReason::invalid_retry, packet.bytes.size(), now);
  ids_.retry_scid = ConnectionId(packet.scid);
  initial_token_.assign(packet.token.begin(), packet.token.end());
  resend_initials(*ids_.retry_scid, now);
}

void Connection::on_version_negotiation(const ProtectedPacket& packet, Instant now) {
  // RFC 9000 §6.2: only in answer to our first packets, once, and never if it lists the version that we chose.
  if (role_ != Role::client || peer_seen_ || ids_.retry_scid || version_negotiated_ || packet.dcid != ids_.local ||
      packet.scid != ids_.original_dcid || lists_version(packet.supported_versions, version_))
    return drop(DropReason::unsupported_version, packet.bytes.size(), now);
  version_negotiated_ = true;
  if (version_ != kVersion1 && lists_version(packet.supported_versions, kVersion1)) return restart_with_version_1(now);
  constexpr std::string_view kReason = "version negotiation: the server does not speak QUIC version 1";
  lifecycle_.close({.source = CloseSource::version_negotiation,
                    .error = error::kVersionNegotiationError,
                    .reason = std::string(kReason)},
                   now, paths_.max_pto());
  emit(trace::Closed{.error = error::kVersionNegotiationError, .reason = kReason}, now);
}

void Connection::restart_with_version_1(Instant now) {
  version_ = kVersion1;
  // A new attempt is a new connection to the server, so it gets a new unpredictable connection ID (RFC 9000 §7.2), and
  // with it new keys; late answers to the first attempt do not match any more. What the application has asked for
  // since connect() stays, and so does the ClientHello: nothing in it depends on the version that was offered.
  std::array<std::byte, kLocalCidLength> bytes{};
  rng_.fill(bytes);
  ids_.original_dcid = ConnectionId(bytes);
  emit(trace::StateChanged{"attempted"}, now);
  resend_initials(ids_.original_dcid, now);
}

void Connection::resend_initials(const ConnectionId& dcid, Instant now) {
  ids_.remote = dcid;
  peer_cids_.set_handshake_cid(dcid);
  keys_.install_initial(dcid, role_);
  outcome_.clear();
  Path& path = *paths_.find(kInitialPath);
  path.requeue_space(SpaceId::initial, outcome_);
  deliver(path, outcome_, now);
}

}  // namespace mpquic
