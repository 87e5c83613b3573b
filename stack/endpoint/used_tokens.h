// Which NEW_TOKEN tokens were used before: RFC 9000 §8.1.4 wants replays limited (docs/adr/0013).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/time.h"
#include "stack/crypto/static_keys.h"
#include "stack/endpoint/address_token.h"

namespace mpquic {

/// Two Bloom filters that take turns, each for as long as a token lives: a use is remembered until its token has
/// expired. Whatever goes wrong costs a round trip, never a second use: a token that looks used is of no use, and so
/// are all once the filter of this turn is full.
class UsedTokens {
 public:
  explicit UsedTokens(const StaticKeys& keys) : keys_(keys) {}

  /// Whether this is the token's first use; from now on it is not.
  [[nodiscard]] bool take(Bytes token, Instant now);

  /// Uses per turn. Below, fewer than one in a thousand fresh tokens look used.
  static constexpr std::size_t kCapacity = std::size_t{1} << 17;

 private:
  static constexpr std::size_t kBits = 16 * kCapacity;  // 256 kB each, from the first token on
  static constexpr std::size_t kProbes = 8;
  static constexpr std::size_t kWordBits = 64;
  using Filter = std::vector<std::uint64_t>;

  void turn_over(Instant now);
  [[nodiscard]] static bool contains(const Filter& filter, std::uint64_t hash);
  static void insert(Filter& filter, std::uint64_t hash);

  const StaticKeys& keys_;
  Filter current_;
  Filter previous_;
  std::size_t uses_ = 0;  // in current_
  Deadline turn_ends_;
};

}  // namespace mpquic
