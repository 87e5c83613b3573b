// Packet protection under one key (RFC 9001 §5.3), in place, with one reused cipher context.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/crypto/evp.h"
#include "stack/crypto/suite.h"

namespace mpquic {

using AeadNonce = std::array<std::uint8_t, kAeadIvSize>;

enum class AeadDirection : std::uint8_t { seal, open };

class Aead {
 public:
  /// An absent key: only assignable and testable.
  Aead() = default;
  /// `key` has key_size_of(suite) bytes, `iv` kAeadIvSize.
  Aead(CipherSuite suite, AeadDirection direction, Bytes key, Bytes iv);
  /// Key and IV of `secret` by the labels of RFC 9001 §5.1.
  Aead(CipherSuite suite, AeadDirection direction, Bytes secret);

  [[nodiscard]] explicit operator bool() const { return context_ != nullptr || null_seed_; }

  /// Encrypts all of `payload` but its last kAeadTagSize bytes, which become the tag. `payload` may follow `header` in
  /// one buffer.
  void seal(PathId path, PacketNumber number, Bytes header, MutableBytes payload);
  [[nodiscard]] const AeadNonce& last_nonce() const { return last_nonce_; }
  /// The reverse. On false the bytes are destroyed.
  [[nodiscard]] bool open(PathId path, PacketNumber number, Bytes header, MutableBytes payload);

 private:
  void set_key(CipherSuite suite, AeadDirection direction, Bytes key, Bytes iv);

  CipherCtxHandle context_;
  std::optional<std::uint64_t> null_seed_;  // instead, for the null suite: what tells its keys apart
  AeadNonce iv_{};
  AeadNonce last_nonce_{};  // of seal()
};

}  // namespace mpquic
