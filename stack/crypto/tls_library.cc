#include "stack/crypto/tls_library.h"

#include <openssl/opensslv.h>

#include "stack/crypto/early_secret.h"
#include "stack/crypto/tls_random.h"

namespace mpquic {
namespace {

/// OpenSSL 3.5 gives all secrets as soon as QUIC may have them.
constexpr bool kSecretsComeLate = OPENSSL_VERSION_NUMBER < 0x30500000L;

bool wants_early_secret(Role role) { return kSecretsComeLate && role == Role::client; }

}  // namespace

bool TlsLibrary::is_needed(Role role, const Rng* rng) { return rng != nullptr || wants_early_secret(role); }

std::unique_ptr<TlsLibrary> TlsLibrary::make(Role role, Rng* rng) {
  std::unique_ptr<TlsLibrary> library(new TlsLibrary);
  library->context_.reset(OSSL_LIB_CTX_new());
  OSSL_LIB_CTX* context = library->context_.get();
  if (context == nullptr) return nullptr;
  library->algorithms_.reset(OSSL_PROVIDER_load(context, "default"));
  if (library->algorithms_ == nullptr) return nullptr;
  if (rng != nullptr) {
    library->generator_ = load_seeded_generator(*context, *rng);
    if (library->generator_ == nullptr) return nullptr;
  }
  if (wants_early_secret(role)) {
    library->early_secret_ = load_early_secret_provider(*context);
    if (library->early_secret_ == nullptr) return nullptr;
    library->properties_ = kEarlySecretProperties;
  }
  return library;
}

}  // namespace mpquic
