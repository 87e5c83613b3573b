#include "stack/path/path_manager.h"

#include <algorithm>
#include <utility>

#include "stack/base/by_path_id.h"
#include "stack/base/check.h"

namespace mpquic {

PathManager::PathManager(PathSettings settings, std::uint32_t max_paths, Rng& rng)
    : settings_(std::move(settings)), max_paths_(std::clamp(max_paths, std::uint32_t{1}, kMaxOpenPaths)), rng_(rng) {}

Path& PathManager::start(const FourTuple& tuple, Instant now) {
  MPQUIC_CHECK(records_.empty() && finished_count_ == 0);
  return create(require_record(kInitialPath), tuple, Path::Start::handshake, now);
}

void PathManager::enable_multipath(std::uint32_t local_initial_max, std::uint32_t peer_initial_max) {
  multipath_ = true;
  local_initial_ = local_limit_ = announced_limit_ = local_initial_max;
  peer_initial_ = peer_limit_ = peer_initial_max;
}

void PathManager::set_peer_max_udp_payload(std::size_t bytes, Instant now) {
  settings_.tuple.peer_max_udp_payload = bytes;
  for_each([now](Path& path) { path.on_peer_udp_limit(now); });
}

Path* PathManager::find(PathId id) {
  Record* record = record_of(id);
  return record == nullptr ? nullptr : record->path.get();
}

const Path* PathManager::find(PathId id) const {
  const Record* record = record_of(id);
  return record == nullptr ? nullptr : record->path.get();
}

std::size_t PathManager::open_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(records_, [](const Record& record) { return record.path && record.path->is_open(); }));
}

// --- Opening

bool PathManager::request_open(const FourTuple& tuple, Instant now) {
  if (requests_.size() >= kMaxPendingOpens) return false;
  requests_.push_back(Request{tuple, std::nullopt});
  refuse_hopeless(now);
  return true;
}

void PathManager::refuse_pending(std::string_view reason) {
  while (!requests_.empty()) refuse_front(error::kNoError, reason);
}

std::optional<PathId> PathManager::grantable(Instant now) {
  refuse_hopeless(now);
  if (requests_.empty() || !multipath_ || !settings_.handshake_confirmed) return std::nullopt;
  const std::uint64_t id = lowest_unused();
  if (id > peer_limit_) report_blocked();
  if (id > std::min(peer_limit_, announced_limit_)) return std::nullopt;
  return PathId{static_cast<std::uint32_t>(id)};
}

void PathManager::open_next(PathId id, Instant now) {
  const FourTuple tuple = requests_.pop_front().tuple;
  // draft-21 §3.1.1: "unless it has previously validated that address".
  create(require_record(id), tuple, is_proved(tuple) ? Path::Start::proved : Path::Start::validate, now);
  events_.push_back(PathEvent{.kind = PathEvent::Kind::opened, .id = id, .tuple = tuple, .reason = {}});
}

void PathManager::refuse_hopeless(Instant now) {
  if (!settings_.handshake_confirmed) return;  // nothing is decided yet
  while (!requests_.empty()) {
    Request& front = requests_.front();
    if (!front.patience_until) front.patience_until = now + kOpenPatience;
    if (!multipath_) {
      refuse_front(error::kNoError, "multipath is not negotiated");
    } else if (settings_.tuple.role == Role::server) {
      refuse_front(error::kNoError, "only clients open paths");  // draft-21 §3.1
    } else if (forbidden_remote_ == front.tuple.remote) {
      refuse_front(error::kNoError, "the peer disabled migration to its handshake address");
    } else if (open_count() >= max_paths_) {
      refuse_front(error::kPathResourceLimitReached, "too many open paths");
    } else if (expired(front.patience_until, now)) {
      refuse_front(error::kNoCidAvailableForPath, "no path ID or connection ID became available");
    } else {
      return;
    }
  }
}

void PathManager::refuse_front(std::uint64_t error, std::string_view reason) {
  const FourTuple tuple = requests_.pop_front().tuple;
  events_.push_back(PathEvent{
      .kind = PathEvent::Kind::refused, .id = std::nullopt, .tuple = tuple, .error = error, .reason = reason});
}

