#include "stack/cid/peer_cids.h"

#include <algorithm>
#include <utility>

#include "stack/base/by_path_id.h"
#include "stack/base/check.h"

namespace mpquic {
namespace {

/// Without early exit, so that timing tells nothing about how much of a guess was right (RFC 9000 §10.3.1).
[[nodiscard]] bool equal_constant_time(const StatelessResetToken& token, Bytes guess) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < token.size(); ++i) difference |= std::to_integer<unsigned>(token[i] ^ guess[i]);
  return difference == 0;
}

}  // namespace

PeerCids::PeerCids(std::uint64_t active_limit) : active_limit_(active_limit) { MPQUIC_CHECK(active_limit >= 2); }

void PeerCids::set_handshake_cid(const ConnectionId& id) {
  PathCids& cids = require_cids(kInitialPath);
  if (cids.active.empty()) {
    cids.active.push_back(Cid{.sequence = 0, .id = {}, .reset_token = {}, .taken = true});
    cids.seen.insert(0, 1);
    cids.current = 0;
    cids.opened = true;
  }
  MPQUIC_CHECK(cids.active.front().sequence == 0);
  cids.active.front().id = id;
}

void PeerCids::set_handshake_reset_token(const StatelessResetToken& token) {
  PathCids* cids = cids_of(kInitialPath);
  if (cids != nullptr && !cids->active.empty() && cids->active.front().sequence == 0) {
    cids->active.front().reset_token = token;
    token_events_.push_back({true, token});
  }
}

Result<void> PeerCids::on_preferred_address(const ConnectionId& id, const StatelessResetToken& token) {
  return on_new_connection_id(
      NewConnectionIdFrame{.path = {}, .sequence = 1, .retire_prior_to = 0, .id = id, .reset_token = token});
}

Result<void> PeerCids::on_new_connection_id(const NewConnectionIdFrame& frame) {
  const std::uint64_t type = frame.path ? frame_type::kPathNewConnectionId : frame_type::kNewConnectionId;
  const PathId path = frame.path.value_or(kInitialPath);
  const PathCids* initial = cids_of(kInitialPath);
  if (initial != nullptr && !initial->active.empty() && initial->active.front().id.empty()) {
    return fail(error::kProtocolViolation, "connection ID issued by a peer that uses none", type);
  }
  MPQUIC_TRY(check_unique(path, frame, type));

  PathCids& cids = require_cids(path);
  if (!cids.seen.contains(frame.sequence)) {
    cids.seen.insert(frame.sequence, frame.sequence + 1);
    const auto place = std::ranges::lower_bound(cids.active, frame.sequence, {}, &Cid::sequence);
    cids.active.insert(place, Cid{frame.sequence, frame.id, frame.reset_token, false});
    if (cids.blocked != BlockedReport::none && frame.sequence >= cids.blocked_at) cids.blocked = BlockedReport::none;
  }
  // The limit counts what is left after Retire Prior To was obeyed (RFC 9000 §5.1.1).
  apply_retire_prior_to(cids, std::max(cids.retire_prior_to, frame.retire_prior_to));
  bound_gaps(cids);
  if (cids.active.size() > active_limit_) {
    return fail(error::kConnectionIdLimitError, "more connection IDs than active_connection_id_limit", type);
  }
  if (cids.retiring.size() > active_limit_ * kRetirementsPerLimit) {
    return fail(error::kConnectionIdLimitError, "retirements are not acknowledged", type);
  }
  return {};
}

Result<void> PeerCids::check_unique(PathId path, const NewConnectionIdFrame& frame, std::uint64_t type) const {
  for (const PathCids& cids : paths_) {
    for (const Cid& known : cids.active) {
      const bool same_place = cids.path == path && known.sequence == frame.sequence;
      const bool same_id = known.id == frame.id;
      if (same_place != same_id) return fail(error::kProtocolViolation, "connection ID issued twice", type);
      // Sequence 0 of path 0 came without a token to a server, and is never issued by a frame.
      if (same_place && known.reset_token != frame.reset_token) {
        return fail(error::kProtocolViolation, "connection ID with two reset tokens", type);
      }
    }
  }
  return {};
}

bool PeerCids::has_unused(PathId path) const {
  const PathCids* cids = cids_of(path);
  return cids != nullptr && std::ranges::any_of(cids->active, [](const Cid& cid) { return !cid.taken; });
}

