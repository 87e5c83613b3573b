// What runs on a simulated host: a Transport, and how to make it connect. The project's own endpoint is one engine,
// other implementations (sim/peers) are others.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string_view>

#include "stack/base/rng.h"
#include "stack/conn/config.h"
#include "stack/crypto/tls_session.h"
#include "stack/endpoint/transport.h"
#include "stack/trace/sink.h"

namespace mpquic::sim {

struct EngineSetup {
  Role role = Role::client;
  ConnectionConfig connection;
  bool require_retry = false;  // server
  std::shared_ptr<TlsProvider> tls;
  Rng* rng = nullptr;                            // outlives the engine
  trace::SinkFactory* trace = nullptr;           // outlives the engine
  std::function<void(std::string_view)> keylog;  // lines of an NSS key log, for an engine with TLS of its own
  std::uint64_t seed = 0;                        // for an engine with randomness of its own
  std::array<std::byte, 32> static_key{};        // all zero: drawn. Equal ones make "the same host, restarted"
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;
  [[nodiscard]] virtual Transport& transport() = 0;
  /// Client.
  [[nodiscard]] virtual ConnectionHandle connect(const FourTuple& tuple, Instant now) = 0;
  /// Client: opens a further path. The reason if that cannot work, empty if it may.
  [[nodiscard]] virtual std::string_view open_path(ConnectionHandle, const FourTuple& tuple, Instant now) = 0;
  virtual void abandon_path(ConnectionHandle, PathId, Instant now) = 0;
  virtual void set_path_status(ConnectionHandle, PathId, bool available) = 0;
  /// Client: RFC 9000 §9.2, to another local port or address.
  virtual void migrate_path(ConnectionHandle, PathId, const SocketAddress& local, Instant now) = 0;
  /// RFC 9001 §6, as soon as the rules allow it.
  virtual void initiate_key_update(ConnectionHandle, Instant /*now*/) {}
};

using EngineFactory = std::function<std::unique_ptr<Engine>(const EngineSetup&)>;

/// The project's own stack.
[[nodiscard]] std::unique_ptr<Engine> make_native_engine(const EngineSetup& setup);

}  // namespace mpquic::sim
