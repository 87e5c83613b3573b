// Address validation tokens (RFC 9000 §8.1): Retry tokens prove one round trip, NEW_TOKEN tokens an earlier connection.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/address.h"
#include "stack/base/connection_id.h"
#include "stack/base/rng.h"
#include "stack/base/time.h"
#include "stack/conn/validated_addresses.h"
#include "stack/crypto/static_keys.h"

namespace mpquic {

/// RFC 9000 §8.1.3: Retry tokens live for moments, NEW_TOKEN tokens for a day.
inline constexpr Duration kRetryTokenLifetime = std::chrono::seconds(15);
inline constexpr Duration kNewTokenLifetime = std::chrono::hours(24);

struct RetryTokenContents {
  ConnectionId original_dcid;
  ConnectionId retry_scid;
};

/// What a client's token says about it.
struct ValidatedToken {
  std::optional<RetryTokenContents> retry;  // absent: it was a NEW_TOKEN token
};

enum class TokenVerdict : std::uint8_t {
  valid,
  useless,  // not ours, expired, or for another address: go on as if there were none (RFC 9000 §8.1.3)
  invalid,  // a Retry token that must end the attempt (RFC 9000 §8.1.2)
};

class AddressTokens {
 public:
  AddressTokens(const StaticKeys& keys, Rng& rng) : keys_(keys), rng_(rng) {}

  [[nodiscard]] std::vector<std::byte> make_retry(const SocketAddress& client, const RetryTokenContents& contents,
                                                  Instant now) const;
  /// For all of `validated`, or the last kMaxTokenAddresses of them.
  [[nodiscard]] std::vector<std::byte> make_new_token(std::span<const IpAddress> validated, Instant now) const;
  /// `out` is set where the verdict is valid.
  [[nodiscard]] TokenVerdict check(Bytes token, const SocketAddress& client, Instant now, ValidatedToken& out) const;

 private:
  const StaticKeys& keys_;
  Rng& rng_;
};

}  // namespace mpquic