bool PeerCids::open(PathId path) {
  PathCids* cids = cids_of(path);
  if (cids == nullptr) return false;
  if (!cids->current) cids->current = take(path);
  if (cids->current) cids->opened = true;
  return cids->current.has_value();
}

const ConnectionId* PeerCids::current(PathId path) const {
  const PathCids* cids = cids_of(path);
  if (cids == nullptr || !cids->current) return nullptr;
  return find(*cids, *cids->current);
}

std::optional<std::uint64_t> PeerCids::current_sequence(PathId path) const {
  const PathCids* cids = cids_of(path);
  return cids == nullptr ? std::nullopt : cids->current;
}

std::optional<std::uint64_t> PeerCids::take(PathId path) {
  PathCids* cids = cids_of(path);
  if (cids == nullptr) return std::nullopt;
  const auto found = std::ranges::find(cids->active, false, &Cid::taken);
  if (found == cids->active.end()) return std::nullopt;
  take_now(*found);
  return found->sequence;
}

const ConnectionId* PeerCids::find(PathId path, std::uint64_t sequence) const {
  const PathCids* cids = cids_of(path);
  return cids == nullptr ? nullptr : find(*cids, sequence);
}

const ConnectionId* PeerCids::find(const PathCids& cids, std::uint64_t sequence) {
  const auto found = std::ranges::find(cids.active, sequence, &Cid::sequence);
  return found == cids.active.end() ? nullptr : &found->id;
}

void PeerCids::make_current(PathId path, std::uint64_t sequence) {
  PathCids* cids = cids_of(path);
  if (cids == nullptr || find(path, sequence) == nullptr || cids->current == sequence) return;
  const std::optional<std::uint64_t> previous = cids->current;
  cids->current = sequence;
  take_now(*std::ranges::find(cids->active, sequence, &Cid::sequence));
  if (previous) retire_now(*cids, *previous);
}

void PeerCids::retire(PathId path, std::uint64_t sequence) {
  PathCids* cids = cids_of(path);
  if (cids != nullptr && cids->current != sequence) retire_now(*cids, sequence);
}

bool PeerCids::rotate(PathId path) {
  const std::optional<std::uint64_t> next = take(path);
  if (!next) return false;
  make_current(path, *next);
  return true;
}

void PeerCids::abandon(PathId path) {
  if (const PathCids* cids = cids_of(path); cids != nullptr) {
    for (const Cid& cid : cids->active) drop_token(cid);
  }
  std::erase_if(paths_, [path](const PathCids& cids) { return cids.path == path; });
}

void PeerCids::forget() {
  for (const PathCids& cids : paths_) {
    for (const Cid& cid : cids.active) drop_token(cid);
  }
  paths_.clear();
}

std::uint64_t PeerCids::next_expected(PathId path) const {
  const PathCids* cids = cids_of(path);
  return cids == nullptr || cids->seen.empty() ? 0 : cids->seen.max() + 1;
}

void PeerCids::report_blocked(PathId path) {
  PathCids& cids = require_cids(path);
  const std::uint64_t next = next_expected(path);
  if (cids.blocked != BlockedReport::none && cids.blocked_at == next) return;
  cids.blocked = BlockedReport::queued;
  cids.blocked_at = next;
  due_ = true;
}

bool PeerCids::matches_reset_token(Bytes token) const {
  if (token.size() != StatelessResetToken{}.size()) return false;
  bool matched = false;
  for (const PathCids& cids : paths_) {
    for (const Cid& cid : cids.active) {
      // RFC 9000 §10.3.1: tokens of connection IDs that were not used are not checked.
      if (cid.taken && cid.reset_token) matched |= equal_constant_time(*cid.reset_token, token);
    }
  }
  return matched;
}

Interest PeerCids::interest() const {
  Interest interest = Interest::none;
  if (!due_) return interest;
  for (const PathCids& cids : paths_) {
    if (cids.blocked == BlockedReport::queued) interest = std::max(interest, Interest::new_data);
    for (const Retirement& retirement : cids.retiring) {
      if (retirement.delivery == Delivery::lost) return Interest::lost_data;
      if (retirement.delivery == Delivery::queued) interest = Interest::new_data;
    }
  }
  return interest;
}