void PathManager::report_blocked() {
  if (blocked_at_ == peer_limit_) return;
  blocked_at_ = peer_limit_;
  await(blocked_delivery_, Delivery::queued);
}

std::expected<Path*, DropReason> PathManager::accept(PathId id, const FourTuple& tuple, Instant now) {
  if (!multipath_ || settings_.tuple.role == Role::client || id.value() > announced_limit_) {
    return std::unexpected(DropReason::path_refused);
  }
  const Record* known = record_of(id);
  if (finished_.contains(id.value()) || (known != nullptr && known->abandoned)) {
    return std::unexpected(DropReason::path_abandoned);
  }
  Record& record = require_record(id);
  if (open_count() >= max_paths_) {
    mark_abandoned(record, End{error::kPathResourceLimitReached, false, "too many open paths"}, now);
    return std::unexpected(DropReason::path_refused);
  }
  const bool crowded = validating_count() >= kMaxConcurrentValidations;
  const Path::Start unproved = crowded ? Path::Start::wait : Path::Start::validate;
  Path& path = create(record, tuple, is_proved(tuple) ? Path::Start::proved : unproved, now);
  validations_wait_ |= crowded;
  events_.push_back(
      PathEvent{.kind = PathEvent::Kind::opened, .id = id, .tuple = tuple, .by_peer = true, .reason = {}});
  return &path;
}

std::size_t PathManager::validating_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(records_, [](const Record& record) {
    return record.path && record.path->state() == Path::State::validating && !record.path->awaits_validation();
  }));
}

void PathManager::start_waiting_validations(Instant now) {
  if (!validations_wait_) return;
  std::size_t validating = validating_count();
  validations_wait_ = false;
  for (const Record& record : records_) {
    if (!record.path || !record.path->awaits_validation()) continue;
    validations_wait_ = validating >= kMaxConcurrentValidations;
    if (validations_wait_) return;
    record.path->start_validation(now);
    ++validating;
  }
}

Path& PathManager::create(Record& record, const FourTuple& tuple, Path::Start start, Instant now) {
  MPQUIC_CHECK(!record.path && !record.abandoned);
  record.path = std::make_unique<Path>(record.id, tuple, start, PathContext{settings_, rng_, events_, coupling_}, now);
  record.path->set_backup(!record.local.available, !record.remote.available);
  return *record.path;
}

// --- End of a path

void PathManager::abandon(PathId id, std::uint64_t error, std::string_view reason, Instant now) {
  if (finished_.contains(id.value()) || id.value() > peer_limit_) return;
  Record& record = require_record(id);
  if (!record.abandoned) mark_abandoned(record, End{error, false, reason}, now);
}

void PathManager::mark_abandoned(Record& record, const End& end, Instant now) {
  record.abandoned = true;
  record.abandon_error = end.error;
  await(record.abandon_delivery, Delivery::queued);
  PathEvent event{.kind = PathEvent::Kind::abandoned,
                  .id = record.id,
                  .tuple = {},
                  .error = end.error,
                  .by_peer = end.by_peer,
                  .reason = end.reason};
  const bool was_open = record.path && record.path->is_open();
  if (record.path) event.tuple = record.path->active().addresses;
  if (was_open) record.path->abandon(now);
  events_.push_back(event);
  if (!was_open || open_count() > 0) return;
  event.kind = PathEvent::Kind::none_left;
  events_.push_back(event);
}

void PathManager::start_draining(Record& record, Instant now) {
  if (record.close_at || record.closed) return;
  record.close_at = now + kDrainPtos * (record.path ? record.path->pto() : max_pto());
}

void PathManager::close_drained(Record& record) {
  PathEvent event{
      .kind = PathEvent::Kind::closed, .id = record.id, .tuple = {}, .error = record.abandon_error, .reason = {}};
  if (record.path) {
    event.tuple = record.path->active().addresses;
    if (closed_.size() == kMaxClosedRemembered) closed_.erase(closed_.begin());
    closed_.push_back(ClosedPath{record.id, event.tuple, record.path->counters()});
  }
  record.path.reset();
  record.close_at.reset();
  record.closed = true;
  events_.push_back(event);
}

