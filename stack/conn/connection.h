// One QUIC connection: wiring only. Protocol rules live in the parts; this class calls them in order (ARCHITECTURE.md
// walks a packet through it each way).
//
//   connection.cc  construction, application calls, timers, path events
//   establish.cc   TLS events, transport parameters, Retry, version negotiation, confirmation
//   receive.cc     datagram -> packets -> paths
//   dispatch.cc    frames -> parts, delivery tokens -> parts
//   send.cc        demand -> trains
//   send_packet.cc one packet: plan, acknowledgements, seal, bookkeeping
//   redundancy.cc  what is sent more than once: copies, reinjection
//
// Call contract: as PacketIo; the endpoint is the only caller.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stack/base/connection_id.h"
#include "stack/base/drop_reason.h"
#include "stack/base/packet_io.h"
#include "stack/base/ring_buffer.h"
#include "stack/base/rng.h"
#include "stack/cid/local_cids.h"
#include "stack/cid/peer_cids.h"
#include "stack/conn/config.h"
#include "stack/conn/events.h"
#include "stack/conn/handshake.h"
#include "stack/conn/lifecycle.h"
#include "stack/conn/stats.h"
#include "stack/conn/validated_addresses.h"
#include "stack/crypto/key_ring.h"
#include "stack/datagram/datagram_queue.h"
#include "stack/packet/builder.h"
#include "stack/packet/opener.h"
#include "stack/path/path_manager.h"
#include "stack/redundancy/copy_lanes.h"
#include "stack/redundancy/duplication.h"
#include "stack/redundancy/reinjection.h"
#include "stack/sched/scheduler.h"
#include "stack/stream/stream_map.h"
#include "stack/trace/sink.h"
#include "stack/wire/frame_decode.h"
#include "stack/wire/transport_params.h"

namespace mpquic {

/// NEW_TOKEN contents for the addresses that this peer has validated. Empty: no token.
using AddressTokenMaker = std::move_only_function<std::vector<std::byte>(std::span<const IpAddress>, Instant)>;

struct ConnectionSetup {
  Role role = Role::client;
  ConnectionConfig config;
  FourTuple tuple;
  ConnectionId local_cid;                  // our first source connection ID
  ConnectionId remote_cid;                 // client: its random choice; server: the client's source connection ID
  ConnectionId original_dcid;              // of the client's very first Initial
  std::optional<ConnectionId> retry_scid;  // server: what our Retry used
  ConnectionId initial_dcid;               // Initial keys derive from this one
  std::vector<std::byte> token;            // client: for its Initials
  bool address_validated = false;          // server: the client's token was good
  StatelessResetToken reset_token{};       // server: of local_cid
  std::string server_name;                 // client
  std::vector<std::byte> ticket;           // client
  std::uint32_t version = kVersion1;       // client: what it offers first; we speak version 1 only
  TlsProvider* tls = nullptr;
  CidGenerator generate_cid;
  AddressTokenMaker make_token;
  Rng* rng = nullptr;
  DropCounters* drops = nullptr;  // the endpoint's; counts this connection's drops too
  std::unique_ptr<trace::Sink> sink;
};

/// A datagram as the endpoint routed it.
struct RoutedDatagram {
  FourTuple tuple;
  Ecn ecn = Ecn::not_ect;
  MutableBytes bytes;
  PathId path;  // whose connection ID its first packet carries
};

class Connection {
 public:
  /// Fails where TLS cannot make a session.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> create(ConnectionSetup setup, Instant now);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // --- Packets and time
  void on_datagram(const RoutedDatagram& datagram, Instant now);
  [[nodiscard]] std::optional<Transmit> poll_transmit(MutableBytes out, Instant now);
  [[nodiscard]] Deadline next_deadline() const;
  void on_deadline(Instant now);
  void set_writable(const SocketAddress& local, bool writable);
  /// Of a train of this connection.
  void on_transmit_failed(const FourTuple& tuple, TransmitFailure failure, Instant now);

