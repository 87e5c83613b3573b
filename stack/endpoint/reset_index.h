// Which connection a stateless reset ends: by the token at the end of the datagram (RFC 9000 §10.3.1).
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "stack/base/connection_id.h"
#include "stack/crypto/static_keys.h"

namespace mpquic {

/// One look-up per datagram, however many connections there are. It goes by a keyed hash, so that its timing tells
/// nothing about the tokens; the connection that is found compares in constant time.
class ResetIndex {
 public:
  explicit ResetIndex(const StaticKeys& keys) : keys_(keys) {}

  /// Of connections with the same token (their peer broke §10.3.2) only the first counts.
  void add(const StatelessResetToken& token, std::uint32_t connection) { slots_.emplace(key_of(token), connection); }
  void remove(const StatelessResetToken& token, std::uint32_t connection) {
    const auto it = slots_.find(key_of(token));
    if (it != slots_.end() && it->second == connection) slots_.erase(it);
  }
  [[nodiscard]] std::optional<std::uint32_t> find(Bytes token) const {
    if (slots_.empty()) return std::nullopt;
    const auto it = slots_.find(key_of(token));
    return it == slots_.end() ? std::nullopt : std::optional(it->second);
  }
  [[nodiscard]] std::size_t size() const { return slots_.size(); }

 private:
  [[nodiscard]] std::uint64_t key_of(Bytes token) const { return keys_.index_of(token); }

  const StaticKeys& keys_;
  std::unordered_map<std::uint64_t, std::uint32_t> slots_;  // look-up only
};

}  // namespace mpquic
