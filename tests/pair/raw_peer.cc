#include "tests/pair/raw_peer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "stack/base/check.h"
#include "stack/base/overloaded.h"
#include "stack/crypto/suite.h"
#include "stack/packet/opener.h"
#include "stack/wire/frame_encode.h"
#include "stack/wire/frame_rules.h"
#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

constexpr std::size_t kCryptoChunk = 1000;

ConnectionId random_cid(Rng& rng, std::size_t length) {
  std::array<std::byte, ConnectionId::kMaxLength> bytes{};
  rng.fill(MutableBytes(bytes).first(length));
  return ConnectionId(Bytes(bytes).first(length));
}

}  // namespace

RawPeer::RawPeer(RawPeerOptions options) : rng(options.seed), options_(std::move(options)), buffer_(65536) {
  TestTls tls = make_test_tls(rng, {.suites = {}, .chain = 1, .client_certificates = options_.client_certificates});
  server_tls_ = std::move(tls.server);
  client_tls_ = std::move(tls.client);
  if (options_.role == Role::client) options_.endpoint.server_tls = server_tls_;
  endpoint = std::make_unique<Endpoint>(options_.endpoint, rng);
  local_cid = random_cid(rng, options_.cid_length);
  own_cids_[local_cid] = kInitialPath;
}

SocketAddress RawPeer::address_of(PathId path) const {
  const auto i = static_cast<std::uint8_t>(path.value());
  return options_.role == Role::client ? Pair::client_address(i) : Pair::server_address();
}

SocketAddress RawPeer::endpoint_address(PathId path) const {
  const auto i = static_cast<std::uint8_t>(path.value());
  return options_.role == Role::client ? Pair::server_address() : Pair::client_address(i);
}

