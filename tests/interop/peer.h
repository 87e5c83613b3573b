// Either engine behind one face: what the tests do beyond Transport.
#pragma once

#include <memory>
#include <string>

#include "stack/base/rng.h"
#include "stack/conn/config.h"
#include "stack/endpoint/transport.h"

namespace mpquic::interop {

enum class EngineKind : std::uint8_t { native, ngtcp2 };

struct PeerOptions {
  Role role = Role::client;
  ConnectionConfig connection;
  bool require_retry = false;
  std::uint32_t version = 1;  // of the client's first flight
  std::array<std::byte, 32> static_key{};
};

class Peer {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;
  [[nodiscard]] virtual Transport& transport() = 0;
  [[nodiscard]] virtual ConnectionHandle connect(const FourTuple& tuple, Instant now) = 0;
  [[nodiscard]] virtual bool migrate(ConnectionHandle, const SocketAddress& local, Instant now) = 0;
  /// False where it is too early to ask.
  [[nodiscard]] virtual bool update_key(ConnectionHandle, Instant now) = 0;
};

[[nodiscard]] std::unique_ptr<Peer> make_native_peer(const PeerOptions& options, Rng& rng);
[[nodiscard]] std::unique_ptr<Peer> make_ngtcp2_peer(const PeerOptions& options, Rng& rng);
[[nodiscard]] inline std::unique_ptr<Peer> make_peer(EngineKind kind, const PeerOptions& options, Rng& rng) {
  return kind == EngineKind::native ? make_native_peer(options, rng) : make_ngtcp2_peer(options, rng);
}

/// A certificate for "localhost" and its key, the same in every test.
struct TestIdentity {
  std::string certificate_pem;
  std::string private_key_pem;
};
[[nodiscard]] const TestIdentity& test_identity();

inline constexpr std::string_view kAlpn = "interop";

}  // namespace mpquic::interop
