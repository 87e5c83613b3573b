// The outer layer of a path: what belongs to a path ID and survives migration (draft-21 §3, RFC 9002). Packet number
// spaces, RTT, loss recovery, congestion control, pacer, ECN. The inner layer, 4-tuples, is in tuple.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stack/base/buggify.h"
#include "stack/base/check.h"
#include "stack/base/drop_reason.h"
#include "stack/base/result.h"
#include "stack/base/ring_buffer.h"
#include "stack/base/rng.h"
#include "stack/cc/congestion_controller.h"
#include "stack/cc/coupling.h"
#include "stack/cc/pacer.h"
#include "stack/path/path_event.h"
#include "stack/path/path_view.h"
#include "stack/path/tuple.h"
#include "stack/recovery/ecn.h"
#include "stack/recovery/packet_number_space.h"
#include "stack/recovery/pto.h"
#include "stack/recovery/rtt.h"
#include "stack/wire/frame_writer.h"

namespace mpquic {

/// What all paths of a connection share. The connection updates it as the handshake goes on.
struct PathSettings {
  TupleSettings tuple;  // role, MTU
  std::string congestion_control = "cubic";
  Duration initial_rtt = kInitialRtt;
  bool pacing = true;
  bool ecn = true;
  Duration local_max_ack_delay = std::chrono::milliseconds(25);
  Duration peer_max_ack_delay = std::chrono::milliseconds(25);
  unsigned peer_ack_delay_exponent = 3;
  bool handshake_confirmed = false;
  bool has_handshake_keys = false;
  std::vector<SocketAddress> blocked_sockets;  // local sockets that are full; normally none
  Buggify* buggify = nullptr;                  // tests only, and so are these:
  InjectedBug injected_bug = InjectedBug::none;
  Instant last_sent{};  // kept for InjectedBug::timer_on_send alone
};

/// References that outlive the path.
struct PathContext {
  const PathSettings& settings;
  Rng& rng;
  RingBuffer<PathEvent>& events;
  CouplingGroup& coupling;
};

struct PathCounters {
  std::uint64_t bytes_sent = 0;  // UDP payload
  std::uint64_t bytes_received = 0;
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t packets_lost = 0;
  std::uint64_t pto_count = 0;
  // Kept by conn/.
  std::uint64_t stream_bytes_sent = 0;
  std::uint64_t stream_bytes_received = 0;
  std::uint64_t bytes_retransmitted = 0;
  std::uint64_t bytes_duplicated = 0;
};

/// A datagram that carries PATH_CHALLENGE or PATH_RESPONSE: to send on `tuple`, padded to exactly `datagram_size`.
struct ProbePlan {
  FourTuple tuple;
  std::size_t datagram_size = kMinInitialDatagram;
  bool on_active = true;  // any other frame may ride along
  Ecn ecn = Ecn::not_ect;
};

/// State: only on_* and named transitions change it.
///
///   validating ──address proved──▶ active ──abandon()──▶ abandoned ──close()──▶ closed
///        └───────────────abandon()───────────────────────────▲
///
/// Contract: per received datagram on_datagram() once, then on_packet_received() per packet, its frames, and
/// on_packet_from(). AckOutcomes are cleared by the caller before each call and their tokens handed on after it.
class Path {
 public:
  enum class State : std::uint8_t { validating, active, abandoned, closed };
  enum class Start : std::uint8_t {
    handshake,  // path 0: the handshake validates the address (RFC 9000 §8.1)
    validate,   // challenge the peer on it
    wait,       // ... once start_validation() is called
    proved,     // the 4-tuple is validated already (draft-21 §3.1.1)
  };
  /// A server that may send less than this waits for more from the client.
  static constexpr std::size_t kMinUsefulDatagram = 64;
  /// RFC 9002 §6.2.4.
  static constexpr std::uint8_t kPtoProbes = 2;
  /// A packet is overdue after this many round trips. Queues that a sender fills itself at most double a round trip
  /// within one round, as slow start doubles its window.
  static constexpr int kPatienceRtts = 3;
  /// After this many PTOs in a row, datagrams of 1200 bytes are tried (RFC 8899 §4.3).
  static constexpr std::uint32_t kBlackHolePtos = 2;

  Path(PathId id, const FourTuple& tuple, Start start, const PathContext& context, Instant now);

