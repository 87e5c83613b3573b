// A client and a server that have just been told to connect, with an application each.
#pragma once

#include <memory>
#include <optional>

#include "tests/interop/app.h"
#include "tests/interop/network.h"
#include "tests/interop/peer.h"

namespace mpquic::interop {

enum class WireKind : std::uint8_t { simulated, udp };

struct Engines {
  EngineKind client;
  EngineKind server;
};

struct Plan {
  WireKind wire = WireKind::simulated;
  Conditions conditions;  // of a simulated wire
  PeerOptions client;
  PeerOptions server;
  std::uint64_t reply_bytes = 0;
  std::uint64_t seed = 1;
};

class Session {
 public:
  Session(const Engines& engines, Plan plan);

  /// The server forgets everything but its static key.
  void restart_server();
  /// Whether both sides are done with the handshake in time.
  [[nodiscard]] bool establish();

  [[nodiscard]] Wire& wire() { return *wire_; }
  /// The simulated wire, or nullptr.
  [[nodiscard]] Network* network() { return network_; }
  [[nodiscard]] Peer& client() { return *client_; }
  [[nodiscard]] Peer& server() { return *server_; }
  [[nodiscard]] App& client_app() { return *client_app_; }
  [[nodiscard]] App& server_app() { return *server_app_; }

 private:
  Plan plan_;
  EngineKind server_kind_;
  SeededRng client_rng_;
  SeededRng server_rng_;
  std::unique_ptr<Peer> client_;
  std::unique_ptr<Peer> server_;
  std::optional<App> client_app_;
  std::optional<App> server_app_;
  Network* network_ = nullptr;
  std::unique_ptr<Wire> wire_;
};

}  // namespace mpquic::interop
