// A handshake without cryptography, for simulations that need speed more than secrecy. Four messages of its own carry
// the transport parameters as CRYPTO data on the same levels, in the same order and with the same key events as
// TLS 1.3:
//
//   client_hello  (initial)  alpn, transport parameters  -->
//                            <--  server_hello (initial);  finished (handshake) alpn, transport parameters
//   finished      (handshake)                             -->
//
// All secrets carry CipherSuite::null. Anyone can read and forge everything.
#pragma once

#include <memory>
#include <string>

#include "stack/crypto/tls_session.h"

namespace mpquic::sim {

/// For both roles; the server takes any client that names the same protocol.
[[nodiscard]] std::shared_ptr<TlsProvider> make_null_tls_provider(std::string alpn, std::size_t chain_bytes = 0);

}  // namespace mpquic::sim
