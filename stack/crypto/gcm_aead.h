// AES-GCM by Intel's Multi-Buffer library (docs/adr/0012): a packet is one call, without EVP's parameters and look-ups.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "stack/base/bytes.h"
#include "stack/crypto/suite.h"

namespace mpquic {

class GcmAead {
 public:
  /// Nothing for other ciphers, without the library (MPQUIC_WITH_IPSEC_MB), or on a processor without AES instructions.
  [[nodiscard]] static std::optional<GcmAead> make(CipherSuite suite, Bytes key);

  /// In place. `tag` is written.
  void seal(const AeadNonce& nonce, Bytes header, MutableBytes plain, MutableBytes tag) const;
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes header, MutableBytes sealed, Bytes tag) const;

 private:
  struct Key;
  struct Erase {
    void operator()(Key* key) const noexcept;
  };
  explicit GcmAead(std::unique_ptr<Key, Erase> key) : key_(std::move(key)) {}

  std::unique_ptr<Key, Erase> key_;
};

}  // namespace mpquic
