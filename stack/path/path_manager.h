// All paths of a connection: opening, accepting, limits, status, abandonment (draft-21 §3 and §4).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "stack/base/drop_reason.h"
#include "stack/base/interval_set.h"
#include "stack/base/result.h"
#include "stack/base/ring_buffer.h"
#include "stack/base/rng.h"
#include "stack/path/path.h"
#include "stack/path/path_event.h"
#include "stack/path/path_view.h"
#include "stack/wire/frame_writer.h"

namespace mpquic {

/// What is remembered of a path whose state was deleted.
struct ClosedPath {
  PathId id;
  FourTuple tuple;
  PathCounters counters;
};

/// Contract: start() once with the first 4-tuple; enable_multipath() when both transport parameters are known. Before a
/// frame that names a path is given to another component (PATH_ACK, connection IDs, PATH_CIDS_BLOCKED), ask admit().
/// After every call that is not a getter, poll_event() until it gives nothing.
class PathManager {
 public:
  static constexpr std::uint32_t kMaxOpenPaths = 64;
  /// Requests that wait for path or connection IDs.
  static constexpr std::size_t kMaxPendingOpens = 64;
  /// A request that could not be granted for this long is refused.
  static constexpr Duration kOpenPatience = std::chrono::seconds(10);
  /// Paths that a server validates at one time (draft-21 §7.2). Others that a client opens meanwhile answer its
  /// challenges, and have their own turn after that.
  static constexpr std::size_t kMaxConcurrentValidations = 8;
  static constexpr std::size_t kMaxClosedRemembered = 64;
  /// draft-21 §3.4.2: an abandoned path's state and our connection IDs are kept this long for late packets.
  static constexpr int kDrainPtos = 3;
  static constexpr std::uint64_t kMaxPathIdValue = UINT32_MAX;

  enum class Admission : std::uint8_t { process, ignore };

  /// `rng` must outlive the manager. `max_paths`: open at one time, at most kMaxOpenPaths.
  PathManager(PathSettings settings, std::uint32_t max_paths, Rng& rng);
  PathManager(const PathManager&) = delete;
  PathManager& operator=(const PathManager&) = delete;

  /// Path 0, without address validation on a server until Path::on_address_validated().
  Path& start(const FourTuple& tuple, Instant now);
  /// Both sides sent initial_max_path_id: these values.
  void enable_multipath(std::uint32_t local_initial_max, std::uint32_t peer_initial_max);
  [[nodiscard]] bool multipath() const { return multipath_; }
  /// Paths refer to these: changes take effect at once.
  [[nodiscard]] PathSettings& settings() {
    for_each([](Path& path) { path.on_settings_changed(); });
    return settings_;
  }
  /// max_udp_payload_size of the peer, for paths that exist and those to come.
  void set_peer_max_udp_payload(std::size_t bytes, Instant now);
  /// disable_active_migration: no new path to the peer's handshake address (draft-21 §2.2).
  void forbid_remote(const SocketAddress& remote) { forbidden_remote_ = remote; }
  [[nodiscard]] bool forbids(const SocketAddress& remote) const { return forbidden_remote_ == remote; }

  // --- Paths
  /// nullptr: never opened, or deleted. Paths that are abandoned but not yet deleted are found.
  [[nodiscard]] Path* find(PathId id);
  [[nodiscard]] const Path* find(PathId id) const;
  /// fn(Path&) for every path that has state, abandoned ones included, ascending.
  template <class Fn>
  void for_each(Fn&& fn) {
    for (std::size_t i = 0; i < records_.size(); ++i) {  // fn may open paths
      if (records_[i].path) fn(*records_[i].path);
    }
  }
  template <class Fn>
  void for_each(Fn&& fn) const {
    for (const Record& record : records_) {
      if (record.path) fn(static_cast<const Path&>(*record.path));
    }
  }
  /// retire(PathId, sequence) for the connection IDs of tuples that are gone: PeerCids::retire().
  template <class Retire>
  void drain_released_cids(Retire&& retire) {
    for (const Record& record : records_) {
      if (!record.path) continue;
      while (const auto sequence = record.path->poll_released_cid()) retire(record.id, *sequence);
    }
  }
  /// Views of the open paths that `usable(Path&)` lets pass, ascending. Valid until the next call.
  template <class Usable>
  [[nodiscard]] std::span<const PathView> views(Instant now, Usable&& usable) {
    views_.clear();
    for (const Record& record : records_) {
      if (record.path && record.path->is_open() && usable(*record.path))
        record.path->describe(views_.emplace_back(), now);
    }
    return views_;
  }
  [[nodiscard]] std::size_t open_count() const;
  [[nodiscard]] std::span<const ClosedPath> closed() const { return closed_; }

