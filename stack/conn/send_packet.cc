// One packet: what goes into its header, acknowledgements, sealing, and what is remembered of it.
#include <algorithm>

#include "stack/conn/connection.h"

namespace mpquic {
namespace {

/// What our transport parameter says (its default, RFC 9000 §18.2).
constexpr unsigned kAckDelayExponent = 3;
/// RFC 9000 §10.3: packets are that much longer than the connection ID that we ask our peer to use.
constexpr std::size_t kMinAnswerable = 22;

}  // namespace

const ConnectionId* Connection::dcid_of(Path& path) {
  // draft-21 §3.4: nothing is sent on an abandoned path, but CONNECTION_CLOSE on the last.
  if (!path.is_open() && lifecycle_.open()) return nullptr;
  if (const ConnectionId* current = peer_cids_.current(path.id())) return current;
  // A server may learn its first connection ID for a path only after the packet that opened it.
  return peer_cids_.open(path.id()) ? peer_cids_.current(path.id()) : nullptr;
}

PacketPlan Connection::plan_packet(const PacketTarget& target) {
  const PacketNumberSpace& space = target.path.space(space_of(target.level));
  PacketPlan plan{.level = target.level,
                  .path = target.level == EncryptionLevel::one_rtt ? target.path.id() : kInitialPath,
                  .number = space.next_number(),
                  .largest_acked = space.largest_acked(),
                  .dcid = target.dcid,
                  .scid = ids_.local,
                  .token = {},
                  .version = version_};
  if (target.level == EncryptionLevel::initial) plan.token = initial_token_;
  if (peer_greases_ && config_.grease) plan.fixed_bit = (rng_.next_u64() & 1) != 0;  // RFC 9287 §3.1
  return plan;
}

void Connection::seal_packet(PacketBuilder& builder, const PacketTarget& target, const PacketPlan& plan,
                             const FrameWriter& frames, std::size_t pad_datagram_to) {
  const Instant now = target.now;
  // RFC 9000 §10.3: whoever answers by a stateless reset, which is shorter, must find room for 21 bytes in it.
  const std::size_t smallest = kMinAnswerable + ids_.local.size();
  pad_datagram_to = std::max(pad_datagram_to, smallest);
  if (sink_ && sink_->wants_payload())
    trace_payload_.assign(builder.room().begin(), builder.room().begin() + static_cast<std::ptrdiff_t>(frames.size()));
  const BuiltPacket built = builder.finish(frames.size(), pad_datagram_to);
  const SentPacket packet{.number = plan.number,
                          .time_sent = now,
                          .bytes = static_cast<std::uint32_t>(built.size),
                          .ack_eliciting = frames.ack_eliciting(),
                          .in_flight = frames.in_flight() || built.padding > 0,
                          .mtu_probe = target.mtu_probe,
                          .ecn = target.ecn};
  target.path.on_packet_sent(space_of(target.level), packet, tokens_.view(), now);
  if (packet.ack_eliciting) lifecycle_.on_ack_eliciting_sent(now);
  if (sink_)
    emit(trace::PacketSent{.level = target.level,
                           .path = plan.path,
                           .number = plan.number,
                           .size = built.size,
                           .payload = trace_payload_,
                           .key_phase = keys_.write_key_phase(),
                           .nonce = keys_.last_nonce(target.level)},
         now);
}

std::optional<Transmit> Connection::finish_train(DatagramWriter& train, const PacketTarget& target,
                                                 const FourTuple& tuple) {
  if (train.empty()) return std::nullopt;
  train.flush(keys_);
  if (has_bug(config_.injected_bug, InjectedBug::timer_on_send)) paths_.settings().last_sent = target.now;
  target.path.on_datagram_sent(tuple, ByteCount{train.size()});
  return Transmit{.tuple = tuple, .ecn = target.ecn, .size = train.size(), .segment_size = train.segment_size()};
}

bool Connection::can_carry_acks(const Path& path) const {
  return path.is_open() && peer_cids_.current(path.id()) != nullptr && path.space(SpaceId::application).can_track() &&
         path.active().amplification.credit().value() >= kAckCredit;
}

const Path& Connection::ack_carrier(const Path& path) const {
  // The path's own way back keeps RTT samples honest (draft-21 §5.4); a path that fails or is gone needs another.
  const auto fit = [this](const Path& p) { return can_carry_acks(p) && !p.potentially_failed(); };
  if (fit(path)) return path;
  const Path* best = nullptr;
  paths_.for_each([&](const Path& other) {
    if (!fit(other) || other.state() != Path::State::active) return;
    if (best == nullptr || other.rtt().smoothed() < best->rtt().smoothed()) best = &other;
  });
  return best != nullptr ? *best : path;
}

void Connection::write_acks(FrameWriter& writer, const Path& carrier, Instant now) {
  paths_.for_each([&](Path& path) {
    const Path& observed = path;
    if (!path.has_space(SpaceId::application)) return;
    if (observed.space(SpaceId::application).received().interest(now) == Interest::none) return;
    if (&ack_carrier(path) != &carrier) return;
    const auto id = paths_.multipath() ? std::optional(path.id()) : std::nullopt;
    AckTracker& received = path.space(SpaceId::application).received();
    static_cast<void>(received.write(writer, id, now, kAckDelayExponent));  // no room: the next packet has
  });
}

void Connection::write_application_frames(FrameWriter& writer, Path& path, Instant now, std::uint16_t datagram_copies) {
  write_acks(writer, path, now);
  if (ping_wanted_ && writer.write(PingFrame{})) {
    ping_wanted_ = false;
    lifecycle_.on_keep_alive_sent(now);  // until then it stays due: a full window must not make a timer storm of it
  }
  if (handshake_.interest(EncryptionLevel::one_rtt) != Interest::none) handshake_.write_frames(writer);
  if (paths_.interest() != Interest::none) paths_.write_frames(writer);
  if (local_cids_.interest() != Interest::none) local_cids_.write_frames(writer);
  if (peer_cids_.interest() != Interest::none) peer_cids_.write_frames(writer);
  const std::uint64_t datagram_bytes = datagrams_.stats().bytes_sent;
  if (datagrams_.interest() != Interest::none)
    datagrams_.write_frames(writer, now, datagram_copies, datagram_room(path.id(), path.max_datagram_size()));
  const std::uint64_t fresh = streams_.bytes_written_new();
  const std::uint64_t again = streams_.bytes_written_again();
  if (streams_.interest() != Interest::none) streams_.write_frames(writer);
  PathCounters& counters = path.counters();
  const std::uint64_t repeated = streams_.bytes_written_again() - again;
  counters.bytes_retransmitted += repeated;
  const std::uint64_t moved =
      streams_.bytes_written_new() - fresh + repeated + datagrams_.stats().bytes_sent - datagram_bytes;
  counters.stream_bytes_sent += moved;
  if (moved > 0) on_data_moved(now);
}

}  // namespace mpquic
