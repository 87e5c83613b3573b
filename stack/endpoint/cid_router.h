// Which connection, and which path of it, a datagram belongs to: by destination connection ID (RFC 9000 §5.2).
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "stack/base/address.h"
#include "stack/base/connection_id.h"
#include "stack/base/ids.h"

namespace mpquic {

struct CidRoute {
  std::uint32_t connection = 0;  // slot in the endpoint's table
  PathId path;
  std::uint64_t sequence = 0;
};

class CidRouter {
 public:
  void add(const ConnectionId& id, const CidRoute& route) { issued_.insert_or_assign(key_of(id.bytes()), route); }
  void remove(const ConnectionId& id) { issued_.erase(key_of(id.bytes())); }
  [[nodiscard]] bool contains(const ConnectionId& id) const { return issued_.contains(key_of(id.bytes())); }
  [[nodiscard]] const CidRoute* find(Bytes dcid) const {
    if (dcid.size() != kLocalCidLength) return nullptr;
    const auto it = issued_.find(key_of(dcid));
    return it == issued_.end() ? nullptr : &it->second;
  }

  /// The connection IDs that clients choose for their first Initials. An ordered map, keyed by address too: an attacker
  /// who picks them can neither collide nor take over another client's entry.
  void add_initial(const ConnectionId& id, const SocketAddress& remote, std::uint32_t connection) {
    initial_[{id, remote}] = connection;
  }
  void remove_initial(const ConnectionId& id, const SocketAddress& remote) { initial_.erase({id, remote}); }
  [[nodiscard]] std::optional<std::uint32_t> find_initial(const ConnectionId& id, const SocketAddress& remote) const {
    const auto it = initial_.find({id, remote});
    return it == initial_.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  /// Ours are random, so their bytes are their hash.
  [[nodiscard]] static std::uint64_t key_of(Bytes id) {
    std::uint64_t key = 0;
    std::memcpy(&key, id.data(), sizeof(key));
    return key;
  }
  std::unordered_map<std::uint64_t, CidRoute> issued_;  // look-up only
  std::map<std::pair<ConnectionId, SocketAddress>, std::uint32_t> initial_;
};

}  // namespace mpquic