  // --- For the endpoint
  [[nodiscard]] bool closed() const { return lifecycle_.closed(); }
  [[nodiscard]] bool is_open() const { return lifecycle_.open(); }
  [[nodiscard]] bool handshake_complete() const { return handshake_.complete(); }
  /// A packet of the peer's has authenticated.
  [[nodiscard]] bool heard_from_peer() const { return peer_seen_; }
  /// All connection IDs of ours and all reset tokens of the peer's become events: the connection is about to be
  /// deleted.
  void forget_cids();
  [[nodiscard]] std::optional<LocalCidEvent> poll_cid_event() { return local_cids_.poll_event(); }
  [[nodiscard]] bool matches_reset_token(Bytes token) const { return peer_cids_.matches_reset_token(token); }
  [[nodiscard]] std::optional<ResetTokenEvent> poll_reset_token_event() { return peer_cids_.poll_reset_token_event(); }
  void on_stateless_reset(Instant now);

  // --- The application
  [[nodiscard]] std::optional<ConnectionEvent> poll_event();
  [[nodiscard]] StreamMap& streams() { return streams_; }
  [[nodiscard]] DatagramQueue& datagrams() { return datagrams_; }
  [[nodiscard]] std::optional<std::uint64_t> send_datagram(Bytes data, Deadline deadline, Instant now);
  [[nodiscard]] std::size_t max_datagram_payload() const { return datagram_limit(); }
  void close(std::uint64_t application_error, std::string_view reason, Instant now);
  [[nodiscard]] PathManager& paths() { return paths_; }
  [[nodiscard]] Result<void> open_path(const FourTuple& tuple, Instant now);
  void abandon_path(PathId id, std::uint64_t error, Instant now);
  /// Client: probe another local address, then move the path there. False: no such path, or it cannot move now, or
  /// the peer forbids it.
  [[nodiscard]] bool migrate(PathId id, const SocketAddress& local, Instant now);
  void request_key_update() { keys_.request_update(); }
  [[nodiscard]] std::optional<std::vector<std::byte>> take_ticket();
  [[nodiscard]] std::optional<std::vector<std::byte>> take_token();
  [[nodiscard]] ConnectionStats stats() const;
  void path_stats(std::vector<PathStats>& out) const;

 private:
  /// One received packet while its frames are handled.
  struct Arrival {
    Path& path;
    SpaceId space;
    PacketNumber number;
    Bytes dcid;  // in the datagram
    FourTuple tuple;
    Ecn ecn = Ecn::not_ect;
    bool previous_keys = false;
    bool ack_eliciting = false;
    bool probing_only = true;
    bool crypto = false;  // there were CRYPTO frames
    Instant now;
  };
  /// The connection IDs that transport parameters must confirm (RFC 9000 §7.3).
  struct HandshakeIds {
    ConnectionId local;
    ConnectionId remote;
    ConnectionId original_dcid;
    std::optional<ConnectionId> retry_scid;
  };
  /// Room that an acknowledgement needs on an address that is not validated yet.
  static constexpr std::size_t kAckCredit = 128;
  /// A datagram with no more room than this, while there is more to send, is padded so that the train can go on.
  static constexpr std::size_t kPadSlack = 64;
  enum class Demand : std::uint8_t { none, new_data, lost_data };

  Connection(ConnectionSetup setup, std::unique_ptr<TlsSession> tls, Instant now);
  [[nodiscard]] Result<void> start(const ConnectionSetup& setup, Instant now);

