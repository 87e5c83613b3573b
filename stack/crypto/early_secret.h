// The client's Handshake secret when ServerHello is processed. OpenSSL before 3.5 derives it only for the client's own
// flight, after all of the server's; until then a QUIC client could acknowledge nothing of that (docs/adr/0004).
//
// A provider of ours stands before OpenSSL's TLS13-KDF and passes every call on. When it has derived the server's
// secret, all that the client's needs is in place: it derives that too, from the same input.
#pragma once

#include "stack/crypto/evp.h"
#include "stack/crypto/tls_session.h"

namespace mpquic {

/// For SSL_CTX_new_ex(): prefers our KDF where there is one.
inline constexpr const char* kEarlySecretProperties = "?provider=mpquic-early-secret";

/// Loads the provider into `library`, which has the default provider. Null where OpenSSL refuses.
[[nodiscard]] ProviderHandle load_early_secret_provider(OSSL_LIB_CTX& library);

/// While it lives, a client's Handshake secret that OpenSSL derives in this thread goes into `secret`.
class EarlySecretCapture {
 public:
  explicit EarlySecretCapture(TrafficSecret& secret);
  EarlySecretCapture(const EarlySecretCapture&) = delete;
  EarlySecretCapture& operator=(const EarlySecretCapture&) = delete;
  ~EarlySecretCapture();

 private:
  TrafficSecret* before_;
};

}  // namespace mpquic
