// Datagrams: routing, new connections, and the stateless answers to what belongs to no connection. Every answer is
// smaller than three times what triggered it, and their rate is limited (answer_budget.h).
#include <algorithm>
#include <array>

#include "stack/crypto/initial.h"
#include "stack/endpoint/endpoint.h"
#include "stack/endpoint/slot.h"
#include "stack/packet/builder.h"
#include "stack/packet/opener.h"

namespace mpquic {
namespace {

/// RFC 9000 §10.3: a reset that looks like a short packet and is never longer than what triggered it.
constexpr std::size_t kMaxReset = 43;
constexpr std::size_t kMinReset = 21;
/// Answers of one purpose that wait for the host to poll.
constexpr std::size_t kMaxAnswers = 256;
/// RFC 9000 §7.2: shorter ones in a first Initial are forgeries.
constexpr std::size_t kMinInitialDcid = 8;

}  // namespace

void Endpoint::on_datagram(const ReceivedTrain& train, MutableBytes datagram, Instant now) {
  const auto header = parse_invariants(datagram, kLocalCidLength);
  if (!header) return drop(DropReason::malformed_header);
  const CidRoute* route = router_.find(header->dcid);
  if (route == nullptr) return on_unrouted(train, datagram, now);
  Slot& slot = *slots_[route->connection];
  slot.connection->on_datagram({train.tuple, train.ecn, datagram, route->path}, now);
  touch(slot);
}

void Endpoint::on_unrouted(const ReceivedTrain& train, MutableBytes datagram, Instant now) {
  const auto header = *parse_invariants(datagram, kLocalCidLength);
  if (!header.long_form) return answer_reset(train.tuple, header, datagram, now);
  if (header.version == kVersionNegotiation) return drop(DropReason::unknown_connection);
  if (config_.server_tls == nullptr || !configured_) return drop(DropReason::unknown_connection);
  if (datagram.size() < kMinInitialDatagram) return drop(DropReason::datagram_too_small);
  if (header.version != kVersion1) return answer_version_negotiation(train.tuple, header, now);
  const auto packet = parse_packet(datagram, kLocalCidLength);
  if (!packet) return drop(packet.error());
  const ConnectionId dcid(packet->dcid);
  if (dcid.size() >= kMinInitialDcid) {
    if (const auto known = router_.find_initial(dcid, train.tuple.remote)) {
      Slot& slot = *slots_[*known];
      slot.connection->on_datagram({train.tuple, train.ecn, datagram, kInitialPath}, now);
      return touch(slot);
    }
  }
  if (packet->type != PacketType::initial || dcid.size() < kMinInitialDcid) return drop(DropReason::unknown_connection);
  accept({train.tuple, train.ecn, datagram, dcid, ConnectionId(packet->scid), *packet}, now);
}

bool Endpoint::wants_retry(const IncomingInitial& initial, Instant now) {
  return config_.require_retry || half_open_ >= config_.retry_above_half_open ||
         !budget_.take(BudgetPurpose::first_flight, initial.tuple.remote.ip, now);
}

bool Endpoint::authenticates(const IncomingInitial& initial, Instant now) {
  KeyRing keys;
  keys.install_initial_read(initial.dcid, Role::server);
  trial_.assign(initial.packet.bytes.begin(), initial.packet.bytes.end());  // the connection opens it once more
  ProtectedPacket copy = initial.packet;
  copy.bytes = trial_;
  return PacketOpener().open(copy, keys, {.path = kInitialPath, .largest_received = {}, .now = now}).has_value();
}

void Endpoint::accept(const IncomingInitial& initial, Instant now) {
  if (connections_ >= config_.max_connections) {
    drop(DropReason::connection_limit);
    return answer_refusal(initial, error::kConnectionRefused, now);
  }
  ValidatedToken token;
  TokenVerdict verdict = TokenVerdict::useless;
  const Bytes bytes = initial.packet.token;
  if (!bytes.empty()) verdict = tokens_.check(bytes, initial.tuple.remote, now, token);
  // A Retry token is bound to the connection ID that the Retry chose (RFC 9000 §8.1.2).
  if (verdict == TokenVerdict::valid && token.retry && token.retry->retry_scid != initial.dcid)
    verdict = TokenVerdict::invalid;
  if (verdict == TokenVerdict::invalid) {
    drop(DropReason::invalid_token);
    return answer_refusal(initial, error::kInvalidToken, now);
  }
  if (verdict == TokenVerdict::useless && wants_retry(initial, now)) return answer_retry(initial, now);
  if (verdict == TokenVerdict::valid && !budget_.take(BudgetPurpose::proved, initial.tuple.remote.ip, now))
    return drop(DropReason::rate_limited);
  // Only a packet that decrypts makes a connection (its keys are public, RFC 9000 §17.2.2, but garbage costs little),
  // and only that uses up a NEW_TOKEN: a copy from the wire with other bytes behind it must not.
  if (!authenticates(initial, now)) return drop(DropReason::decryption_failed);
  if (verdict == TokenVerdict::valid && !token.retry && !used_tokens_.take(bytes, now)) {
    verdict = TokenVerdict::useless;
    if (wants_retry(initial, now)) return answer_retry(initial, now);
  }
  open_connection(initial, verdict == TokenVerdict::valid ? &token : nullptr, now);
}

void Endpoint::open_connection(const IncomingInitial& initial, const ValidatedToken* token, Instant now) {
  const std::optional<RetryTokenContents> retry = token != nullptr ? token->retry : std::nullopt;
  ConnectionSetup setup = common_setup(Role::server, initial.tuple);
  setup.remote_cid = initial.scid;
  setup.initial_dcid = initial.dcid;
  setup.original_dcid = retry ? retry->original_dcid : initial.dcid;
  if (retry) setup.retry_scid = retry->retry_scid;
  setup.address_validated = token != nullptr;
  setup.tls = config_.server_tls.get();
  if (config_.trace != nullptr) setup.sink = config_.trace->make_sink(Role::server, setup.original_dcid);
  const ConnectionId local = setup.local_cid;
  auto connection = Connection::create(std::move(setup), now);
  if (!connection) return drop(DropReason::connection_limit);
  (*connection)->on_datagram({initial.tuple, initial.ecn, initial.datagram, kInitialPath}, now);
  if (!(*connection)->heard_from_peer()) return;
  Slot& slot = allocate_slot();
  slot.role = Role::server;
  slot.handshake_cid = local;
  slot.initial_dcid = initial.dcid;
  slot.initial_remote = initial.tuple.remote;
  router_.add_initial(initial.dcid, initial.tuple.remote, slot.index);
  static_cast<void>(adopt(slot, *std::move(connection)));
  slot.tls = config_.server_tls;
  touch(slot);
}

bool Endpoint::may_answer(BudgetPurpose purpose, const FourTuple& tuple, Instant now) {
  if (answers_[static_cast<std::size_t>(purpose)].size() < kMaxAnswers && budget_.take(purpose, tuple.remote.ip, now))
    return true;
  drop(DropReason::rate_limited);
  return false;
}

void Endpoint::queue_answer(BudgetPurpose purpose, const FourTuple& tuple, Bytes datagram) {
  answers_[static_cast<std::size_t>(purpose)].push_back({tuple, {datagram.begin(), datagram.end()}});
}

void Endpoint::answer_version_negotiation(const FourTuple& tuple, const InvariantHeader& header, Instant now) {
  drop(DropReason::unsupported_version);
  if (!may_answer(BudgetPurpose::version_negotiation, tuple, now)) return;
  // RFC 9000 §6.3: a reserved version is listed too, so that clients do not grow used to a fixed list.
  const std::uint32_t reserved = (static_cast<std::uint32_t>(rng_.next_u64()) & 0xf0f0f0f0U) | 0x0a0a0a0aU;
  const std::array<std::uint32_t, 2> versions{kVersion1, reserved};
  std::array<std::byte, 640> buffer;  // two connection IDs of up to 255 bytes
  ByteWriter out(buffer);
  const VersionNegotiation packet{header.scid, header.dcid, versions,
                                  static_cast<std::uint8_t>(rng_.next_u64() & 0x7f)};
  if (write_version_negotiation(out, packet)) queue_answer(BudgetPurpose::version_negotiation, tuple, out.written());
}

void Endpoint::answer_retry(const IncomingInitial& initial, Instant now) {
  if (!may_answer(BudgetPurpose::retry, initial.tuple, now)) return;
  const ConnectionId retry_scid = draw_cid();
  const auto token = tokens_.make_retry(initial.tuple.remote, {initial.dcid, retry_scid}, now);
  std::array<std::byte, 512> buffer;
  ByteWriter out(buffer);
  const RetryHeader header{initial.scid, retry_scid, token, static_cast<std::uint8_t>(rng_.next_u64() & 0x0f)};
  if (!write_retry(out, header)) return;
  const RetryIntegrityTag tag = retry_integrity_tag(initial.dcid, out.written());
  if (out.write_bytes(tag)) queue_answer(BudgetPurpose::retry, initial.tuple, out.written());
}

void Endpoint::answer_refusal(const IncomingInitial& initial, std::uint64_t error, Instant now) {
  if (!may_answer(BudgetPurpose::refusal, initial.tuple, now)) return;
  KeyRing keys;
  keys.install_initial(initial.dcid, Role::server);
  std::array<std::byte, 256> buffer;
  DatagramWriter train(buffer);
  if (!train.begin_datagram(buffer.size())) return;
  const PacketPlan plan{.level = EncryptionLevel::initial,
                        .path = kInitialPath,
                        .number = PacketNumber{0},
                        .largest_acked = std::nullopt,
                        .dcid = initial.scid,
                        .scid = draw_cid(),
                        .token = {}};
  PacketBuilder builder(plan, keys, train);
  TokenList tokens;
  FrameWriter frames(builder.room(), EncryptionLevel::initial, kInitialPath, tokens);
  if (!frames.write(ConnectionCloseFrame{.application = false, .error = error, .frame_type = 0, .reason = {}})) return;
  builder.finish(frames.size());
  train.flush(keys);
  queue_answer(BudgetPurpose::refusal, initial.tuple, Bytes(buffer).first(train.size()));
}

bool Endpoint::on_reset(Bytes datagram, Instant now) {
  // The peer of one of our connections, client or server, has lost its state (RFC 9000 §10.3.1).
  if (datagram.size() < kMinReset) return false;
  const Bytes token = datagram.last(sizeof(StatelessResetToken));
  const auto found = resets_.find(token);
  if (!found || !slots_[*found]->connection->matches_reset_token(token)) return false;
  Slot& slot = *slots_[*found];
  slot.connection->on_stateless_reset(now);
  touch(slot);
  return true;
}

void Endpoint::answer_reset(const FourTuple& tuple, const InvariantHeader& header, MutableBytes datagram, Instant now) {
  drop(DropReason::unknown_connection);
  if (on_reset(datagram, now)) return;
  // Shorter than the trigger, so that two endpoints cannot keep answering each other (§10.3.3).
  if (datagram.size() <= kMinReset || !may_answer(BudgetPurpose::reset, tuple, now)) return;
  std::array<std::byte, kMaxReset> buffer;
  const std::size_t size = std::min(datagram.size() - 1, kMaxReset);
  rng_.fill(MutableBytes(buffer).first(size));
  buffer[0] = (buffer[0] & std::byte{0x3f}) | std::byte{first_byte::kFixedBit};
  const StatelessResetToken token = static_keys_.reset_token(ConnectionId(header.dcid));
  std::ranges::copy(token, buffer.begin() + static_cast<std::ptrdiff_t>(size - token.size()));
  queue_answer(BudgetPurpose::reset, tuple, Bytes(buffer).first(size));
}

}  // namespace mpquic
