// Certificate verification by trust anchors, by pinned keys, or not at all.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "stack/base/result.h"
#include "stack/crypto/evp.h"
#include "stack/crypto/tls_provider.h"

namespace mpquic {

/// Makes `context` verify its peers by `config`, which must outlive it. Refusals are told to their OpenSslSession.
[[nodiscard]] std::expected<void, std::string> install_trust(SSL_CTX& context, const TlsConfig& config);

/// RFC 1035 §2.3.4, as text without the dot at its end.
inline constexpr std::size_t kMaxHostName = 253;
/// Client: SNI, and the name or address that the certificate must bear. Fails where a name is needed and missing, or is
/// neither a host name nor an address; the zone of an IPv6 address is nothing that a certificate knows.
[[nodiscard]] Result<void> set_server_name(SSL& ssl, const TlsTrust& trust, std::string_view server_name);

/// SHA-256 of the certificate's SubjectPublicKeyInfo.
[[nodiscard]] SpkiFingerprint fingerprint_of(const X509& certificate);

}  // namespace mpquic