  // connection.cc
  void drop(DropReason reason, std::size_t size, Instant now);
  void fail(const TransportError& error, Instant now);
  void discard_level(EncryptionLevel level);
  void drain_path_events(Instant now);
  void on_path_event(const PathEvent& event, Instant now);
  void try_open_paths(Instant now);
  void keep_alive(Instant now);
  /// Every path that no answer is due from carries a keep-alive: the one that carried the last may be dead.
  void keep_alive_everywhere(Instant now);
  template <class E>
  void emit(const E& event, Instant now) {
    if (sink_) sink_->on_event(&event, now);
  }
  void emit_metrics(const Path& path, Instant now);
  /// After what may have updated the keys: a train of ours, or a packet of the peer's.
  void trace_key_update(bool by_us, Instant now) {
    if (keys_.update_count() == traced_key_updates_) return;
    traced_key_updates_ = keys_.update_count();
    emit(trace::KeyUpdated{by_us, traced_key_updates_}, now);
  }
  /// Where the path's alpha is not what was traced last.
  void emit_coupling(Path& path, Instant now);
  void on_data_moved(Instant now);
  void trim_if_quiet(Instant now);

  // establish.cc
  [[nodiscard]] Result<void> pump_tls(Instant now);
  [[nodiscard]] Result<void> on_peer_parameters(Bytes encoded, Instant now);
  [[nodiscard]] Result<void> check_handshake_ids(const TransportParameters& peer) const;
  void negotiate_multipath(const TransportParameters& peer);
  void on_handshake_complete(const TlsCompleted& completed);
  void on_handshake_confirmed(Instant now);
  /// Server: NEW_TOKEN for this address and all before it (draft-21 §3.1.3).
  void on_address_proved(const IpAddress& ip, Instant now);
  void note_preferred_address(const PreferredAddress& preferred);
  void on_retry(const ProtectedPacket& packet, Instant now);
  void on_version_negotiation(const ProtectedPacket& packet, Instant now);
  void restart_with_version_1(Instant now);
  void resend_initials(const ConnectionId& dcid, Instant now);

  // receive.cc
  void on_packet(const ProtectedPacket& packet, const RoutedDatagram& datagram, bool& counted, Instant now);
  [[nodiscard]] std::optional<DropReason> refuses(const ProtectedPacket& packet, EncryptionLevel level) const;
  [[nodiscard]] std::expected<Path*, DropReason> path_for(const OpenedPacket& packet, const FourTuple& tuple,
                                                          Instant now);
  [[nodiscard]] Result<void> on_opened(const OpenedPacket& packet, Arrival& arrival);
  /// Tests only: what `buggify` wants of us after a datagram on that path.
  void buggify(Buggify& buggify, PathId arrived_on, Instant now);
  void learn_from_header(const ProtectedPacket& packet, EncryptionLevel level, Path& path);

  // dispatch.cc
  [[nodiscard]] Result<void> dispatch(const Frame& frame, Arrival& arrival);
  [[nodiscard]] Result<void> dispatch_rare(const Frame& frame, Arrival& arrival);
  [[nodiscard]] Result<void> on_ack(const AckFrame& frame, Arrival& arrival);
  [[nodiscard]] Result<void> on_new_connection_id(const NewConnectionIdFrame& frame, Arrival& arrival);
  [[nodiscard]] Result<void> on_retire_connection_id(const RetireConnectionIdFrame& frame, Arrival& arrival);
  [[nodiscard]] Result<void> on_handshake_done(Arrival& arrival);
  [[nodiscard]] Result<void> on_new_token(const NewTokenFrame& frame);
  void on_connection_close(const ConnectionCloseFrame& frame, const Arrival& arrival);
  void deliver(Path& path, AckOutcome& outcome, Instant now);
  void on_token_acked(const DeliveryToken& token, Instant now);
  void on_token_lost(const DeliveryToken& token);
  void requeue_unacked(Path& path);

