// The connection IDs that we issue, one sequence space per path ID (draft-21 §3.2, RFC 9000 §5.1).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "stack/base/connection_id.h"
#include "stack/base/ids.h"
#include "stack/base/result.h"
#include "stack/base/ring_buffer.h"
#include "stack/wire/frame_writer.h"

namespace mpquic {

struct GeneratedCid {
  ConnectionId id;
  StatelessResetToken reset_token{};
};
/// Makes the bytes of a new connection ID: random, routable, never repeated. The endpoint's.
using CidGenerator = std::move_only_function<GeneratedCid()>;

/// What one of our connection IDs stands for.
struct LocalCidRoute {
  PathId path;
  std::uint64_t sequence = 0;
};

/// For the endpoint's demultiplexing table.
struct LocalCidEvent {
  enum class Kind : std::uint8_t { issued, forgotten };
  Kind kind = Kind::issued;
  ConnectionId id;
  LocalCidRoute route;
};

/// Contract: register_handshake_cid() first; issuing starts with set_peer_limit() (transport parameters known) on path
/// 0, and with set_path_limit() on the others. After every call that is not a getter, poll_event() until it gives
/// nothing. Frames are written into 1-RTT packets of any path.
class LocalCids {
 public:
  /// What an open path is kept supplied with, within the peer's limit: one in use, one to move to, one in flight.
  static constexpr std::uint64_t kCidsOpenPath = 3;
  /// Unused path IDs are supplied one connection ID each, at most this many IDs at a time.
  static constexpr std::size_t kMaxUnusedPaths = 64;

  explicit LocalCids(CidGenerator generate) : generate_(std::move(generate)) {}

  /// Sequence 0 of path 0: the source connection ID of our handshake packets. Gives no event: the endpoint made it.
  /// An empty one means that we use no connection IDs and issue none (RFC 9000 §5.1).
  void register_handshake_cid(const ConnectionId& id);
  /// Sequence 1 of path 0: the preferred_address transport parameter carries it (RFC 9000 §5.1.1, draft-21 §2.2).
  void register_preferred_address_cid(const GeneratedCid& cid);
  /// The peer's active_connection_id_limit; per path with multipath (draft-21 §2.2).
  void set_peer_limit(std::uint64_t active_connection_id_limit);
  /// Multipath is negotiated and path IDs up to `highest` (the lesser of both limits) may be supplied. Never shrinks.
  void set_path_limit(PathId highest);

  /// The path is in use: keeps it supplied with spares. Path 0 is open from the start.
  void open(PathId path);
  /// Nothing more is issued for the path, nor repeated; its connection IDs stay routable until forget()
  /// (draft-21 §3.4.2: 3 PTO).
  void abandon(PathId path);
  void forget(PathId path);

  /// RETIRE_CONNECTION_ID and PATH_RETIRE_CONNECTION_ID. `packet_dcid` is that of the packet that carries the frame.
  [[nodiscard]] Result<void> on_retire(const RetireConnectionIdFrame& frame, const ConnectionId& packet_dcid);
  /// PATH_CIDS_BLOCKED of a path that is within the limit and not abandoned: informational, but checked.
  [[nodiscard]] Result<void> on_cids_blocked(const PathCidsBlockedFrame& frame) const;

  [[nodiscard]] std::optional<LocalCidRoute> find(const ConnectionId& id) const;
  /// A connection ID of the path was put on the wire or in a transport parameter: the peer can (come to) use the path.
  [[nodiscard]] bool has_issued(PathId path) const;
  /// Routable connection IDs of a path.
  [[nodiscard]] std::size_t active_count(PathId path) const;
  [[nodiscard]] std::optional<LocalCidEvent> poll_event();

  // --- FrameSource
  [[nodiscard]] Interest interest() const;
  void write_frames(FrameWriter& writer);
  void on_acked(const NewConnectionIdToken& token);
  void on_lost(const NewConnectionIdToken& token);

 private:
  enum class Delivery : std::uint8_t { queued, lost, in_flight, acked };
  enum class Use : std::uint8_t { unused, open, abandoned };
  struct Issued {
    std::uint64_t sequence = 0;
    GeneratedCid cid;
    Delivery delivery = Delivery::queued;
  };
  struct Supply {
    PathId path;
    Use use = Use::unused;
    std::uint64_t next_sequence = 0;
    std::vector<Issued> issued;  // not yet retired, ascending
  };
  struct HashId {
    std::size_t operator()(const ConnectionId& id) const noexcept;
  };

  [[nodiscard]] Supply* supply_of(PathId path);
  [[nodiscard]] const Supply* supply_of(PathId path) const;
  Supply& require_supply(PathId path);
  [[nodiscard]] Issued* issued_of(const NewConnectionIdToken& token);
  /// forget() was called for it.
  [[nodiscard]] bool is_forgotten(PathId path) const;
  void add(Supply& supply, const GeneratedCid& cid, Delivery delivery);
  void remove(Supply& supply, std::size_t index);
  /// Up to what the path is kept supplied with.
  void top_up(Supply& supply);
  void replenish();

  CidGenerator generate_;
  std::vector<Supply> supplies_;                                    // ascending path ID
  std::unordered_map<ConnectionId, LocalCidRoute, HashId> routes_;  // look-up only
  RingBuffer<LocalCidEvent> events_;
  bool uses_cids_ = false;
  std::uint64_t peer_limit_ = 0;       // 0: not yet known
  std::optional<PathId> path_limit_;   // with multipath
  bool due_ = false;                   // something may wait to be written; false is certain
  std::uint64_t next_unsupplied_ = 1;  // path IDs below it had their first connection ID
};

}  // namespace mpquic
