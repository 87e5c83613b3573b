// Certificate verification by trust anchors, by pinned keys, or not at all.
#pragma once

#include <expected>
#include <string>

#include "stack/crypto/evp.h"
#include "stack/crypto/tls_provider.h"

namespace mpquic {

/// Makes `context` verify its peers by `config`, which must outlive it.
[[nodiscard]] std::expected<void, std::string> install_trust(SSL_CTX& context, const TlsConfig& config);

/// Client: SNI, and the name that the certificate must bear. False where a name is needed and missing, or not a name.
[[nodiscard]] bool set_server_name(SSL& ssl, const TlsTrust& trust, const std::string& server_name);

/// SHA-256 of the certificate's SubjectPublicKeyInfo.
[[nodiscard]] SpkiFingerprint fingerprint_of(const X509& certificate);

}  // namespace mpquic