  // send.cc
  [[nodiscard]] std::optional<Transmit> transmit_close(MutableBytes out, Instant now);
  [[nodiscard]] std::optional<Transmit> transmit_path_probe(MutableBytes out, Instant now);
  [[nodiscard]] std::optional<Transmit> transmit_handshake(MutableBytes out, Instant now);
  [[nodiscard]] std::optional<Transmit> transmit_pto_probe(MutableBytes out, Instant now);
  [[nodiscard]] std::optional<Transmit> transmit_data(MutableBytes out, Instant now);
  [[nodiscard]] std::optional<Transmit> transmit_acks(MutableBytes out, Instant now);
  [[nodiscard]] std::optional<Transmit> transmit_mtu_probe(MutableBytes out, Instant now);
  /// What some path may want: one look at each instead of one per question.
  struct Wants {
    bool path_probe = false;
    bool pto_probe = false;
    bool acks = false;
    bool mtu_probe = false;
  };
  [[nodiscard]] Wants survey(Instant now) const;
  [[nodiscard]] Demand demand() const;
  /// What scheduler and copies may choose from: a path that has nowhere to send to must not hold up the others.
  [[nodiscard]] std::span<const PathView> sendable_views(Instant now);
  [[nodiscard]] bool may_send_application() const;
  [[nodiscard]] bool handshake_wants(Path& path, EncryptionLevel level, Instant now) const;
  [[nodiscard]] bool has_alternative(PathId id) const;
  [[nodiscard]] const ConnectionId* probe_dcid(Path& path, const ProbePlan& plan);
  [[nodiscard]] Frame close_frame(EncryptionLevel level) const;
  void write_handshake_frames(FrameWriter& frames, Path& path, EncryptionLevel level, Instant now);
  void requeue_oldest(Path& path);
  void set_application_limited(bool limited);

  // datagrams.cc
  /// The largest payload that a packet of the path has room for, in UDP datagrams of that size.
  [[nodiscard]] std::size_t datagram_room(PathId id, std::size_t datagram_size) const;
  /// The largest that can be sent now, on whichever path.
  [[nodiscard]] std::size_t datagram_limit() const;
  /// The scheduler's choice; if the datagram whose turn it is does not fit there, its choice among those that it fits.
  [[nodiscard]] std::optional<PathId> pick_path(std::span<const PathView> views, const PacketContext& context);

  // redundancy.cc
  /// Where what a train carries is to be sent as well.
  struct CopyOrder {
    std::array<PathId, kMaxCopies> onto{};  // best first
    std::size_t found = 0;                  // of them; a datagram may be too large for some
    CopyCounts counts;
    Instant give_up;
    [[nodiscard]] bool wanted() const { return counts.datagrams > 0 || counts.streams > 0; }
  };
  [[nodiscard]] CopyOrder order_copies(const Path& original, std::span<const PathView> views,
                                       const PacketContext& context) const;
  /// For the packet that was just written: its tokens are in `tokens_`.
  void queue_copies(const CopyOrder& order, PathId original);
  void queue_copy(DeliveryToken& token, const CopyOrder& order, PathId original);
  void drop_copy(const Copy& copy);
  /// The path failed or is gone.
  void drop_copies(PathId onto);
  void expire_copies(PathId onto, Instant now);
  [[nodiscard]] std::optional<Transmit> transmit_copies(MutableBytes out, Instant now);
  [[nodiscard]] std::optional<Transmit> transmit_copies_on(Path& path, MutableBytes out, Instant now);
  /// `full_size`: what does not fit into this packet fits into none of the path's.
  void write_copies(FrameWriter& writer, Path& path, Instant now, bool full_size);
  /// False: the packet has no room for it, or for all of it.
  [[nodiscard]] bool write_copy(FrameWriter& writer, Copy& copy, Instant now);
  struct Reinjection {
    const PathView& target;
    std::uint64_t room = 0;  // that the target has left
    Instant now;
    bool repeated = false;  // something was
  };
  enum class Verdict : std::uint8_t { repeat, pass, stop };
  /// `at_end`: there is nothing else to send. Otherwise leaves in `pacing_wakeup_` when something will be overdue.
  [[nodiscard]] bool is_reinjection_due(std::span<const PathView> views, bool at_end, Instant now);
  /// Marks what is to be repeated; the path to do it, if there is anything.
  [[nodiscard]] std::optional<PathId> reinject(std::span<const PathView> views, bool at_end, Instant now);
  /// judge(const SentPacket&) -> Verdict, for what is outstanding from `mark` on, as far as the target has room. The
  /// mark goes to the first packet that is to be looked at again. A packet is repeated once, whoever asks.
  template <class Judge>
  void reinject_from(Path& path, PacketNumber& mark, Reinjection& onto, const Judge& judge);

