// The OpenSSL library context beneath a TLS provider, where the host's own would not do.
#pragma once

#include <memory>
#include <optional>

#include "stack/base/ids.h"
#include "stack/base/rng.h"
#include "stack/crypto/evp.h"

namespace mpquic {

class TlsLibrary {
 public:
  /// OpenSSL's default provider with what is wanted beside it: all randomness from `rng` (else OpenSSL's own), and, for
  /// clients where OpenSSL needs it, Handshake secrets in time (early_secret.h). The Rng outlives the library, and the
  /// library all that uses its context(). Null where OpenSSL refuses.
  [[nodiscard]] static std::unique_ptr<TlsLibrary> make(Role role, Rng* rng);
  /// Whether there is a reason to have one.
  [[nodiscard]] static bool is_needed(Role role, const Rng* rng);

  [[nodiscard]] OSSL_LIB_CTX* context() const { return context_.get(); }
  /// For SSL_CTX_new_ex(); may be null.
  [[nodiscard]] const char* properties() const { return properties_; }

 private:
  TlsLibrary() = default;
  LibCtxHandle context_;
  ProviderHandle generator_;  // unloaded before the context goes
  ProviderHandle algorithms_;
  ProviderHandle early_secret_;
  const char* properties_ = nullptr;
};

}  // namespace mpquic
