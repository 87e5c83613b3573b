// The TLS seam. The session is sans-IO too: handshake bytes in, events out (RFC 9001 §4).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/base/result.h"

namespace mpquic {

/// TLS 1.3 code points (RFC 8446 §B.4). `null` protects nothing: only the simulator's own TlsProvider emits it.
enum class CipherSuite : std::uint16_t {
  null = 0,
  aes_128_gcm_sha256 = 0x1301,
  aes_256_gcm_sha384 = 0x1302,
  chacha20_poly1305_sha256 = 0x1303,
};

/// A traffic secret: 32 bytes, or 48 with SHA-384. No copy outlives its owner: all of them are wiped.
struct TrafficSecret {
  std::array<std::byte, 48> bytes{};
  std::size_t size = 0;
  ~TrafficSecret();
  [[nodiscard]] Bytes view() const { return Bytes(bytes).first(size); }
};

struct TlsHandshakeData {
  EncryptionLevel level = EncryptionLevel::initial;
  Bytes data;
};  // valid until the next call
struct TlsSecretReady {
  EncryptionLevel level = EncryptionLevel::handshake;
  bool write = false;
  CipherSuite suite = CipherSuite::aes_128_gcm_sha256;
  TrafficSecret secret;
};
struct TlsPeerParameters {
  Bytes encoded;
};  // transport parameters, RFC 9001 §8.2; valid until the next call
struct TlsCompleted {
  std::string alpn;
  bool resumed = false;
};
struct TlsTicket {
  std::vector<std::byte> session;
};  // client: for TlsSessionOptions::ticket of a later connection
using TlsEvent = std::variant<TlsHandshakeData, TlsSecretReady, TlsPeerParameters, TlsCompleted, TlsTicket>;

/// Contract: start() once (client only), then receive() in stream order per level; after each, poll_event() until it
/// gives nothing. Errors are final: CRYPTO_ERRORs (0x100 + alert), or PROTOCOL_VIOLATION where QUIC says so; their
/// reasons live as long as the session. Who owns the session ends it, and never from within one of its calls.
class TlsSession {
 public:
  TlsSession() = default;
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  virtual ~TlsSession() = default;
  [[nodiscard]] virtual Result<void> start() = 0;
  [[nodiscard]] virtual Result<void> receive(EncryptionLevel level, Bytes data) = 0;
  [[nodiscard]] virtual std::optional<TlsEvent> poll_event() = 0;
};

struct TlsSessionOptions {
  Role role = Role::client;
  std::string server_name;            // client: SNI, and the name to verify
  std::vector<std::byte> parameters;  // our encoded transport parameters
  Bytes ticket;                       // client: session to resume, or empty
};

/// Makes sessions that share certificates, trust and ticket keys. Shared by all connections of an endpoint.
class TlsProvider {
 public:
  TlsProvider() = default;
  TlsProvider(const TlsProvider&) = delete;
  TlsProvider& operator=(const TlsProvider&) = delete;
  virtual ~TlsProvider() = default;
  /// Fails where OpenSSL lacks resources, or `options` do not fit the provider: `reason` says what to change. A ticket
  /// that does not parse or belongs elsewhere is ignored.
  [[nodiscard]] virtual Result<std::unique_ptr<TlsSession>> make_session(const TlsSessionOptions& options) = 0;
};

}  // namespace mpquic