void PeerCids::write_frames(FrameWriter& writer) {
  MPQUIC_DCHECK(writer.level() == EncryptionLevel::one_rtt);
  for (PathCids& cids : paths_) {
    for (Retirement& retirement : cids.retiring) {
      if (retirement.delivery == Delivery::in_flight) continue;
      RetireConnectionIdFrame frame{.path = {}, .sequence = retirement.sequence};
      if (multipath_) frame.path = cids.path;
      if (!writer.write(frame, RetireConnectionIdToken{cids.path, retirement.sequence})) return;
      retirement.delivery = Delivery::in_flight;
    }
    if (cids.blocked != BlockedReport::queued || !multipath_) continue;
    const PathCidsBlockedFrame frame{.path = cids.path.value(), .next_sequence = cids.blocked_at};
    if (!writer.write(frame, PathCidsBlockedToken{cids.path, cids.blocked_at})) return;
    cids.blocked = BlockedReport::in_flight;
  }
  due_ = false;
}

void PeerCids::on_acked(const RetireConnectionIdToken& token) {
  PathCids* cids = cids_of(token.path);
  if (cids == nullptr) return;
  std::erase_if(cids->retiring, [&](const Retirement& r) { return r.sequence == token.sequence; });
}

void PeerCids::on_lost(const RetireConnectionIdToken& token) {
  PathCids* cids = cids_of(token.path);
  if (cids == nullptr) return;
  const auto found = std::ranges::find(cids->retiring, token.sequence, &Retirement::sequence);
  if (found == cids->retiring.end() || found->delivery != Delivery::in_flight) return;
  found->delivery = Delivery::lost;
  due_ = true;
}

void PeerCids::on_acked(const PathCidsBlockedToken& token) {
  PathCids* cids = cids_of(token.path);
  if (cids != nullptr && cids->blocked != BlockedReport::none && cids->blocked_at == token.sequence) {
    cids->blocked = BlockedReport::acked;
  }
}

void PeerCids::on_lost(const PathCidsBlockedToken& token) {
  PathCids* cids = cids_of(token.path);
  if (cids != nullptr && cids->blocked == BlockedReport::in_flight && cids->blocked_at == token.sequence) {
    cids->blocked = BlockedReport::queued;
    due_ = true;
  }
}

PeerCids::PathCids* PeerCids::cids_of(PathId path) { return find_by_path_id(paths_, path, &PathCids::path); }

const PeerCids::PathCids* PeerCids::cids_of(PathId path) const {
  return find_by_path_id(paths_, path, &PathCids::path);
}

PeerCids::PathCids& PeerCids::require_cids(PathId path) {
  const auto found = std::ranges::lower_bound(paths_, path, {}, &PathCids::path);
  if (found != paths_.end() && found->path == path) return *found;
  PathCids fresh;
  fresh.path = path;
  return *paths_.insert(found, std::move(fresh));
}

void PeerCids::apply_retire_prior_to(PathCids& cids, std::uint64_t bound) {
  cids.retire_prior_to = bound;
  while (!cids.active.empty() && cids.active.front().sequence < bound) retire_now(cids, cids.active.front().sequence);
  if (!cids.opened || (cids.current && find(cids.path, *cids.current) != nullptr)) return;
  // The current one was retired by the peer: an unused one follows it, else one that a probed tuple holds.
  cids.current = take(cids.path);
  if (!cids.current && !cids.active.empty()) cids.current = cids.active.front().sequence;
}

void PeerCids::retire_now(PathCids& cids, std::uint64_t sequence) {
  const auto found = std::ranges::find(cids.active, sequence, &Cid::sequence);
  if (found == cids.active.end()) return;
  drop_token(*found);
  cids.active.erase(found);
  cids.retiring.push_back(Retirement{sequence, Delivery::queued});
  due_ = true;
}

void PeerCids::take_now(Cid& cid) {
  if (std::exchange(cid.taken, true) || !cid.reset_token) return;
  token_events_.push_back({true, *cid.reset_token});
}

void PeerCids::drop_token(const Cid& cid) {
  if (cid.taken && cid.reset_token) token_events_.push_back({false, *cid.reset_token});
}

void PeerCids::bound_gaps(PathCids& cids) {
  while (cids.seen.interval_count() > kMaxSequenceGaps) {
    const std::uint64_t gap_end = cids.seen.intervals()[1].begin;
    cids.seen.insert(cids.seen.min(), gap_end);
  }
}

}  // namespace mpquic
