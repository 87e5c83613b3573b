// Frames -> the parts that own them, and delivery tokens -> the parts that wrote them.
#include "stack/base/overloaded.h"
#include "stack/conn/connection.h"
#include "stack/wire/frame_encode.h"
#include "stack/wire/frame_rules.h"

namespace mpquic {
namespace {

/// Address tokens that wait for the application; the oldest go.
constexpr std::size_t kMaxKeptTokens = 4;

}  // namespace

Result<void> Connection::dispatch(const Frame& frame, Arrival& arrival) {
  if (const auto* stream = std::get_if<StreamFrame>(&frame)) {
    arrival.ack_eliciting = true;
    arrival.probing_only = false;
    arrival.path.counters().stream_bytes_received += stream->data.size();
    on_data_moved(arrival.now);
    return streams_.on_frame(*stream);
  }
  if (const auto* ack = std::get_if<AckFrame>(&frame)) {
    arrival.probing_only = false;
    return on_ack(*ack, arrival);
  }
  if (const auto* datagram = std::get_if<DatagramFrame>(&frame)) {
    arrival.ack_eliciting = true;
    arrival.probing_only = false;
    arrival.path.counters().stream_bytes_received += datagram->data.size();
    on_data_moved(arrival.now);
    return datagrams_.on_frame(*datagram);
  }
  const FrameRule* rule = find_frame_rule(type_of(frame));
  MPQUIC_CHECK(rule != nullptr);
  arrival.ack_eliciting |= rule->ack_eliciting;
  arrival.probing_only &= rule->probing;
  return dispatch_rare(frame, arrival);
}

Result<void> Connection::dispatch_rare(const Frame& frame, Arrival& arrival) {
  const auto for_streams = [this](const auto& f) { return streams_.on_frame(f); };
  const auto nothing = [](const auto&) -> Result<void> { return {}; };
  return std::visit(overloaded{
                        [&](const StreamFrame& f) { return for_streams(f); },
                        [&](const AckFrame& f) { return on_ack(f, arrival); },
                        [&](const DatagramFrame& f) { return datagrams_.on_frame(f); },
                        [&](const PaddingFrame& f) { return nothing(f); },
                        [&](const PingFrame& f) { return nothing(f); },
                        [&](const CryptoFrame& f) {
                          arrival.crypto = true;
                          return handshake_.on_frame(level_of(arrival.space), f);
                        },
                        [&](const MaxDataFrame& f) { return for_streams(f); },
                        [&](const MaxStreamDataFrame& f) { return for_streams(f); },
                        [&](const MaxStreamsFrame& f) { return for_streams(f); },
                        [&](const ResetStreamFrame& f) { return for_streams(f); },
                        [&](const StopSendingFrame& f) { return for_streams(f); },
                        [&](const NewTokenFrame& f) { return on_new_token(f); },
                        [&](const DataBlockedFrame& f) { return for_streams(f); },
                        [&](const StreamDataBlockedFrame& f) { return for_streams(f); },
                        [&](const StreamsBlockedFrame& f) { return for_streams(f); },
                        [&](const NewConnectionIdFrame& f) { return on_new_connection_id(f, arrival); },
                        [&](const RetireConnectionIdFrame& f) { return on_retire_connection_id(f, arrival); },
                        [&](const PathChallengeFrame& f) -> Result<void> {
                          const bool doubts_marks = arrival.ecn == Ecn::not_ect && peer_marks_;
                          arrival.path.on_path_challenge(arrival.tuple, f.data, doubts_marks, arrival.now);
                          return {};
                        },
                        [&](const PathResponseFrame& f) -> Result<void> {
                          arrival.path.on_path_response(f.data, arrival.now);
                          return {};
                        },
                        [&](const ConnectionCloseFrame& f) -> Result<void> {
                          on_connection_close(f, arrival);
                          return {};
                        },
                        [&](const HandshakeDoneFrame&) { return on_handshake_done(arrival); },
                        [&](const PathAbandonFrame& f) { return paths_.on_path_abandon(f, arrival.now); },
                        [&](const PathStatusFrame& f) { return paths_.on_path_status(f); },
                        [&](const MaxPathIdFrame& f) { return paths_.on_max_path_id(f); },
                        [&](const PathsBlockedFrame& f) { return paths_.on_paths_blocked(f); },
                        [&](const PathCidsBlockedFrame& f) -> Result<void> {
                          MPQUIC_TRY_ASSIGN(admission, paths_.admit(f.path, frame_type::kPathCidsBlocked));
                          if (admission == PathManager::Admission::ignore) return {};
                          return local_cids_.on_cids_blocked(f);
                        },
                        // The address-advertisement extension is negotiated and decoded; nothing acts on it yet.
                        [&](const AddAddressFrame& f) { return nothing(f); },
                        [&](const PathsFrame& f) { return nothing(f); },
                        [&](const ClosePathFrame& f) { return nothing(f); },
                    },
                    frame);
}

Result<void> Connection::on_ack(const AckFrame& frame, Arrival& arrival) {
  PathId id = kInitialPath;  // draft-21 §2.3: a plain ACK is about path 0
  if (frame.path) {
    MPQUIC_TRY_ASSIGN(admission, paths_.admit(frame.path->value(), frame_type::kPathAck));
    if (admission == PathManager::Admission::ignore) return {};
    id = *frame.path;
  }
  Path* path = paths_.find(id);
  if (path == nullptr) {
    if (!frame.path) return {};  // path 0 was abandoned and deleted
    return mpquic::fail(error::kProtocolViolation, "acknowledgement of a path that was never used",
                        frame_type::kPathAck);
  }
  outcome_.clear();
  MPQUIC_TRY(path->on_ack(arrival.space, frame, arrival.now, outcome_, arrival.path.id()));
  if (arrival.space == SpaceId::application && outcome_.newest_acked) {
    keys_.set_update_interval(3 * paths_.max_pto());
    MPQUIC_TRY(keys_.on_acked(id, outcome_.newest_acked->number, arrival.previous_keys, arrival.now));
  }
  deliver(*path, outcome_, arrival.now);
  return {};
}

Result<void> Connection::on_new_connection_id(const NewConnectionIdFrame& frame, Arrival&) {
  const std::uint64_t type = frame.path ? frame_type::kPathNewConnectionId : frame_type::kNewConnectionId;
  if (paths_.multipath()) {
    MPQUIC_TRY_ASSIGN(admission, paths_.admit(frame.path.value_or(kInitialPath).value(), type));
    if (admission == PathManager::Admission::ignore) return {};
  }
  return peer_cids_.on_new_connection_id(frame);
}

Result<void> Connection::on_retire_connection_id(const RetireConnectionIdFrame& frame, Arrival& arrival) {
  const std::uint64_t type = frame.path ? frame_type::kPathRetireConnectionId : frame_type::kRetireConnectionId;
  if (paths_.multipath()) {
    MPQUIC_TRY_ASSIGN(admission, paths_.admit(frame.path.value_or(kInitialPath).value(), type));
    if (admission == PathManager::Admission::ignore) return {};
  }
  return local_cids_.on_retire(frame, ConnectionId(arrival.dcid));
}

Result<void> Connection::on_handshake_done(Arrival& arrival) {
  if (role_ == Role::server)
    return mpquic::fail(error::kProtocolViolation, "HANDSHAKE_DONE from a client", frame_type::kHandshakeDone);
  on_handshake_confirmed(arrival.now);
  return {};
}

Result<void> Connection::on_new_token(const NewTokenFrame& frame) {
  if (role_ == Role::server)
    return mpquic::fail(error::kProtocolViolation, "NEW_TOKEN from a client", frame_type::kNewToken);
  if (frame.token.size() > kMaxAddressToken) return {};  // of no use: a first Initial could not carry it
  if (address_tokens_.size() == kMaxKeptTokens) address_tokens_.erase(address_tokens_.begin());
  address_tokens_.emplace_back(frame.token.begin(), frame.token.end());
  return {};
}

void Connection::on_connection_close(const ConnectionCloseFrame& frame, const Arrival& arrival) {
  const Instant now = arrival.now;
  close_cursor_ = arrival.path.id().value();  // the answer takes the path that works
  const std::string_view reason = as_text(frame.reason.first(std::min(frame.reason.size(), kMaxReason)));
  emit(trace::Closed{.by_peer = true, .application = frame.application, .error = frame.error, .reason = reason}, now);
  lifecycle_.on_peer_close({.source = CloseSource::peer,
                            .application = frame.application,
                            .error = frame.error,
                            .frame_type = frame.frame_type,
                            .reason = std::string(reason)},
                           now, paths_.max_pto());
}

void Connection::deliver(Path& path, AckOutcome& outcome, Instant now) {
  for (const DeliveryToken& token : outcome.acked) on_token_acked(token, now);
  for (const DeliveryToken& token : outcome.lost) on_token_lost(token);
  if (!sink_) return;
  for (const LostPacket& lost : outcome.lost_packets) {
    const auto trigger = lost.trigger == LossTrigger::packet_threshold ? trace::LossTrigger::reordering_threshold
                                                                       : trace::LossTrigger::time_threshold;
    emit(trace::PacketLost{EncryptionLevel::one_rtt, path.id(), lost.number, trigger}, now);
  }
  emit_metrics(path, now);
  emit_coupling(path, now);
}

void Connection::on_token_acked(const DeliveryToken& token, Instant now) {
  if (const auto* stream = std::get_if<StreamToken>(&token)) return streams_.on_acked(*stream);
  const auto for_streams = [&] { streams_.on_acked(token); };
  std::visit(overloaded{
                 [&](const StreamToken&) { for_streams(); },
                 [&](const AckToken& t) {
                   if (Path* path = paths_.find(t.path); path != nullptr && path->has_space(t.space))
                     path->space(t.space).received().on_ack_acked(t);
                 },
                 [&](const CryptoToken& t) { handshake_.on_acked(t); },
                 [&](const DatagramToken& t) { datagrams_.on_acked(t); },
                 [&](const MaxDataToken&) { for_streams(); },
                 [&](const MaxStreamDataToken&) { for_streams(); },
                 [&](const MaxStreamsToken&) { for_streams(); },
                 [&](const DataBlockedToken&) { for_streams(); },
                 [&](const StreamDataBlockedToken&) { for_streams(); },
                 [&](const StreamsBlockedToken&) { for_streams(); },
                 [&](const ResetStreamToken&) { for_streams(); },
                 [&](const StopSendingToken&) { for_streams(); },
                 [&](const NewConnectionIdToken& t) { local_cids_.on_acked(t); },
                 [&](const RetireConnectionIdToken& t) { peer_cids_.on_acked(t); },
                 [&](const HandshakeDoneToken& t) { handshake_.on_acked(t); },
                 [&](const NewTokenToken& t) { handshake_.on_acked(t); },
                 [&](const PathAbandonToken& t) { paths_.on_acked(t, now); },
                 [&](const PathStatusToken& t) { paths_.on_acked(t); },
                 [&](const MaxPathIdToken& t) { paths_.on_acked(t); },
                 [&](const PathsBlockedToken& t) { paths_.on_acked(t); },
                 [&](const PathCidsBlockedToken& t) { peer_cids_.on_acked(t); },
             },
             token);
}

void Connection::on_token_lost(const DeliveryToken& token) {
  if (const auto* stream = std::get_if<StreamToken>(&token)) return streams_.on_lost(*stream);
  const auto for_streams = [&] { streams_.on_lost(token); };
  std::visit(overloaded{
                 [&](const StreamToken&) { for_streams(); },
                 [&](const AckToken&) {},  // a later ACK says more
                 [&](const CryptoToken& t) { handshake_.on_lost(t); },
                 [&](const DatagramToken& t) { datagrams_.on_lost(t); },
                 [&](const MaxDataToken&) { for_streams(); },
                 [&](const MaxStreamDataToken&) { for_streams(); },
                 [&](const MaxStreamsToken&) { for_streams(); },
                 [&](const DataBlockedToken&) { for_streams(); },
                 [&](const StreamDataBlockedToken&) { for_streams(); },
                 [&](const StreamsBlockedToken&) { for_streams(); },
                 [&](const ResetStreamToken&) { for_streams(); },
                 [&](const StopSendingToken&) { for_streams(); },
                 [&](const NewConnectionIdToken& t) { local_cids_.on_lost(t); },
                 [&](const RetireConnectionIdToken& t) { peer_cids_.on_lost(t); },
                 [&](const HandshakeDoneToken& t) { handshake_.on_lost(t); },
                 [&](const NewTokenToken& t) { handshake_.on_lost(t); },
                 [&](const PathAbandonToken& t) { paths_.on_lost(t); },
                 [&](const PathStatusToken& t) { paths_.on_lost(t); },
                 [&](const MaxPathIdToken& t) { paths_.on_lost(t); },
                 [&](const PathsBlockedToken& t) { paths_.on_lost(t); },
                 [&](const PathCidsBlockedToken& t) { peer_cids_.on_lost(t); },
             },
             token);
}

void Connection::requeue_unacked(Path& path) {
  path.for_each_unacked([this](const SentPacket&, DeliveryToken& token) {
    if (!std::holds_alternative<DatagramToken>(token)) on_token_lost(token);  // datagrams are never repeated
    if (auto* stream = std::get_if<StreamToken>(&token)) stream->copied = true;
    return true;
  });
}

}  // namespace mpquic
