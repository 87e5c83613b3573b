// Packet protection under one key (RFC 9001 §5.3), in place, by what is fastest for the suite on this machine.
#pragma once

#include <utility>
#include <variant>

#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/crypto/evp_aead.h"
#include "stack/crypto/gcm_aead.h"
#include "stack/crypto/null_aead.h"
#include "stack/crypto/suite.h"

namespace mpquic {

class Aead {
 public:
  /// An absent key: only assignable and testable.
  Aead() = default;
  /// `key` has key_size_of(suite) bytes, `iv` kAeadIvSize.
  Aead(CipherSuite suite, AeadDirection direction, Bytes key, Bytes iv);
  /// Key and IV of `secret` by the labels of RFC 9001 §5.1.
  Aead(CipherSuite suite, AeadDirection direction, Bytes secret);
  /// What was moved from is absent.
  Aead(Aead&& other) noexcept { *this = std::move(other); }
  Aead& operator=(Aead&& other) noexcept;

  [[nodiscard]] explicit operator bool() const { return !std::holds_alternative<std::monostate>(cipher_); }

  /// Encrypts all of `payload` but its last kAeadTagSize bytes, which become the tag. `payload` may follow `header` in
  /// one buffer.
  void seal(PathId path, PacketNumber number, Bytes header, MutableBytes payload);
  [[nodiscard]] const AeadNonce& last_nonce() const { return last_nonce_; }
  /// The reverse. On false the bytes are destroyed.
  [[nodiscard]] bool open(PathId path, PacketNumber number, Bytes header, MutableBytes payload);

 private:
  void set_key(CipherSuite suite, AeadDirection direction, Bytes key, Bytes iv);

  std::variant<std::monostate, NullAead, GcmAead, EvpAead> cipher_;
  AeadNonce iv_{};
  AeadNonce last_nonce_{};  // of seal()
};

}  // namespace mpquic
