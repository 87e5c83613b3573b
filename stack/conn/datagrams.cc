// Datagrams and paths: how large one may be, and which path takes it (RFC 9221 §5).
#include <algorithm>

#include "stack/conn/connection.h"
#include "stack/sched/eligibility.h"

namespace mpquic {

std::size_t Connection::datagram_room(PathId id, std::size_t datagram_size) const {
  constexpr std::size_t kOverhead = 1 + kMaxPacketNumberLength + 16 /* tag */ + 1 + 2 /* DATAGRAM type and length */;
  constexpr std::size_t kNumber = 1 + kMaxVarintSize;  // what NUMBERED_DATAGRAM has more
  const ConnectionId* dcid = peer_cids_.current(id);
  if (dcid == nullptr) return 0;
  const std::size_t number = peer_numbers_datagrams_ && duplication_->copies({}).datagrams > 0 ? kNumber : 0;
  const std::size_t header = kOverhead + number + dcid->size();
  const auto peer = static_cast<std::size_t>(peer_max_datagram_ > 3 + number ? peer_max_datagram_ - 3 - number : 0);
  return std::min(datagram_size > header ? datagram_size - header : 0, peer);
}

std::size_t Connection::datagram_limit() const {
  if (!handshake_.complete()) return 0;
  // Paths that a scheduler would not choose carry nothing, so they neither lower the limit nor raise it.
  Standing best = Standing::unusable;
  std::size_t largest = 0;
  paths_.for_each([&](const Path& path) {
    if (!path.is_open()) return;
    PathView view;
    path.describe_standing(view);
    const Standing standing = standing_of(view, {});
    const std::size_t room = datagram_room(path.id(), view.max_datagram_size);
    if (room == 0 || standing > best) return;
    largest = standing == best ? std::max(largest, room) : room;
    best = standing;
  });
  return largest;
}

std::optional<PathId> Connection::pick_path(std::span<const PathView> views, const PacketContext& context) {
  const std::optional<PathId> picked = scheduler_->pick(views, context);
  const std::size_t size = datagrams_.front_size();
  const auto fits = [&](const PathView& view) { return datagram_room(view.id, view.max_datagram_size) >= size; };
  if (!picked || size == 0 || fits(*std::ranges::find(views, *picked, &PathView::id))) return picked;
  // A path that it fits, if one has room now; else what is behind it goes first.
  wide_views_.clear();
  std::ranges::copy_if(views, std::back_inserter(wide_views_), fits);
  const std::optional<PathId> wider = scheduler_->pick(wide_views_, context);
  return wider ? wider : picked;
}

std::optional<std::uint64_t> Connection::send_datagram(Bytes data, Deadline deadline, Instant now) {
  if (!lifecycle_.open()) return std::nullopt;
  datagrams_.set_max_payload(datagram_limit());
  return datagrams_.push(data, deadline, now);
}

}  // namespace mpquic