  // --- Opening
  /// Client: wants a path on `tuple`. False: the queue is full. The answer is an event.
  [[nodiscard]] bool request_open(const FourTuple& tuple, Instant now);
  [[nodiscard]] bool has_requests() const { return !requests_.empty(); }
  /// Grants requests, in order, while `ready(PathId)` says that both sides have an unused connection ID for the lowest
  /// unused path ID. Call it when the handshake is confirmed, and whenever connection IDs or limits changed.
  template <class Ready>
  void open_pending(Instant now, Ready&& ready) {
    while (const std::optional<PathId> id = grantable(now)) {
      if (!ready(*id)) return;
      open_next(*id, now);
    }
  }
  /// Answers all requests with `refused`: no multipath, or the connection closes.
  void refuse_pending(std::string_view reason);
  /// Acknowledgements no longer return on `id` as they did: Path::on_return_path_gone() of all paths.
  void on_return_path_gone(PathId id) {
    for_each([id](Path& path) { path.on_return_path_gone(id); });
  }
  /// Server: an authenticated packet came under a fresh path ID (draft-21 §3.1). The path, or why to drop the packet;
  /// over max_paths the ID is abandoned with PATH_RESOURCE_LIMIT_REACHED.
  [[nodiscard]] std::expected<Path*, DropReason> accept(PathId id, const FourTuple& tuple, Instant now);
  /// Validates what accept() had to put off, in order, as far as others are done. Call it when that may be so.
  void start_waiting_validations(Instant now);

  // --- Application
  void abandon(PathId id, std::uint64_t error, std::string_view reason, Instant now);
  void set_status(PathId id, bool available);
  /// A socket stopped or resumed taking datagrams.
  void set_writable(const SocketAddress& local, bool writable);

  // --- Frames
  /// What to do with a frame of `type` that names `path`: an error above the limit that we announced; ignored where
  /// the path was abandoned (PATH_ACK only once its state is gone). Ask before any other check of the frame.
  [[nodiscard]] Result<Admission> admit(std::uint64_t path, std::uint64_t type) const;
  [[nodiscard]] Result<void> on_path_abandon(const PathAbandonFrame& frame, Instant now);
  [[nodiscard]] Result<void> on_path_status(const PathStatusFrame& frame);
  [[nodiscard]] Result<void> on_max_path_id(const MaxPathIdFrame& frame);
  [[nodiscard]] Result<void> on_paths_blocked(const PathsBlockedFrame& frame) const;

  // --- Limits
  /// What we announced last: the greatest ID that the peer may name.
  [[nodiscard]] PathId local_limit() const { return PathId{static_cast<std::uint32_t>(announced_limit_)}; }
  [[nodiscard]] PathId peer_limit() const { return PathId{static_cast<std::uint32_t>(peer_limit_)}; }
  /// The lesser of both: connection IDs are to be supplied up to it. Ours moves on when a path is over.
  [[nodiscard]] PathId usable_limit() const {
    return PathId{static_cast<std::uint32_t>(std::min(local_limit_, peer_limit_))};
  }

  // --- FrameSource: 1-RTT packets of any path; abandonments skip packets of their own path
  [[nodiscard]] Interest interest() const;
  void write_frames(FrameWriter& writer);
  void on_acked(const PathAbandonToken& token, Instant now);
  void on_lost(const PathAbandonToken& token);
  void on_acked(const PathStatusToken& token);
  void on_lost(const PathStatusToken& token);
  void on_acked(const MaxPathIdToken& token);
  void on_lost(const MaxPathIdToken& token);
  void on_acked(const PathsBlockedToken& token);
  void on_lost(const PathsBlockedToken& token);

