#include "stack/cid/local_cids.h"

#include <algorithm>
#include <utility>

#include "stack/base/by_path_id.h"
#include "stack/base/check.h"

namespace mpquic {

std::size_t LocalCids::HashId::operator()(const ConnectionId& id) const noexcept {
  // Our own connection IDs are random, and only look-ups come from outside: any mixing of the bytes will do.
  std::size_t hash = id.size();
  for (const std::byte b : id.bytes()) hash = (hash ^ std::to_integer<std::size_t>(b)) * 0x100000001b3U;
  return hash;
}

void LocalCids::register_handshake_cid(const ConnectionId& id) {
  MPQUIC_CHECK(supplies_.empty());
  Supply& supply = require_supply(kInitialPath);
  supply.use = Use::open;
  uses_cids_ = !id.empty();
  if (uses_cids_) add(supply, GeneratedCid{id, {}}, Delivery::acked);
}

void LocalCids::register_preferred_address_cid(const GeneratedCid& cid) {
  Supply& supply = require_supply(kInitialPath);
  MPQUIC_CHECK(supply.next_sequence == 1);
  add(supply, cid, Delivery::acked);
  events_.push_back(LocalCidEvent{LocalCidEvent::Kind::issued, cid.id, LocalCidRoute{kInitialPath, 1}});
}

void LocalCids::set_peer_limit(std::uint64_t active_connection_id_limit) {
  peer_limit_ = active_connection_id_limit;
  replenish();
}

void LocalCids::set_path_limit(PathId highest) {
  if (path_limit_ && *path_limit_ >= highest) return;
  path_limit_ = highest;
  replenish();
}

void LocalCids::open(PathId path) {
  if (is_forgotten(path)) return;
  Supply& supply = require_supply(path);
  if (supply.use == Use::unused) supply.use = Use::open;
  replenish();
}

void LocalCids::abandon(PathId path) {
  if (is_forgotten(path)) return;
  Supply& supply = require_supply(path);
  supply.use = Use::abandoned;
  for (Issued& issued : supply.issued) issued.delivery = Delivery::acked;
  replenish();
}

void LocalCids::forget(PathId path) {
  if (is_forgotten(path)) return;
  Supply& supply = require_supply(path);
  supply.use = Use::abandoned;
  while (!supply.issued.empty()) remove(supply, supply.issued.size() - 1);
  // An ID that was abandoned before its turn keeps its entry, so that supplying passes over it.
  if (path.value() < next_unsupplied_) std::erase_if(supplies_, [path](const Supply& s) { return s.path == path; });
}

Result<void> LocalCids::on_retire(const RetireConnectionIdFrame& frame, const ConnectionId& packet_dcid) {
  const std::uint64_t type = frame.path ? frame_type::kPathRetireConnectionId : frame_type::kRetireConnectionId;
  const PathId path = frame.path.value_or(kInitialPath);
  Supply* supply = supply_of(path);
  if (is_forgotten(path)) return {};  // a late frame
  constexpr std::string_view kNeverIssued = "retires a connection ID that was never issued";
  if (supply == nullptr || frame.sequence >= supply->next_sequence)
    return fail(error::kProtocolViolation, kNeverIssued, type);
  const auto found = std::ranges::find(supply->issued, frame.sequence, &Issued::sequence);
  if (found == supply->issued.end()) return {};  // retired before
  // RFC 9000 §19.16: "greater than any previously sent to the peer". Who could retire replacements before they are sent
  // would have us make new ones as fast as frames arrive, not as fast as congestion control lets them leave.
  if (found->delivery == Delivery::queued) return fail(error::kProtocolViolation, kNeverIssued, type);
  if (found->cid.id == packet_dcid) {
    return fail(error::kProtocolViolation, "retires the connection ID of the packet itself", type);
  }
  remove(*supply, static_cast<std::size_t>(found - supply->issued.begin()));
  top_up(*supply);
  return {};
}

bool LocalCids::is_forgotten(PathId path) const {
  return path.value() < next_unsupplied_ && supply_of(path) == nullptr;
}

Result<void> LocalCids::on_cids_blocked(const PathCidsBlockedFrame& frame) const {
  const Supply* supply = supply_of(PathId{static_cast<std::uint32_t>(frame.path)});
  if (frame.next_sequence > (supply == nullptr ? 0 : supply->next_sequence)) {
    return fail(error::kProtocolViolation, "expects a connection ID after those issued", frame_type::kPathCidsBlocked);
  }
  return {};
}

std::optional<LocalCidRoute> LocalCids::find(const ConnectionId& id) const {
  const auto found = routes_.find(id);
  if (found == routes_.end()) return std::nullopt;
  return found->second;
}

bool LocalCids::has_issued(PathId path) const {
  const Supply* supply = supply_of(path);
  return supply != nullptr && std::ranges::any_of(supply->issued, [](const Issued& issued) {
           return issued.delivery == Delivery::in_flight || issued.delivery == Delivery::acked;
         });
}

std::size_t LocalCids::active_count(PathId path) const {
  const Supply* supply = supply_of(path);
  return supply == nullptr ? 0 : supply->issued.size();
}

std::optional<LocalCidEvent> LocalCids::poll_event() {
  if (events_.empty()) return std::nullopt;
  return events_.pop_front();
}

Interest LocalCids::interest() const {
  Interest interest = Interest::none;
  if (!due_) return interest;
  for (const Supply& supply : supplies_) {
    for (const Issued& issued : supply.issued) {
      if (issued.delivery == Delivery::lost) return Interest::lost_data;
      if (issued.delivery == Delivery::queued) interest = Interest::new_data;
    }
  }
  return interest;
}

void LocalCids::write_frames(FrameWriter& writer) {
  MPQUIC_DCHECK(writer.level() == EncryptionLevel::one_rtt);
  for (Supply& supply : supplies_) {  // ascending: lowest IDs first (draft-21 §3.2.1)
    for (Issued& issued : supply.issued) {
      if (issued.delivery != Delivery::queued && issued.delivery != Delivery::lost) continue;
      NewConnectionIdFrame frame{.path = {},
                                 .sequence = issued.sequence,
                                 .retire_prior_to = 0,
                                 .id = issued.cid.id,
                                 .reset_token = issued.cid.reset_token};
      if (path_limit_) frame.path = supply.path;
      if (!writer.write(frame, NewConnectionIdToken{supply.path, issued.sequence})) return;
      issued.delivery = Delivery::in_flight;
    }
  }
  due_ = false;
}

void LocalCids::on_acked(const NewConnectionIdToken& token) {
  if (Issued* issued = issued_of(token)) issued->delivery = Delivery::acked;
}

void LocalCids::on_lost(const NewConnectionIdToken& token) {
  Issued* issued = issued_of(token);
  if (issued == nullptr || issued->delivery != Delivery::in_flight) return;
  issued->delivery = Delivery::lost;
  due_ = true;
}

LocalCids::Supply* LocalCids::supply_of(PathId path) { return find_by_path_id(supplies_, path, &Supply::path); }

const LocalCids::Supply* LocalCids::supply_of(PathId path) const {
  return find_by_path_id(supplies_, path, &Supply::path);
}

LocalCids::Supply& LocalCids::require_supply(PathId path) {
  const auto found = std::ranges::lower_bound(supplies_, path, {}, &Supply::path);
  if (found != supplies_.end() && found->path == path) return *found;
  return *supplies_.insert(found, Supply{.path = path, .use = Use::unused, .next_sequence = 0, .issued = {}});
}

LocalCids::Issued* LocalCids::issued_of(const NewConnectionIdToken& token) {
  Supply* supply = supply_of(token.path);
  if (supply == nullptr) return nullptr;
  const auto found = std::ranges::find(supply->issued, token.sequence, &Issued::sequence);
  return found == supply->issued.end() ? nullptr : &*found;
}

void LocalCids::add(Supply& supply, const GeneratedCid& cid, Delivery delivery) {
  const LocalCidRoute route{supply.path, supply.next_sequence};
  const bool fresh = routes_.emplace(cid.id, route).second;
  MPQUIC_CHECK(fresh);  // the generator never repeats one
  supply.issued.push_back(Issued{supply.next_sequence, cid, delivery});
  ++supply.next_sequence;
  if (delivery != Delivery::queued) return;
  due_ = true;
  events_.push_back(LocalCidEvent{LocalCidEvent::Kind::issued, cid.id, route});
}

void LocalCids::remove(Supply& supply, std::size_t index) {
  const Issued& issued = supply.issued[index];
  routes_.erase(issued.cid.id);
  events_.push_back(
      LocalCidEvent{LocalCidEvent::Kind::forgotten, issued.cid.id, LocalCidRoute{supply.path, issued.sequence}});
  supply.issued.erase(supply.issued.begin() + static_cast<std::ptrdiff_t>(index));
}

void LocalCids::top_up(Supply& supply) {
  if (peer_limit_ == 0 || !uses_cids_ || supply.use == Use::abandoned || supply.path.value() >= next_unsupplied_)
    return;
  const std::uint64_t want = std::min(peer_limit_, supply.use == Use::open ? kCidsOpenPath : std::uint64_t{1});
  while (supply.issued.size() < want) add(supply, generate_(), Delivery::queued);
}

void LocalCids::replenish() {
  if (peer_limit_ == 0 || !uses_cids_) return;
  std::size_t unused = 0;
  for (Supply& supply : supplies_) {
    top_up(supply);
    if (supply.use == Use::unused && supply.path.value() < next_unsupplied_) ++unused;
  }
  if (!path_limit_) return;
  for (; next_unsupplied_ <= path_limit_->value() && unused < kMaxUnusedPaths; ++next_unsupplied_) {
    const PathId path{static_cast<std::uint32_t>(next_unsupplied_)};
    Supply& supply = require_supply(path);
    if (supply.use == Use::abandoned) {
      std::erase_if(supplies_, [path](const Supply& s) { return s.path == path; });
      continue;
    }
    add(supply, generate_(), Delivery::queued);
    ++unused;
  }
}

}  // namespace mpquic
