#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "stack/base/address.h"

namespace mpquic {

/// draft-21 §3.1.3: a token covers all validated addresses; this many fit, the latest ones.
inline constexpr std::size_t kMaxTokenAddresses = 8;
/// The longest token that a client takes from a server, by Retry or NEW_TOKEN: its first Initials have to carry it and
/// still have room for the ClientHello (RFC 9000 §14.1).
inline constexpr std::size_t kMaxAddressToken = 1000;
/// NEW_TOKENs of one connection: a peer that keeps changing addresses gets no more.
inline constexpr std::size_t kMaxNewTokens = 16;

/// Server: where this connection's client has proved to be, least recently proved first.
class ValidatedAddresses {
 public:
  /// Whether it is a new one.
  bool add(const IpAddress& ip) {
    const auto known = std::ranges::find(addresses_, ip);
    const bool fresh = known == addresses_.end();
    if (!fresh) addresses_.erase(known);
    if (addresses_.size() == kMaxTokenAddresses) addresses_.erase(addresses_.begin());
    addresses_.push_back(ip);
    return fresh;
  }
  [[nodiscard]] std::span<const IpAddress> all() const { return addresses_; }

 private:
  std::vector<IpAddress> addresses_;
};

}  // namespace mpquic