  // --- Time
  /// The largest PTO over all paths, without backoff (draft-21 §2.5, §2.6).
  [[nodiscard]] Duration max_pto() const;
  [[nodiscard]] Deadline next_deadline() const;
  /// Runs every path's timers; deliver(Path&, AckOutcome&) for each path that had one, before a drained path is
  /// deleted. `out` is scratch.
  template <class Deliver>
  void on_deadline(Instant now, AckOutcome& out, Deliver&& deliver) {
    for (std::size_t i = 0; i < records_.size(); ++i) {  // deliver may open paths
      const Record& record = records_[i];
      if (!record.path || !expired(earlier(record.path->next_deadline(), record.close_at), now)) continue;
      Path& path = *record.path;
      out.clear();
      path.on_deadline(now, out);
      if (expired(record.close_at, now)) path.close(out);
      deliver(path, out);
    }
    settle(now);
  }
  [[nodiscard]] std::optional<PathEvent> poll_event();

 private:
  enum class Delivery : std::uint8_t { none, queued, lost, in_flight, acked };
  /// Queued or lost: a frame waits to be written.
  void await(Delivery& delivery, Delivery state);
  struct Status {
    std::optional<std::uint64_t> sequence;
    bool available = true;
  };
  /// One path ID that is neither unused and unmentioned, nor over and done with.
  struct Record {
    PathId id;
    std::unique_ptr<Path> path;
    Status local;
    Delivery local_delivery = Delivery::none;
    Status remote;
    bool remote_reported = true;  // as an event: available
    bool abandoned = false;
    bool abandon_received = false;
    bool closed = false;  // state deleted; the record stays until the peer has our PATH_ABANDON
    std::uint64_t abandon_error = 0;
    Delivery abandon_delivery = Delivery::none;
    Deadline close_at;  // both sides know of the end
  };
  struct Request {
    FourTuple tuple;
    Deadline patience_until;  // set once nothing but path or connection IDs is missing
  };

  [[nodiscard]] Record* record_of(PathId id);
  [[nodiscard]] const Record* record_of(PathId id) const;
  Record& require_record(PathId id);
  [[nodiscard]] bool is_proved(const FourTuple& tuple) const;
  /// Open paths whose first 4-tuple is being validated.
  [[nodiscard]] std::size_t validating_count() const;
  [[nodiscard]] std::uint64_t lowest_unused() const;
  [[nodiscard]] std::optional<PathId> grantable(Instant now);
  void open_next(PathId id, Instant now);
  Path& create(Record& record, const FourTuple& tuple, Path::Start start, Instant now);
  struct End {
    std::uint64_t error = 0;
    bool by_peer = false;
    std::string_view reason;
  };
  void mark_abandoned(Record& record, const End& end, Instant now);
  void start_draining(Record& record, Instant now);
  void close_drained(Record& record);
  /// Unreachable, but the peer was there once, and no other path is any better: it may speak up again before the
  /// connection times out (RFC 9000 §8.2.4: "an endpoint can wait for a new path to become available").
  [[nodiscard]] bool is_last_resort(const Path& path) const;
  /// However often it changed, the application hears of a status once.
  void report_statuses();
  void settle(Instant now);
  void finish_records();
  void refuse_hopeless(Instant now);
  void refuse_front(std::uint64_t error, std::string_view reason);
  void report_blocked();
  [[nodiscard]] bool write_record(Record& record, FrameWriter& writer);
  [[nodiscard]] bool write_limits(FrameWriter& writer);

  PathSettings settings_;
  std::uint32_t max_paths_;
  Rng& rng_;
  bool multipath_ = false;
  CouplingGroup coupling_;       // before the paths, whose controllers leave it at their end
  std::vector<Record> records_;  // ascending
  IntervalSet finished_;         // path IDs that are over: never reused (draft-21 §3.4)
  std::uint64_t finished_count_ = 0;
  RingBuffer<PathEvent> events_;
  RingBuffer<Request> requests_;
  std::vector<PathView> views_;
  std::vector<ClosedPath> closed_;
  std::optional<SocketAddress> forbidden_remote_;

  std::uint64_t local_initial_ = 0;
  std::uint64_t local_limit_ = 0;      // what MAX_PATH_ID should say
  std::uint64_t announced_limit_ = 0;  // what the peer was told last
  Delivery limit_delivery_ = Delivery::none;
  std::uint64_t peer_initial_ = 0;
  std::uint64_t peer_limit_ = 0;
  std::optional<std::uint64_t> blocked_at_;  // PATHS_BLOCKED was wanted for this limit
  Delivery blocked_delivery_ = Delivery::none;
  bool due_ = false;               // a frame may wait to be written; false is certain
  bool validations_wait_ = false;  // perhaps; false is certain
  bool statuses_changed_ = false;  // perhaps; false is certain
};

}  // namespace mpquic
