// Randomness of our choosing for OpenSSL: a library context whose random generator asks an Rng.
#pragma once

#include "stack/base/rng.h"
#include "stack/crypto/evp.h"

namespace mpquic {

/// Loads a generator into `library` that takes every random byte from `rng`, which outlives the library; all that uses
/// it then belongs to one thread. To be called before anything asks the library for randomness. Null where OpenSSL
/// refuses.
[[nodiscard]] ProviderHandle load_seeded_generator(OSSL_LIB_CTX& library, Rng& rng);

}  // namespace mpquic
