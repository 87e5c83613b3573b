// OpenSSL with randomness of our choosing: a library context of its own whose random generator asks an Rng.
#pragma once

#include "stack/base/rng.h"
#include "stack/crypto/evp.h"

namespace mpquic {

class SeededLibrary {
 public:
  /// OpenSSL's default provider, every random byte of which comes from `rng`. The Rng must outlive the library, and the
  /// library all that uses its context(), in one thread. Null where OpenSSL refuses.
  [[nodiscard]] static std::unique_ptr<SeededLibrary> make(Rng& rng);
  [[nodiscard]] OSSL_LIB_CTX* context() const { return context_.get(); }

 private:
  SeededLibrary() = default;
  LibCtxHandle context_;
  ProviderHandle generator_;  // unloaded before the context goes
  ProviderHandle algorithms_;
};

}  // namespace mpquic
