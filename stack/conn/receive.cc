// Datagram -> packets -> paths. Nothing here may close the connection before a packet has authenticated.
#include <algorithm>

#include "stack/conn/connection.h"

namespace mpquic {

void Connection::on_datagram(const RoutedDatagram& datagram, Instant now) {
  if (!lifecycle_.open()) {
    lifecycle_.on_packet_while_closing();
    return drop(DropReason::closing, datagram.bytes.size(), now);
  }
  MutableBytes rest = datagram.bytes;
  std::optional<Bytes> first_dcid;
  bool counted = false;
  while (!rest.empty() && lifecycle_.open()) {
    const auto packet = parse_packet(rest, kLocalCidLength);
    if (!packet) return drop(packet.error(), rest.size(), now);
    rest = rest.subspan(packet->consumed);
    if (!first_dcid) {
      first_dcid = packet->dcid;
    } else if (!std::ranges::equal(packet->dcid, *first_dcid)) {  // RFC 9000 §12.2
      drop(DropReason::coalesced_mismatch, packet->bytes.size(), now);
      continue;
    }
    on_packet(*packet, datagram, counted, now);
  }
  if (config_.buggify != nullptr && confirmed_) buggify(*config_.buggify, datagram.path, now);
  drain_path_events(now);
  try_open_paths(now);
}

void Connection::buggify(Buggify& buggify, PathId arrived_on, Instant now) {
  if (buggify.happens(BuggifyPoint::extra_ping)) ping_wanted_ = true;
  if (buggify.happens(BuggifyPoint::key_update)) keys_.request_update();
  if (buggify.happens(BuggifyPoint::small_grant)) streams_.advertise_now();
  if (!buggify.happens(BuggifyPoint::spurious_pto)) return;
  // One path's: if all fired, each datagram could bring about more than one other, for ever.
  if (Path* path = paths_.find(arrived_on)) path->expire_pto(now);
}

std::optional<DropReason> Connection::refuses(const ProtectedPacket& packet, EncryptionLevel level) const {
  if (level == EncryptionLevel::zero_rtt) return DropReason::unexpected_packet_type;  // docs/adr/0005
  // RFC 9000 §5.2.1: nothing in another version than the one that the client chose.
  if (packet.version != version_) return DropReason::unsupported_version;
  if (!packet.fixed_bit && !config_.grease) return DropReason::malformed_header;
  if (!keys_.has_read(level)) return DropReason::keys_unavailable;
  // RFC 9001 §5.7: no 1-RTT before the handshake is complete.
  if (level == EncryptionLevel::one_rtt)
    return handshake_.complete() ? std::nullopt : std::optional(DropReason::keys_unavailable);
  // RFC 9000 §7.2: the peer keeps the source connection ID that it showed first.
  if ((role_ == Role::server || peer_seen_) && packet.scid != ids_.remote) return DropReason::coalesced_mismatch;
  return std::nullopt;
}

std::expected<Path*, DropReason> Connection::path_for(const OpenedPacket& packet, const FourTuple& tuple, Instant now) {
  if (Path* path = paths_.find(packet.path)) return path;
  return paths_.accept(packet.path, tuple, now);
}

void Connection::on_packet(const ProtectedPacket& packet, const RoutedDatagram& datagram, bool& counted, Instant now) {
  if (packet.type == PacketType::retry) return on_retry(packet, now);
  if (packet.type == PacketType::version_negotiation) return on_version_negotiation(packet, now);
  const EncryptionLevel level = *level_of(packet.type);
  const std::size_t size = packet.bytes.size();
  // RFC 9000 §14.1: a server discards them, whatever connection ID they carry.
  if (role_ == Role::server && level == EncryptionLevel::initial && datagram.bytes.size() < kMinInitialDatagram)
    return drop(DropReason::datagram_too_small, size, now);
  // What may be a stateless reset must be looked at before decryption spoils it (RFC 9000 §10.3.1).
  StatelessResetToken trailer{};
  const bool may_be_reset = level == EncryptionLevel::one_rtt && size > trailer.size();
  if (may_be_reset) std::copy_n(packet.bytes.end() - trailer.size(), trailer.size(), trailer.begin());
  const auto reset = [&] { return may_be_reset && matches_reset_token(trailer); };
  if (const auto reason = refuses(packet, level)) return reset() ? on_stateless_reset(now) : drop(*reason, size, now);

  const PathId id = level == EncryptionLevel::one_rtt ? datagram.path : kInitialPath;
  const SpaceId space = space_of(level);
  const Path* known = paths_.find(id);
  const auto opened =
      opener_.open(packet, keys_,
                   {.path = id,
                    .largest_received = known ? known->space(space).received().largest_received() : std::nullopt,
                    .now = now});
  if (!opened) {
    if (const auto* error = std::get_if<TransportError>(&opened.error())) return fail(*error, now);
    return reset() ? on_stateless_reset(now) : drop(std::get<DropReason>(opened.error()), size, now);
  }
  const auto path = path_for(*opened, datagram.tuple, now);
  if (!path) return drop(path.error(), size, now);
  const auto freshness = (*path)->space(space).received().classify(opened->number);
  if (freshness != AckTracker::Arrival::fresh)
    return drop(freshness == AckTracker::Arrival::duplicate ? DropReason::duplicate_packet : DropReason::packet_too_old,
                size, now);
  if (!counted) {
    if (const auto reason = (*path)->on_datagram(datagram.tuple, ByteCount{datagram.bytes.size()}))
      return drop(*reason, size, now);
    counted = true;
  }
  lifecycle_.on_received(now);
  learn_from_header(packet, level, **path);
  trace_key_update(false, now);
  emit(trace::PacketReceived{level, id, opened->number, size, opened->payload, datagram.ecn}, now);
  Arrival arrival{.path = **path,
                  .space = space,
                  .number = opened->number,
                  .dcid = packet.dcid,
                  .tuple = datagram.tuple,
                  .ecn = datagram.ecn,
                  .previous_keys = opened->previous_generation,
                  .now = now};
  if (const auto handled = on_opened(*opened, arrival); !handled) return fail(handled.error(), now);
  if (confirm_after_packet_) on_handshake_confirmed(now);
}

void Connection::learn_from_header(const ProtectedPacket& packet, EncryptionLevel level, Path& path) {
  if (role_ == Role::client && !peer_seen_ && level == EncryptionLevel::initial && packet.scid != ids_.remote) {
    ids_.remote = ConnectionId(packet.scid);
    peer_cids_.set_handshake_cid(ids_.remote);
  }
  peer_seen_ = true;
  if (role_ == Role::server && level == EncryptionLevel::handshake && keys_.has_read(EncryptionLevel::initial)) {
    path.on_address_validated();              // RFC 9000 §8.1
    discard_level(EncryptionLevel::initial);  // RFC 9001 §4.9.1
  }
}

Result<void> Connection::on_opened(const OpenedPacket& packet, Arrival& arrival) {
  FrameDecoder decoder(packet.payload, packet.level, frame_options_);
  while (auto frame = decoder.next()) {
    if (!*frame) return std::unexpected(frame->error());
    MPQUIC_TRY(dispatch(**frame, arrival));
    if (!lifecycle_.open()) return {};
  }
  if (arrival.crypto) {
    MPQUIC_TRY(handshake_.feed(packet.level));
    MPQUIC_TRY(pump_tls(arrival.now));
    if (!lifecycle_.open()) return {};
  }
  peer_marks_ |= arrival.ecn != Ecn::not_ect;
  Path& path = arrival.path;
  if (!path.has_space(arrival.space)) return {};
  const auto largest = path.space(arrival.space).received().largest_received();
  path.on_packet_received(arrival.space, packet.number, arrival.ack_eliciting, arrival.ecn, arrival.now);
  if (packet.level == EncryptionLevel::one_rtt)
    path.on_packet_from(arrival.tuple, arrival.probing_only, !largest || packet.number > *largest, arrival.now);
  return {};
}

}  // namespace mpquic