std::optional<ConnectionId> RawPeer::issued(PathId path, std::uint64_t sequence) const {
  const auto found = issued_.find({path, sequence});
  return found == issued_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::byte> RawPeer::encoded(const Frame& frame) {
  std::vector<std::byte> out(encoded_size(frame));
  ByteWriter writer(out);
  MPQUIC_CHECK(encode(writer, frame));
  return out;
}

// --- Handshake

void RawPeer::make_session() {
  parameters.initial_max_data = parameters.initial_max_stream_data_bidi_local = std::uint64_t{1} << 30;
  parameters.initial_max_stream_data_bidi_remote = parameters.initial_max_stream_data_uni = std::uint64_t{1} << 30;
  parameters.initial_max_streams_bidi = parameters.initial_max_streams_uni = 1000;
  parameters.active_connection_id_limit = 8;
  parameters.max_datagram_frame_size = 65535;
  parameters.initial_max_path_id = 7;
  parameters.initial_source_connection_id = local_cid;
  if (options_.role == Role::server) parameters.original_destination_connection_id = original_dcid;
  if (options_.parameters) options_.parameters(parameters);
  TlsSessionOptions session{.role = options_.role, .server_name = "localhost", .parameters = {}, .ticket = {}};
  encode(parameters, options_.role, session.parameters);
  session.parameters.insert(session.parameters.end(), options_.more_parameters.begin(), options_.more_parameters.end());
  tls_ = (options_.role == Role::client ? client_tls_ : server_tls_)->make_session(session).value();
}

void RawPeer::start() {
  if (options_.role == Role::server) {
    const ConnectOptions options{
        .tuple = Pair::tuple(0), .server_name = "localhost", .tls = client_tls_, .ticket = {}, .token = {}};
    handle = endpoint->connect(options, now).value();
    return exchange();
  }
  original_dcid = random_cid(rng, kLocalCidLength);
  issued_[{kInitialPath, 0}] = original_dcid;
  keys.install_initial(original_dcid, Role::client);
  make_session();
  MPQUIC_CHECK(tls_->start());
  pump_tls();
  exchange();
}

bool RawPeer::handshake() {
  start();
  return complete_ && !closed_ && (options_.role == Role::server ? !completes || done_sent_ : confirmed_);
}

void RawPeer::pump_tls() {
  while (auto event = tls_->poll_event()) {
    std::visit(overloaded{
                   [this](const TlsHandshakeData& data) {
                     auto& out = crypto_out_[data.level];
                     out.insert(out.end(), data.data.begin(), data.data.end());
                   },
                   [this](const TlsSecretReady& ready) {
                     keys.install(ready);
                     secrets.push_back(ready);
                   },
                   [this](const TlsPeerParameters& peer) {
                     if (auto decoded = decode(peer.encoded, peer_of(options_.role))) endpoint_parameters = *decoded;
                   },
                   [this](const TlsCompleted&) { complete_ = true; },
                   [](const TlsTicket&) {},
               },
               *event);
  }
}

// --- Sending

std::vector<std::byte> RawPeer::seal(const RawPacket& packet, Bytes payload) {
  const std::uint64_t number = packet.number.value_or(next_number_[{packet.level, packet.path}]);
  next_number_[{packet.level, packet.path}] = number + 1;
  ConnectionId dcid;
  if (packet.dcid) {
    dcid = *packet.dcid;
  } else if (const auto after = issued_.lower_bound({packet.path.next(), 0});
             after != issued_.begin() && std::prev(after)->first.first == packet.path) {
    dcid = std::prev(after)->second;
  }
  KeyRing& ring = packet.keys != nullptr ? *packet.keys : keys;
  std::vector<std::byte> out(128);
  ByteWriter writer(out);
  const TruncatedPacketNumber truncated{truncate(PacketNumber{number}, kMaxPacketNumberLength), kMaxPacketNumberLength};
  const HeaderLayout layout =
      packet.level == EncryptionLevel::one_rtt
          ? *write_short_header(writer, {.dcid = dcid, .spin = false, .key_phase = ring.write_key_phase()}, truncated)
          : *write_long_header(writer, {.type = packet_type_of(packet.level), .dcid = dcid, .scid = local_cid},
                               truncated);
  out.resize(layout.size);
  out[0] ^= std::byte{packet.flip};
  out.insert(out.end(), payload.begin(), payload.end());
  out.resize(std::max(out.size() + kAeadTagSize, packet.pad_to));
  if (layout.length_offset != 0) patch_length(out, layout);
  ring.seal(packet.level, packet.path, PacketNumber{number}, Bytes(out).first(layout.size),
            MutableBytes(out).subspan(layout.size));
  HeaderSample sample;
  std::memcpy(sample.data(), out.data() + layout.packet_number_offset + kHeaderProtectionSampleOffset, sample.size());
  std::array<HeaderMask, 1> mask;
  // Key updates leave header protection alone (RFC 9001 §6).
  (packet.level == EncryptionLevel::one_rtt ? keys : ring).write_masks(packet.level, std::span(&sample, 1), mask);
  apply_header_mask(mask[0], out, layout.packet_number_offset);
  return out;
}

bool RawPeer::send_bytes(Bytes payload, const RawPacket& packet) {
  return deliver(seal(packet, payload), packet.from.value_or(address_of(packet.path)), packet.ecn);
}

bool RawPeer::send_all(const std::vector<Frame>& frames, const RawPacket& packet) {
  std::vector<std::byte> payload;
  for (const Frame& frame : frames) {
    const auto bytes = encoded(frame);
    payload.insert(payload.end(), bytes.begin(), bytes.end());
  }
  return send_bytes(payload, packet);
}

bool RawPeer::deliver(Bytes datagram, const SocketAddress& from, Ecn ecn) {
  std::vector<std::byte> copy(datagram.begin(), datagram.end());  // it is decrypted in place
  endpoint->receive({{endpoint_address(kInitialPath), from}, ecn, copy, copy.size()}, now);
  exchange();
  return !closed_;
}

ConnectionId RawPeer::issue(PathId path, std::uint64_t sequence, std::uint64_t retire_prior_to, bool as_path_frame) {
  NewConnectionIdFrame frame{
      .path = {}, .sequence = sequence, .retire_prior_to = retire_prior_to, .id = random_cid(rng, kLocalCidLength)};
  if (as_path_frame) frame.path = path;
  rng.fill(frame.reset_token);
  own_cids_[frame.id] = path;
  own_reset_tokens[{path, sequence}] = frame.reset_token;
  send(frame);
  return frame.id;
}

bool RawPeer::open_path(PathId path) {
  issue(path, 0);
  issue(path, 1);
  const std::size_t before = frames<PathResponseFrame>().size();
  send(PathChallengeFrame{}, {.path = path, .pad_to = kMinInitialDatagram});
  std::vector<PathStats> stats;
  endpoint->path_stats(handle, stats);
  const auto found = std::ranges::find(stats, path, &PathStats::id);
  return frames<PathResponseFrame>().size() > before && found != stats.end() && found->validated;
}

bool RawPeer::flush() {
  bool sent = false;
  for (const auto level : {EncryptionLevel::initial, EncryptionLevel::handshake, EncryptionLevel::one_rtt}) {
    if (!keys.has_write(level) || (level == EncryptionLevel::handshake && !finishes)) continue;
    auto& out = crypto_out_[level];
    for (std::uint64_t& at = crypto_sent_[level]; at < out.size(); sent = true) {
      const std::size_t n = std::min<std::size_t>(kCryptoChunk, out.size() - at);
      const CryptoFrame frame{at, Bytes(out).subspan(at, n)};
      at += n;
      send(frame, {.level = level, .pad_to = level == EncryptionLevel::initial ? kMinInitialDatagram : 0});
    }
  }
  if (complete_ && options_.role == Role::server && completes && !done_sent_) {
    done_sent_ = sent = true;
    send(HandshakeDoneFrame{});
  }
  for (const auto& [packet, response] : std::exchange(responses_, {})) {
    sent = true;
    send(response, packet);
  }
  for (auto& [space, pending] : acks_) {
    if (!std::exchange(pending.due, false) || !acknowledges || !keys.has_write(space.first)) continue;
    sent = true;
    TokenList tokens;
    std::array<std::byte, 1000> frame;
    FrameWriter writer(frame, space.first, space.second, tokens);
    const auto path = space.second == kInitialPath ? std::nullopt : std::optional(space.second);
    MPQUIC_CHECK(writer.write_ack(path, pending.numbers, 0, std::nullopt, kMaxAckRangesWritten, AckToken{}));
    const bool initial = space.first == EncryptionLevel::initial;
    send_bytes(Bytes(frame).first(writer.size()),
               {.level = space.first, .path = space.second, .pad_to = initial ? kMinInitialDatagram : 0});
  }
  return sent;
}

void RawPeer::exchange() {
  if (std::exchange(exchanging_, true)) return;  // the outermost call does it all
  do {
    while (const auto sent = endpoint->poll_transmit(buffer_, now)) {
      bytes_to[sent->tuple.remote] += sent->size;
      for (std::size_t at = 0; at < sent->size; at += sent->segment_size)
        on_datagram(MutableBytes(buffer_).subspan(at, std::min(sent->segment_size, sent->size - at)), *sent);
    }
    while (auto event = endpoint->poll_event()) {
      handle = event->connection;
      events.push_back(std::move(event->what));
    }
  } while (flush());
  exchanging_ = false;
}

void RawPeer::run_for(Duration time) {
  constexpr int kSpin = 1000;  // timers that fire without getting anywhere
  const Instant end = now + time;
  int same = 0;
  for (Deadline next = endpoint->next_deadline(); next && *next <= end; next = endpoint->next_deadline()) {
    same = *next > now ? 0 : same + 1;
    MPQUIC_CHECK(same < kSpin);
    now = std::max(now, *next);
    endpoint->on_deadline(now);
    exchange();
  }
  now = end;
}

// --- Receiving

void RawPeer::on_datagram(MutableBytes datagram, const Transmit& how) {
  const std::size_t size = datagram.size();
  while (!datagram.empty()) {
    const auto packet = parse_packet(datagram, options_.cid_length);
    if (!packet) return;
    datagram = datagram.subspan(packet->consumed);
    const auto level = level_of(packet->type);
    if (!level) continue;
    if (options_.role == Role::server && !tls_ && *level == EncryptionLevel::initial) {
      original_dcid = ConnectionId(packet->dcid);
      own_cids_[original_dcid] = kInitialPath;
      keys.install_initial(original_dcid, Role::server);
      make_session();
    }
    const auto own = own_cids_.find(ConnectionId(packet->dcid));
    if (own == own_cids_.end()) continue;
    const auto& numbers = acks_[{*level, own->second}].numbers;
    const auto largest = numbers.empty() ? std::nullopt : std::optional(PacketNumber{numbers.max()});
    const auto opened = opener_.open(*packet, keys, {.path = own->second, .largest_received = largest, .now = now});
    if (!opened) continue;
    if (*level != EncryptionLevel::one_rtt) issued_[{kInitialPath, 0}] = ConnectionId(packet->scid);
    RawReceived out{*level, own->second, opened->number, how.tuple.remote, size, how.ecn, {}};
    out.payload.assign(opened->payload.begin(), opened->payload.end());
    on_packet(out);
    if (keeps) received.push_back(std::move(out));
  }
}

void RawPeer::on_packet(RawReceived& packet) {
  PendingAcks& acks = acks_[{packet.level, packet.path}];
  acks.numbers.insert(packet.number.value(), packet.number.value() + 1);
  for_each_frame(packet, [&](const Frame& frame) {
    acks.due |= find_frame_rule(type_of(frame))->ack_eliciting;
    on_frame(frame, packet);
  });
}

void RawPeer::on_frame(const Frame& frame, const RawReceived& packet) {
  if (const auto* crypto = std::get_if<CryptoFrame>(&frame)) {
    std::uint64_t& next = crypto_received_[packet.level];
    if (crypto->offset > next || crypto->offset + crypto->data.size() <= next) return;  // the wire loses nothing
    const Bytes fresh = crypto->data.subspan(next - crypto->offset);
    next += fresh.size();
    MPQUIC_CHECK(tls_->receive(packet.level, fresh));
    pump_tls();
  } else if (const auto* close = std::get_if<ConnectionCloseFrame>(&frame)) {
    if (!closed_) closed_ = Closed{close->error, close->frame_type};
  } else if (const auto* cid = std::get_if<NewConnectionIdFrame>(&frame)) {
    issued_[{cid->path.value_or(kInitialPath), cid->sequence}] = cid->id;
    reset_tokens[{cid->path.value_or(kInitialPath), cid->sequence}] = cid->reset_token;
  } else if (const auto* challenge = std::get_if<PathChallengeFrame>(&frame)) {
    if (!answers_challenges) return;
    const RawPacket answer{.path = packet.path, .from = packet.to, .pad_to = kMinInitialDatagram};
    responses_.emplace_back(answer, PathResponseFrame{challenge->data});
  } else if (std::holds_alternative<HandshakeDoneFrame>(frame)) {
    confirmed_ = true;
  }
}

}  // namespace mpquic::test