  // send_packet.cc
  struct PacketTarget {
    Path& path;
    EncryptionLevel level;
    const ConnectionId& dcid;
    Instant now;
    Ecn ecn = Ecn::not_ect;  // one for the whole train
    bool mtu_probe = false;
  };
  [[nodiscard]] static PacketTarget target(Path& path, EncryptionLevel level, const ConnectionId& dcid, Instant now) {
    return {path, level, dcid, now, path.ecn_codepoint()};
  }
  [[nodiscard]] PacketPlan plan_packet(const PacketTarget& target);
  void seal_packet(PacketBuilder& builder, const PacketTarget& target, const PacketPlan& plan,
                   const FrameWriter& frames, std::size_t pad_datagram_to = 0);
  [[nodiscard]] std::optional<Transmit> finish_train(DatagramWriter& train, const PacketTarget& target,
                                                     const FourTuple& tuple);
  [[nodiscard]] const ConnectionId* dcid_of(Path& path);
  void write_application_frames(FrameWriter& writer, Path& path, Instant now, std::uint16_t datagram_copies = 0);
  void write_acks(FrameWriter& writer, const Path& carrier, Instant now);
  [[nodiscard]] bool can_carry_acks(const Path& path) const;
  [[nodiscard]] const Path& ack_carrier(const Path& path) const;

  Role role_;
  ConnectionConfig config_;
  Rng& rng_;
  DropCounters& drops_;
  std::unique_ptr<trace::Sink> sink_;
  AddressTokenMaker make_token_;
  ValidatedAddresses validated_;  // server
  std::size_t tokens_issued_ = 0;
  HandshakeIds ids_;
  std::vector<std::byte> initial_token_;
  std::optional<FourTuple> preferred_move_;  // client: where the server wants path 0 (RFC 9000 §9.6)

  Lifecycle lifecycle_;
  KeyRing keys_;
  PacketOpener opener_;
  Handshake handshake_;
  PathManager paths_;
  LocalCids local_cids_;
  PeerCids peer_cids_;
  StreamMap streams_;
  DatagramQueue datagrams_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<DuplicationPolicy> duplication_;
  std::unique_ptr<ReinjectionPolicy> reinjection_;
  CopyLanes copies_;

  FrameOptions frame_options_;
  std::uint32_t version_;            // of our long headers, and the only one that we listen to
  bool version_negotiated_ = false;  // a Version Negotiation packet was heeded: no other one will be
  bool multipath_offered_ = false;   // our transport parameter was sent
  bool peer_greases_ = false;        // RFC 9287: we may clear the fixed bit
  bool confirmed_ = false;           // RFC 9001 §4.1.2
  bool confirm_after_packet_ = false;
  bool peer_seen_ = false;   // a packet of the peer's was processed
  bool peer_marks_ = false;  // one came with an ECN code point
  bool close_reported_ = false;
  bool ping_wanted_ = false;
  bool application_limited_ = false;
  std::uint64_t peer_max_datagram_ = 0;
  bool peer_numbers_datagrams_ = false;  // it understands NUMBERED_DATAGRAM
  std::uint64_t traced_key_updates_ = 0;
  std::uint32_t close_cursor_ = 0;  // next path ID to carry CONNECTION_CLOSE
  Deadline pacing_wakeup_;
  Deadline trim_at_;   // when to look whether buffers can shrink
  Instant last_data_;  // stream or datagram payload moved, either way

  AckOutcome outcome_;                    // scratch
  TokenList tokens_;                      // scratch
  std::vector<PathView> wide_views_;      // scratch
  std::vector<std::byte> trace_payload_;  // scratch, with a sink only
  RingBuffer<ConnectionEvent> events_;
  std::vector<std::vector<std::byte>> tickets_;
  std::vector<std::vector<std::byte>> address_tokens_;
};

}  // namespace mpquic