bool PathManager::is_last_resort(const Path& path) const {
  const auto usable = [](const Path& p) { return p.state() == Path::State::active && !p.is_unreachable(); };
  bool other = false;
  for_each([&](const Path& p) { other |= usable(p); });  // `path` itself is not
  return path.state() == Path::State::active && !other;
}

void PathManager::settle(Instant now) {
  refuse_hopeless(now);
  for (Record& record : records_) {
    // draft-21 §3.1.1: "MUST send PATH_ABANDON", because the path ID is used up.
    if (record.path && record.path->is_open() && record.path->is_unreachable() && !is_last_resort(*record.path))
      mark_abandoned(record, End{error::kPathUnstableOrPoor, false, "path validation failed"}, now);
    if (expired(record.close_at, now)) close_drained(record);
  }
  finish_records();
}

void PathManager::finish_records() {
  const auto over = [](const Record& record) { return record.closed && record.abandon_delivery == Delivery::acked; };
  for (const Record& record : records_) {
    if (!over(record)) continue;
    finished_.insert(record.id.value(), record.id.value() + std::uint64_t{1});
    ++finished_count_;
  }
  std::erase_if(records_, over);
  // IDs are used up for ever, so the limit moves on with every path that is over (draft-21 §4.6).
  const std::uint64_t limit = std::min(local_initial_ + finished_count_, kMaxPathIdValue);
  if (!multipath_ || limit <= local_limit_) return;
  local_limit_ = limit;
  await(limit_delivery_, Delivery::queued);
}

// --- Status

void PathManager::set_status(PathId id, bool available) {
  if (!multipath_ || finished_.contains(id.value()) || id.value() > peer_limit_) return;
  Record& record = require_record(id);
  if (record.abandoned) return;
  record.local.sequence = record.local.sequence ? *record.local.sequence + 1 : 0;
  record.local.available = available;
  await(record.local_delivery, Delivery::queued);
  if (record.path) record.path->set_backup(!record.local.available, !record.remote.available);
}

void PathManager::set_writable(const SocketAddress& local, bool writable) {
  std::erase(settings_.blocked_sockets, local);
  if (!writable) settings_.blocked_sockets.push_back(local);
}

// --- Time, events, records

Duration PathManager::max_pto() const {
  Duration longest{};
  for_each([&](const Path& path) { longest = std::max(longest, path.pto()); });
  return longest;
}

Deadline PathManager::next_deadline() const {
  Earliest earliest;
  for (const Record& record : records_) {
    earliest.add(record.close_at);
    if (record.path) earliest.add(record.path->next_deadline());
  }
  if (!requests_.empty()) earliest.add(requests_.front().patience_until);
  return earliest.deadline();
}

std::optional<PathEvent> PathManager::poll_event() {
  if (events_.empty()) report_statuses();
  if (events_.empty()) return std::nullopt;
  return events_.pop_front();
}

PathManager::Record* PathManager::record_of(PathId id) { return find_by_path_id(records_, id, &Record::id); }

const PathManager::Record* PathManager::record_of(PathId id) const {
  return find_by_path_id(records_, id, &Record::id);
}

PathManager::Record& PathManager::require_record(PathId id) {
  const auto found = std::ranges::lower_bound(records_, id, {}, &Record::id);
  if (found != records_.end() && found->id == id) return *found;
  Record fresh;
  fresh.id = id;
  return *records_.insert(found, std::move(fresh));
}

bool PathManager::is_proved(const FourTuple& tuple) const {
  return std::ranges::any_of(records_, [&](const Record& record) {
    return record.path && std::ranges::any_of(std::as_const(*record.path).tuples(), [&](const Tuple& known) {
             return known.proved && known.addresses == tuple;
           });
  });
}

std::uint64_t PathManager::lowest_unused() const {
  std::uint64_t id = 1;
  const auto in_use = [this](std::uint64_t candidate) {
    if (candidate > kMaxPathIdValue) return false;
    const Record* record = record_of(PathId{static_cast<std::uint32_t>(candidate)});
    return record != nullptr && (record->path || record->abandoned);
  };
  for (;;) {
    for (const Interval& over : finished_.intervals()) {
      if (id >= over.begin && id < over.end) id = over.end;
    }
    if (!in_use(id)) return id;
    ++id;
  }
}

}  // namespace mpquic
