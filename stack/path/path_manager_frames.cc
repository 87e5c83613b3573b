// PathManager, the part that deals with frames: draft-21 §4.2, §4.3, §4.6, §4.7.
#include <algorithm>
#include <utility>

#include "stack/path/path_manager.h"

namespace mpquic {

Result<PathManager::Admission> PathManager::admit(std::uint64_t path, std::uint64_t type) const {
  if (!multipath_) return fail(error::kProtocolViolation, "multipath frame without negotiation", type);
  if (path > announced_limit_) return fail(error::kProtocolViolation, "path ID above the limit", type);
  if (finished_.contains(path)) return Admission::ignore;
  const bool is_ack = type == frame_type::kPathAck || type == frame_type::kPathAck + 1;
  const Record* record = record_of(PathId{static_cast<std::uint32_t>(path)});
  if (record == nullptr || !record->abandoned) {
    if (is_ack && (record == nullptr || !record->path)) {
      return fail(error::kProtocolViolation, "ack of unsent packet", type);  // RFC 9000 §13.1
    }
    return Admission::process;
  }
  if (is_ack) return record->path ? Admission::process : Admission::ignore;  // draft-21 §3.4.3
  if (type == frame_type::kPathAbandon) return record->abandon_received ? Admission::ignore : Admission::process;
  return Admission::ignore;
}

Result<void> PathManager::on_path_abandon(const PathAbandonFrame& frame, Instant now) {
  MPQUIC_TRY_ASSIGN(admission, admit(frame.path, frame_type::kPathAbandon));
  if (admission == Admission::ignore) return {};
  Record& record = require_record(PathId{static_cast<std::uint32_t>(frame.path)});
  record.abandon_received = true;
  // draft-21 §3.4: answered with a PATH_ABANDON of our own, unless that was sent already.
  if (!record.abandoned) mark_abandoned(record, End{frame.error, true, "abandoned by the peer"}, now);
  start_draining(record, now);
  return {};
}

Result<void> PathManager::on_path_status(const PathStatusFrame& frame) {
  const std::uint64_t type = frame.available ? frame_type::kPathStatusAvailable : frame_type::kPathStatusBackup;
  MPQUIC_TRY_ASSIGN(admission, admit(frame.path, type));
  if (admission == Admission::ignore) return {};
  Record& record = require_record(PathId{static_cast<std::uint32_t>(frame.path)});
  if (record.remote.sequence && frame.sequence <= *record.remote.sequence) return {};
  record.remote = Status{frame.sequence, frame.available};
  if (record.path) record.path->set_backup(!record.local.available, !record.remote.available);
  statuses_changed_ = true;
  return {};
}

void PathManager::report_statuses() {
  if (!std::exchange(statuses_changed_, false)) return;
  for (Record& record : records_) {
    if (record.abandoned || record.remote.available == record.remote_reported) continue;
    record.remote_reported = record.remote.available;
    events_.push_back(PathEvent{.kind = PathEvent::Kind::status,
                                .id = record.id,
                                .tuple = record.path ? record.path->active().addresses : FourTuple{},
                                .by_peer = true,
                                .reason = record.remote.available ? "available" : "backup"});
  }
}

Result<void> PathManager::on_max_path_id(const MaxPathIdFrame& frame) {
  constexpr std::uint64_t kType = frame_type::kMaxPathId;
  if (!multipath_) return fail(error::kProtocolViolation, "multipath frame without negotiation", kType);
  if (frame.maximum > kMaxPathIdValue) return fail(error::kProtocolViolation, "MAX_PATH_ID too large", kType);
  if (frame.maximum < peer_initial_) {
    return fail(error::kProtocolViolation, "MAX_PATH_ID below the transport parameter", kType);
  }
  peer_limit_ = std::max(peer_limit_, frame.maximum);
  return {};
}

Result<void> PathManager::on_paths_blocked(const PathsBlockedFrame& frame) const {
  constexpr std::uint64_t kType = frame_type::kPathsBlocked;
  if (!multipath_) return fail(error::kProtocolViolation, "multipath frame without negotiation", kType);
  if (frame.maximum > announced_limit_) return fail(error::kProtocolViolation, "PATHS_BLOCKED above our limit", kType);
  return {};  // informational
}

void PathManager::await(Delivery& delivery, Delivery state) {
  delivery = state;
  due_ = true;
}

Interest PathManager::interest() const {
  Interest interest = Interest::none;
  if (!due_) return interest;
  const auto raise = [&interest](Delivery delivery, Interest fresh) {
    if (delivery == Delivery::lost) interest = std::max(interest, Interest::lost_data);
    if (delivery == Delivery::queued) interest = std::max(interest, fresh);
  };
  for (const Record& record : records_) {
    raise(record.abandon_delivery, Interest::forced);
    if (!record.abandoned) raise(record.local_delivery, Interest::new_data);
  }
  raise(limit_delivery_, Interest::new_data);
  raise(blocked_delivery_, Interest::new_data);
  return interest;
}

void PathManager::write_frames(FrameWriter& writer) {
  MPQUIC_DCHECK(writer.level() == EncryptionLevel::one_rtt);
  for (Record& record : records_) {
    if (!write_record(record, writer)) return;
  }
  static_cast<void>(write_limits(writer));
  due_ = interest() != Interest::none;
}

bool PathManager::write_record(Record& record, FrameWriter& writer) {
  const auto due = [](Delivery delivery) { return delivery == Delivery::queued || delivery == Delivery::lost; };
  const std::uint64_t id = record.id.value();
  // draft-21 §3.4: nothing is sent on the path any more, so the frame must travel on another.
  if (record.abandoned && due(record.abandon_delivery) && writer.path() != record.id) {
    if (!writer.write(PathAbandonFrame{id, record.abandon_error}, PathAbandonToken{record.id})) return false;
    record.abandon_delivery = Delivery::in_flight;
  }
  if (!record.abandoned && due(record.local_delivery)) {
    const PathStatusFrame frame{id, *record.local.sequence, record.local.available};
    if (!writer.write(frame, PathStatusToken{record.id, *record.local.sequence})) return false;
    record.local_delivery = Delivery::in_flight;
  }
  return true;
}

bool PathManager::write_limits(FrameWriter& writer) {
  if (limit_delivery_ == Delivery::queued || limit_delivery_ == Delivery::lost) {
    if (!writer.write(MaxPathIdFrame{local_limit_}, MaxPathIdToken{local_limit_})) return false;
    limit_delivery_ = Delivery::in_flight;
    announced_limit_ = local_limit_;
  }
  if (blocked_delivery_ == Delivery::queued || blocked_delivery_ == Delivery::lost) {
    if (!writer.write(PathsBlockedFrame{*blocked_at_}, PathsBlockedToken{*blocked_at_})) return false;
    blocked_delivery_ = Delivery::in_flight;
  }
  return true;
}

void PathManager::on_acked(const PathAbandonToken& token, Instant now) {
  Record* record = record_of(token.path);
  if (record == nullptr) return;
  record->abandon_delivery = Delivery::acked;
  start_draining(*record, now);
  finish_records();
}

void PathManager::on_lost(const PathAbandonToken& token) {
  Record* record = record_of(token.path);
  if (record != nullptr && record->abandon_delivery == Delivery::in_flight)
    await(record->abandon_delivery, Delivery::lost);
}

void PathManager::on_acked(const PathStatusToken& token) {
  Record* record = record_of(token.path);
  if (record != nullptr && record->local.sequence == token.sequence) record->local_delivery = Delivery::acked;
}

void PathManager::on_lost(const PathStatusToken& token) {
  Record* record = record_of(token.path);
  // draft-21 §4.3: only the latest status is repeated.
  const bool latest = record != nullptr && record->local.sequence == token.sequence;
  if (latest && record->local_delivery == Delivery::in_flight) await(record->local_delivery, Delivery::lost);
}

void PathManager::on_acked(const MaxPathIdToken& token) {
  if (token.maximum == local_limit_) limit_delivery_ = Delivery::acked;
}

void PathManager::on_lost(const MaxPathIdToken& token) {
  // draft-21 §4.6: unless superseded.
  if (token.maximum == local_limit_ && limit_delivery_ == Delivery::in_flight) await(limit_delivery_, Delivery::lost);
}

void PathManager::on_acked(const PathsBlockedToken& token) {
  if (blocked_at_ == token.maximum) blocked_delivery_ = Delivery::acked;
}

void PathManager::on_lost(const PathsBlockedToken& token) {
  // Pointless once the peer has raised the limit.
  const bool still = blocked_at_ == token.maximum && peer_limit_ == token.maximum;
  if (still && blocked_delivery_ == Delivery::in_flight) await(blocked_delivery_, Delivery::lost);
}

}  // namespace mpquic
