// AEADs by OpenSSL's EVP: every suite, on every processor.
#pragma once

#include "stack/base/bytes.h"
#include "stack/crypto/evp.h"
#include "stack/crypto/suite.h"

namespace mpquic {

class EvpAead {
 public:
  /// Not the null suite.
  EvpAead(CipherSuite suite, AeadDirection direction, Bytes key);
  /// In place. `tag` is written.
  void seal(const AeadNonce& nonce, Bytes header, MutableBytes plain, MutableBytes tag);
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes header, MutableBytes sealed, MutableBytes tag);

 private:
  CipherCtxHandle context_;
};

}  // namespace mpquic
