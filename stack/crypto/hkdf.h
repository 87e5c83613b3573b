// HKDF (RFC 5869) and TLS 1.3's HKDF-Expand-Label (RFC 8446 §7.1), as RFC 9001 §5.1 uses them.
#pragma once

#include <string_view>

#include "stack/base/bytes.h"
#include "stack/crypto/suite.h"
#include "stack/crypto/tls_session.h"

namespace mpquic {

[[nodiscard]] TrafficSecret hkdf_extract(HashAlgorithm hash, Bytes salt, Bytes input);
/// Fills all of `out`. `label` without the "tls13 " prefix; the context is empty, as everywhere in RFC 9001.
void hkdf_expand_label(HashAlgorithm hash, Bytes secret, std::string_view label, MutableBytes out);
/// A secret of the hash's size: the next generation of a key update ("quic ku"), or an initial secret.
[[nodiscard]] TrafficSecret hkdf_expand_secret(HashAlgorithm hash, Bytes secret, std::string_view label);

}  // namespace mpquic
