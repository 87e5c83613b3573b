// Secrets that an endpoint keeps across connections, all from one static key: stateless reset and address tokens.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/connection_id.h"
#include "stack/base/rng.h"
#include "stack/crypto/siphash.h"

namespace mpquic {

/// Whether two byte strings are equal, in a time that depends on their sizes only.
[[nodiscard]] bool constant_time_equal(Bytes a, Bytes b);

class StaticKeys {
 public:
  explicit StaticKeys(const std::array<std::byte, 32>& key);

  /// RFC 9000 §10.3.2: a function of the connection ID, so that no state is needed to recompute it.
  [[nodiscard]] StatelessResetToken reset_token(const ConnectionId& id) const;

  /// A keyed hash for look-ups by what strangers send (reset tokens, RFC 9000 §10.3.1).
  [[nodiscard]] std::uint64_t index_of(Bytes bytes) const { return SipHash(index_key_).of(bytes); }

  /// What seal_token() adds to its plaintext.
  static constexpr std::size_t kTokenOverhead = 12 + 16;
  /// Encrypts and authenticates `plain`, and authenticates `aad` (an address, say) with it (RFC 9000 §8.1.4).
  [[nodiscard]] std::vector<std::byte> seal_token(Bytes plain, Bytes aad, Rng& rng) const;
  /// nullopt: not a token of ours, or for another `aad`.
  [[nodiscard]] std::optional<std::vector<std::byte>> open_token(Bytes token, Bytes aad) const;

 private:
  std::array<std::byte, 32> reset_key_{};
  std::array<std::byte, 32> token_key_{};
  SipKey index_key_{};
};

}  // namespace mpquic
