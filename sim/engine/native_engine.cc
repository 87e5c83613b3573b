#include "sim/engine/engine.h"
#include "stack/endpoint/endpoint.h"

namespace mpquic::sim {
namespace {

class NativeEngine final : public Engine {
 public:
  explicit NativeEngine(const EngineSetup& setup) : tls_(setup.tls), endpoint_(config_of(setup), *setup.rng) {}

  [[nodiscard]] Transport& transport() override { return endpoint_; }
  [[nodiscard]] ConnectionHandle connect(const FourTuple& tuple, Instant now) override {
    // The scenario's loader has validated it all.
    return endpoint_.connect({.tuple = tuple, .server_name = "localhost", .tls = tls_, .ticket = {}, .token = {}}, now)
        .value();
  }
  [[nodiscard]] std::string_view open_path(ConnectionHandle connection, const FourTuple& tuple, Instant now) override {
    const auto opened = endpoint_.open_path(connection, tuple, now);
    return opened ? std::string_view{} : name_of(opened.error());
  }
  void abandon_path(ConnectionHandle connection, PathId path, Instant now) override {
    endpoint_.abandon_path(connection, path, error::kApplicationAbandonPath, now);
  }
  void set_path_status(ConnectionHandle connection, PathId path, bool available) override {
    endpoint_.set_path_status(connection, path, available);
  }
  void migrate_path(ConnectionHandle connection, PathId path, const SocketAddress& local, Instant now) override {
    static_cast<void>(endpoint_.migrate_path(connection, path, local, now));
  }
  void initiate_key_update(ConnectionHandle connection, Instant /*now*/) override {
    endpoint_.initiate_key_update(connection);
  }

 private:
  [[nodiscard]] static EndpointConfig config_of(const EngineSetup& setup) {
    EndpointConfig config;
    config.connection = setup.connection;
    config.require_retry = setup.require_retry;
    config.trace = setup.trace;
    config.static_key = setup.static_key;
    if (setup.role == Role::server) config.server_tls = setup.tls;
    return config;
  }
  std::shared_ptr<TlsProvider> tls_;
  Endpoint endpoint_;
};

}  // namespace

std::unique_ptr<Engine> make_native_engine(const EngineSetup& setup) { return std::make_unique<NativeEngine>(setup); }

}  // namespace mpquic::sim
