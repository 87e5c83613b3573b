// The null suite of simulations: plaintext with a check value.
#pragma once

#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/crypto/suite.h"

namespace mpquic {

class NullAead {
 public:
  /// The key is what tells two keys apart.
  explicit NullAead(Bytes key);
  void seal(const AeadNonce& nonce, Bytes header, Bytes plain, MutableBytes tag) const;
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes header, Bytes sealed, Bytes tag) const;

 private:
  std::uint64_t seed_;
};

}  // namespace mpquic