  [[nodiscard]] PathId id() const { return id_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_open() const { return state_ == State::validating || state_ == State::active; }

  // --- Tuples (path_tuples.cc)
  [[nodiscard]] const Tuple& active() const { return tuples_.active(); }
  [[nodiscard]] std::span<Tuple> tuples() { return tuples_.all(); }
  [[nodiscard]] std::span<const Tuple> tuples() const { return tuples_.all(); }
  [[nodiscard]] Tuple* find_tuple(const FourTuple& addresses) { return tuples_.find(addresses); }
  /// An authenticated datagram arrived. A reason: do not process it.
  [[nodiscard]] std::optional<DropReason> on_datagram(const FourTuple& from, ByteCount bytes);
  /// After a 1-RTT packet's frames: follows the peer to another 4-tuple (RFC 9000 §9.3). `largest`: its number was the
  /// highest received so far.
  void on_packet_from(const FourTuple& from, bool probing_only, bool largest, Instant now);
  /// `doubts_marks`: the peer marks other packets, but not this one.
  void on_path_challenge(const FourTuple& from, const ChallengeData& data, bool doubts_marks, Instant now);
  void on_path_response(const ChallengeData& data, Instant now);
  /// After Start::wait.
  [[nodiscard]] bool awaits_validation() const { return is_open() && active().validator.waiting(); }
  void start_validation(Instant now);
  /// Server: a Handshake packet or a valid token proved the client's address (RFC 9000 §8.1).
  void on_address_validated();
  /// Client: probe, then move. False while another move is under way, or in a path that is not active.
  [[nodiscard]] bool migrate(const FourTuple& to, Instant now);
  /// The next PATH_CHALLENGE / PATH_RESPONSE datagram, as far as amplification limits allow.
  [[nodiscard]] std::optional<ProbePlan> next_probe() const;
  /// Writes its frames; the packet must then be sent with the plan's size.
  void write_probe(const ProbePlan& plan, FrameWriter& writer, Instant now);
  /// Tuple::peer_cid of a tuple that is gone: PeerCids::retire() it.
  [[nodiscard]] std::optional<std::uint64_t> poll_released_cid() { return tuples_.poll_released_cid(); }
  /// The size of an MTU probe (PING, padded; SentPacket::mtu_probe) that should go out on the active tuple now.
  [[nodiscard]] std::optional<std::size_t> mtu_probe_size(Instant now) const;
  void on_transmit_too_big(const FourTuple& tuple, Instant now);
  /// The peer's max_udp_payload_size became known.
  void on_peer_udp_limit(Instant now);
  [[nodiscard]] std::size_t max_datagram_size() const;

  // --- Spaces. Path 0 has all three until they are discarded; the others only the application space.
  [[nodiscard]] bool has_space(SpaceId space) const { return spaces_[index_of(space)] != nullptr; }
  [[nodiscard]] PacketNumberSpace& space(SpaceId space) {
    timing_.acks_known = false;
    return *spaces_[index_of(space)];
  }
  [[nodiscard]] const PacketNumberSpace& space(SpaceId space) const { return *spaces_[index_of(space)]; }
  /// Keys are discarded (RFC 9001 §4.9). Tokens of outstanding packets come back as lost.
  void discard_space(SpaceId space, AckOutcome& out);
  /// A Retry or the like: everything outstanding is to be sent again; numbers continue (RFC 9000 §17.2.5.3).
  void requeue_space(SpaceId space, AckOutcome& out);

  // --- Receiving
  void on_packet_received(SpaceId space, PacketNumber number, bool ack_eliciting, Ecn ecn, Instant now);
  /// `returned_on`: the path that brought it, default this one.
  [[nodiscard]] Result<void> on_ack(SpaceId space, const AckFrame& frame, Instant now, AckOutcome& out,
                                    std::optional<PathId> returned_on = std::nullopt);
  /// Acknowledgements that came back on `path` tell nothing about the future: it was abandoned, or leads through
  /// another network now. If min_rtt is one of them, it restarts (draft-21 §5.4).
  void on_return_path_gone(PathId path);
  /// When an ACK becomes due by time (on whatever path it will travel); not part of next_deadline().
  [[nodiscard]] const Deadline& ack_deadline() const {
    if (!timing_.acks_known) compute_ack_timing();
    MPQUIC_DCHECK(timing_.ack_due == compute_ack_deadline() && timing_.ack_overdue == is_ack_overdue());
    return timing_.ack_due;
  }

  // --- Sending
  void on_packet_sent(SpaceId space, const SentPacket& packet, std::span<const DeliveryToken> tokens, Instant now);
  /// Counts against amplification limits and statistics.
  void on_datagram_sent(const FourTuple& tuple, ByteCount bytes);
  /// Bytes that may leave in a train now: window, pacer, amplification; PTO probes pass window and pacer.
  [[nodiscard]] ByteCount send_budget(Instant now) const;
  /// The connection has (not) run out of things to send while this path could take more (RFC 9002 §7.8).
  void set_application_limited(bool limited) { application_limited_ = limited; }
  /// ECN code point for the next packet on the active tuple.
  [[nodiscard]] Ecn ecn_codepoint() const { return ecn_codepoint(active()); }
  /// Ack-eliciting packets that a PTO asks for, in spite of window and pacer (RFC 9002 §6.2.4).
  [[nodiscard]] std::uint8_t probes_owed(SpaceId space) const { return probes_owed_[index_of(space)]; }
  /// Has it asked whether it lives, unless something is outstanding that will tell.
  void probe_if_idle();
  /// fn(const SentPacket&, DeliveryToken&): what is outstanding in the application space from `first` on, until it
  /// gives false.
  template <class Fn>
  void for_each_unacked(Fn&& fn, PacketNumber first = {}) {
    if (has_space(SpaceId::application)) space(SpaceId::application).for_each_unacked(fn, first);
  }
  /// When the oldest packet that the mark has not passed will have been outstanding for longer than `patience`.
  [[nodiscard]] Deadline overdue_at() const;

  /// What it has to send on its own account, were it not for the limits. The connection asks before every train.
  struct Wants {
    bool path_probe = false;  // next_probe()
    bool pto_probe = false;   // probes_owed(application)
    bool mtu_probe = false;   // mtu_probe_size()
    bool operator==(const Wants&) const = default;
  };
  [[nodiscard]] const Wants& wants() const { return timing().wants; }
  /// An ACK must leave now, on whatever path.
  [[nodiscard]] bool wants_ack(Instant now) const { return expired(ack_deadline(), now) || timing_.ack_overdue; }

  // --- Time
  [[nodiscard]] const Deadline& next_deadline() const { return timing().due; }
  /// PathSettings have changed.
  void on_settings_changed() { timing_.due_known = false; }
  void on_deadline(Instant now, AckOutcome& out);
  /// Tests only (BuggifyPoint::spurious_pto): the PTO timer fires early, if it is running.
  void expire_pto(Instant now);
  /// Without backoff: smoothed_rtt + max(4 * rttvar, granularity) + max_ack_delay.
  [[nodiscard]] Duration pto() const { return timing_.due_known ? timing_.pto : compute_pto(); }

  // --- Status (draft-21 §4.3) and view
  [[nodiscard]] PathView view(Instant now) const;
  /// The same, into a view that need not be fresh.
  void describe(PathView& view, Instant now) const;
  /// Only what decides whether it may be chosen at all, and the size of its datagrams.
  void describe_standing(PathView& view) const;
  void set_backup(bool local, bool remote) { backup_ = local || remote; }
  [[nodiscard]] bool potentially_failed() const { return potentially_failed_; }
  [[nodiscard]] std::uint32_t pto_count() const { return pto_count_; }
  [[nodiscard]] const RttEstimator& rtt() const { return rtt_; }
  [[nodiscard]] const CongestionController& congestion() const { return *congestion_; }
  [[nodiscard]] ByteCount bytes_in_flight() const;
  /// For conn/: packets below were looked at for reinjection, at the end of a transfer, and as overdue.
  struct ReinjectionMarks {
    PacketNumber tail;
    PacketNumber overdue;
  };
  [[nodiscard]] ReinjectionMarks& reinjection_marks() { return reinjection_marks_; }
  /// For conn/: the alpha of its coupled controller that was traced last, in millionths.
  [[nodiscard]] std::optional<std::int64_t>& traced_alpha() { return traced_alpha_; }
  [[nodiscard]] PathCounters& counters() { return counters_; }
  [[nodiscard]] const PathCounters& counters() const { return counters_; }

  // --- End (PathManager)
  /// Validation failed and there is no tuple to fall back to.
  [[nodiscard]] bool is_unreachable() const { return unreachable_; }
  /// Stops sending. What is outstanding is requeued after one more PTO, at once if the path had failed.
  void abandon(Instant now);
  /// Everything outstanding comes back as lost (draft-21 §3.4.3).
  void close(AckOutcome& out);

 private:
  static constexpr std::size_t index_of(SpaceId space) { return static_cast<std::size_t>(space); }
  [[nodiscard]] RttContext rtt_context(RttEstimator& rtt) const;
  struct Timing {
    Deadline due;
    Deadline ack_due;
    Duration pto{};
    Wants wants;
    bool ack_overdue = false;  // whatever the time is
    bool due_known = false;    // and the PTO, and what is wanted
    bool acks_known = false;   // both of them
  };
  [[nodiscard]] const Timing& timing() const {
    if (!timing_.due_known) compute_timing();
    MPQUIC_DCHECK(timing_.due == compute_deadline() && timing_.pto == compute_pto() &&
                  timing_.wants == compute_wants());
    return timing_;
  }
  void compute_timing() const;
  [[nodiscard]] Deadline compute_deadline() const;
  [[nodiscard]] Wants compute_wants() const;
  void compute_ack_timing() const;
  [[nodiscard]] Deadline compute_ack_deadline() const;
  [[nodiscard]] bool is_ack_overdue() const;
  [[nodiscard]] Duration compute_pto() const { return rtt_.pto_base(context_.settings.peer_max_ack_delay); }
  [[nodiscard]] std::optional<Pto> next_pto() const;
  [[nodiscard]] bool amplification_blocked() const;
  /// RFC 9002 §6.2.2.1: the peer no longer limits what it sends to us.
  [[nodiscard]] bool peer_validated_us() const;
  [[nodiscard]] bool awaits_first_probe() const;
  [[nodiscard]] bool socket_blocked() const;
  [[nodiscard]] Ecn ecn_codepoint(const Tuple& tuple) const;
  [[nodiscard]] Tuple* tuple_for(const FourTuple& from);
  [[nodiscard]] Duration validation_pto() const;
  [[nodiscard]] RttSample rtt_sample() const;
  void apply(const TupleOutcome& outcome, Instant now);
  void enter_network(Instant now);
  void update_datagram_size(Instant now);
  void update_round();
  void digest(const AckOutcome& out, ByteCount prior_in_flight, Instant now);
  void update_congestion(const AckOutcome& out, ByteCount prior_in_flight, Instant now);
  void update_mtu(const AckOutcome& out, Instant now);
  void on_progress();
  void on_pto(const Pto& pto, Instant now);
  [[nodiscard]] bool detect_lost(Instant now, AckOutcome& out);
  void forget_outstanding(AckOutcome& out);
  [[nodiscard]] bool was_limited_by_application(ByteCount prior_in_flight) const;
  void emit(PathEvent::Kind kind, std::string_view reason = {});

  /// Every packet makes the connection ask all of its paths, of which it has changed one: in one cache line, and
  /// whatever might change it resets it.
  alignas(64) mutable Timing timing_;
  PathId id_;
  State state_;
  PathContext context_;
  TupleSet tuples_;
  std::array<std::unique_ptr<PacketNumberSpace>, kSpaceCount> spaces_;
  RttEstimator rtt_;
  PathId min_rtt_return_;  // the path that brought the acknowledgement behind min_rtt
  std::unique_ptr<CongestionController> congestion_;
  Pacer pacer_;
  EcnValidator ecn_;
  PathCounters counters_;
  ReinjectionMarks reinjection_marks_;
  /// How long a packet may be outstanding, by the round trip time at the start of the round that it belongs to: while a
  /// line sinks, the estimate follows it down, and would find every delay normal.
  struct Round {
    PacketNumber end{0};
    Duration patience{};  // 0: not measured
  };
  Round round_;
  std::optional<std::int64_t> traced_alpha_;

  std::uint32_t pto_count_ = 0;
  std::array<std::uint8_t, kSpaceCount> probes_owed_{};
  std::optional<Instant> anti_deadlock_from_;
  bool handshake_acked_ = false;
  bool potentially_failed_ = false;
  bool application_limited_ = false;
  bool backup_ = false;
  bool unreachable_ = false;
  /// The network that congestion and RTT belong to. Packets sent before the path moved there give neither samples nor
  /// congestion signals (RFC 9000 §9.4). A network that was moved to takes over once its address is proved.
  struct Network {
    FourTuple addresses;
    PacketNumber first;
    Instant since;
  };
  Network network_;
  std::optional<Network> unproved_network_;
  Instant foreign_mark_ = Instant::min();  // when a marked probe went to a tuple that is not active
  Deadline requeue_at_;
};

}  // namespace mpquic
