// TLS 1.3 for QUIC over OpenSSL (RFC 9001 §4): 3.5 by its QUIC callbacks, 3.0 by TLS records around CRYPTO bytes.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/rng.h"
#include "stack/crypto/tls_session.h"

namespace mpquic {

/// SHA-256 of a DER-encoded SubjectPublicKeyInfo.
using SpkiFingerprint = std::array<std::byte, 32>;

/// Whom to believe. Verification is on unless `insecure` says otherwise.
struct TlsTrust {
  std::string ca_pem{};  // certificates that may end a chain, PEM
  /// The peer's own key must be one of these. With `ca_pem` as well both must hold; without it the pin stands alone:
  /// neither chain nor name nor dates matter.
  std::vector<SpkiFingerprint> pins{};
  bool insecure = false;    // believe anybody: tests and measurements only
  bool verify_name = true;  // client with `ca_pem`: the certificate must name TlsSessionOptions::server_name
  [[nodiscard]] bool empty() const { return ca_pem.empty() && pins.empty() && !insecure; }
};

struct TlsConfig {
  Role role = Role::client;
  std::vector<std::string> alpn;      // in order of preference; at least one (RFC 9001 §8.1)
  std::string certificate_chain_pem;  // leaf first; a server needs it, a client may have one
  std::string private_key_pem;
  TlsTrust trust;  // a client needs it; a server only if it requires client certificates
  bool require_client_certificate = false;
  /// Unix seconds that verification and sessions take for the time: equal seeds then give equal handshakes.
  std::optional<std::int64_t> fixed_time;
  std::vector<CipherSuite> cipher_suites = {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
                                            CipherSuite::chacha20_poly1305_sha256};
  std::string groups = "X25519:P-256";
  std::size_t ticket_count = 2;  // server: session tickets per full handshake
  bool resumption = true;
  std::function<void(std::string_view)> keylog;  // lines of the NSS key log, without the newline
  /// The source of everything random in TLS; nullptr: OpenSSL's own. Must outlive the provider and its sessions, which
  /// then belong to one thread.
  Rng* randomness = nullptr;
};

/// On failure one line that says what to change.
[[nodiscard]] std::expected<std::shared_ptr<TlsProvider>, std::string> make_tls_provider(const TlsConfig& config);

}  // namespace mpquic
