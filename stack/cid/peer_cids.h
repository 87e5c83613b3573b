// The connection IDs that the peer issued to us, one sequence space per path ID (draft-21 §3.2, RFC 9000 §5.1).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/connection_id.h"
#include "stack/base/ids.h"
#include "stack/base/interval_set.h"
#include "stack/base/result.h"
#include "stack/base/ring_buffer.h"
#include "stack/wire/frame_writer.h"

namespace mpquic {

/// For the endpoint's index of stateless resets: tokens of the connection IDs that we use (RFC 9000 §10.3.1).
struct ResetTokenEvent {
  bool in_use = false;  // from now on, or no longer
  StatelessResetToken token{};
};

/// Contract: set_handshake_cid() first (and again as the handshake goes on). The caller has checked that frames name a
/// path within the limit that is not abandoned (PathManager::admit). A path's first use calls open(); after that
/// current() is the destination of its active tuple. Each further tuple take()s one of its own (RFC 9000 §9.5), which
/// becomes current with make_current() once the path moves there, or goes back with retire().
class PeerCids {
 public:
  /// `active_limit` is the active_connection_id_limit that we announced, at least 2.
  explicit PeerCids(std::uint64_t active_limit);

  // --- Handshake: sequence 0 of path 0
  /// The client's random choice, then what the server's Retry or first Initial says (RFC 9000 §7.2); the server takes
  /// the client's source connection ID. Empty: the peer uses none, and there will never be others.
  void set_handshake_cid(const ConnectionId& id);
  /// The stateless_reset_token transport parameter (client only).
  void set_handshake_reset_token(const StatelessResetToken& token);
  /// preferred_address: sequence 1 of path 0.
  [[nodiscard]] Result<void> on_preferred_address(const ConnectionId& id, const StatelessResetToken& token);
  /// Multipath is negotiated: we write PATH_RETIRE_CONNECTION_ID from now on.
  void enable_multipath() { multipath_ = true; }

  // --- Frames
  [[nodiscard]] Result<void> on_new_connection_id(const NewConnectionIdFrame& frame);

  // --- Use
  /// There is a connection ID that no tuple uses yet.
  [[nodiscard]] bool has_unused(PathId path) const;
  /// First use of a path: takes its lowest unused connection ID as current. False without one.
  [[nodiscard]] bool open(PathId path);
  /// The destination of the path's active tuple, or nullptr: not opened, abandoned, or the peer retired all it issued.
  [[nodiscard]] const ConnectionId* current(PathId path) const;
  [[nodiscard]] std::optional<std::uint64_t> current_sequence(PathId path) const;
  /// Takes the lowest unused connection ID for another tuple; its sequence number, or nothing while the peer owes us
  /// one. See cids_blocked().
  [[nodiscard]] std::optional<std::uint64_t> take(PathId path);
  /// nullptr once retired, by us or by the peer's Retire Prior To: take another.
  [[nodiscard]] const ConnectionId* find(PathId path, std::uint64_t sequence) const;
  /// The path moved to the tuple that uses `sequence`. The previous one is retired.
  void make_current(PathId path, std::uint64_t sequence);
  /// Retires one that is not current.
  void retire(PathId path, std::uint64_t sequence);
  /// A fresh current connection ID on an unchanged tuple (RFC 9000 §5.1.2). False without a spare: nothing changed.
  [[nodiscard]] bool rotate(PathId path);
  /// Drops every connection ID and reset token of the path at once, without frames (draft-21 §3.4).
  void abandon(PathId path);
  /// The next sequence number that the peer would issue: for PATH_CIDS_BLOCKED.
  [[nodiscard]] std::uint64_t next_expected(PathId path) const;
  /// We have no unused connection ID for `path` but want one: writes PATH_CIDS_BLOCKED once (draft-21 §4.7).
  void report_blocked(PathId path);

  /// Every reset token becomes an event: the connection is about to be deleted.
  void forget();
  [[nodiscard]] std::optional<ResetTokenEvent> poll_reset_token_event() {
    return token_events_.empty() ? std::nullopt : std::optional(token_events_.pop_front());
  }
  /// A datagram that ends in `token` is a stateless reset (RFC 9000 §10.3.1): compares, in constant time, with the
  /// tokens of the connection IDs in use or usable.
  [[nodiscard]] bool matches_reset_token(Bytes token) const;

  // --- FrameSource
  [[nodiscard]] Interest interest() const;
  void write_frames(FrameWriter& writer);
  void on_acked(const RetireConnectionIdToken& token);
  void on_lost(const RetireConnectionIdToken& token);
  void on_acked(const PathCidsBlockedToken& token);
  void on_lost(const PathCidsBlockedToken& token);

 private:
  /// RFC 9000 §5.1.2: at least twice our limit of retirements must be tracked; a peer that outruns that is cut off.
  static constexpr std::size_t kRetirementsPerLimit = 3;
  /// Gaps in the sequence numbers seen on a path; beyond that, the lowest gap counts as retired.
  static constexpr std::size_t kMaxSequenceGaps = 32;

  enum class Delivery : std::uint8_t { queued, lost, in_flight };
  struct Cid {
    std::uint64_t sequence = 0;
    ConnectionId id;
    std::optional<StatelessResetToken> reset_token;
    bool taken = false;
  };
  struct Retirement {
    std::uint64_t sequence = 0;
    Delivery delivery = Delivery::queued;
  };
  enum class BlockedReport : std::uint8_t { none, queued, in_flight, acked };
  struct PathCids {
    PathId path;
    std::vector<Cid> active;           // ascending sequence
    std::vector<Retirement> retiring;  // RETIRE not yet acknowledged
    IntervalSet seen;                  // sequence numbers received
    std::uint64_t retire_prior_to = 0;
    bool opened = false;
    std::optional<std::uint64_t> current;  // once opened, absent only while the peer left us without any
    BlockedReport blocked = BlockedReport::none;
    std::uint64_t blocked_at = 0;
  };

  [[nodiscard]] PathCids* cids_of(PathId path);
  [[nodiscard]] const PathCids* cids_of(PathId path) const;
  [[nodiscard]] static const ConnectionId* find(const PathCids& cids, std::uint64_t sequence);
  PathCids& require_cids(PathId path);
  [[nodiscard]] Result<void> check_unique(PathId path, const NewConnectionIdFrame& frame, std::uint64_t type) const;
  void apply_retire_prior_to(PathCids& cids, std::uint64_t bound);
  void retire_now(PathCids& cids, std::uint64_t sequence);
  void take_now(Cid& cid);
  void drop_token(const Cid& cid);
  void bound_gaps(PathCids& cids);

  std::vector<PathCids> paths_;  // ascending path ID; abandoned ones are gone
  std::uint64_t active_limit_;
  bool multipath_ = false;
  bool due_ = false;  // something may wait to be written; false is certain
  RingBuffer<ResetTokenEvent> token_events_;
};

}  // namespace mpquic
