#include "tunnel/perf/engine.h"
#include "tunnel/perf/protocol.h"

#ifdef MPQUIC_HAVE_NGTCP2
#include "sim/peers/ngtcp2_endpoint.h"
#endif

namespace mpquic::perf {

#ifdef MPQUIC_HAVE_NGTCP2
namespace {

class Ngtcp2Engine final : public Engine {
 public:
  Ngtcp2Engine(peers::Ngtcp2Config config, std::string server_name, Rng& rng)
      : endpoint_(std::move(config), rng), server_name_(std::move(server_name)) {}

  [[nodiscard]] bool ready() const { return endpoint_.ready(); }
  Transport& transport() override { return endpoint_; }
  std::expected<ConnectionHandle, std::string> connect(const FourTuple& tuple, const Resumption& from,
                                                       Instant now) override {
    const auto connection = endpoint_.connect({.tuple = tuple, .server_name = server_name_, .token = from.token}, now);
    if (!connection) return std::unexpected("ngtcp2 refuses this configuration");
    return *connection;
  }
  std::expected<void, std::string> open_path(ConnectionHandle, const FourTuple&, Instant) override {
    return std::unexpected("the ngtcp2 engine has one path");
  }
  std::expected<void, std::string> migrate_path(ConnectionHandle, const SocketAddress&, Instant) override {
    return std::unexpected("the ngtcp2 engine does not migrate");
  }
  void update_keys(ConnectionHandle handle, Instant now) override {
    static_cast<void>(endpoint_.initiate_key_update(handle, now));  // refused: too early, and asked for once only
  }
  void take_resumption(ConnectionHandle, Resumption&) override {}

 private:
  peers::Ngtcp2Endpoint endpoint_;
  std::string server_name_;
};

[[nodiscard]] std::expected<std::unique_ptr<Engine>, std::string> make(peers::Ngtcp2Config config, std::string name,
                                                                       Rng& rng) {
  auto engine = std::make_unique<Ngtcp2Engine>(std::move(config), std::move(name), rng);
  if (!engine->ready()) return std::unexpected("ngtcp2 cannot use these certificates");
  return engine;
}

}  // namespace

std::expected<std::unique_ptr<Engine>, std::string> make_ngtcp2_server(const ServerOptions& options,
                                                                       const Credentials& credentials, Rng& rng) {
  peers::Ngtcp2Config config;
  config.connection = options.common.connection;
  config.alpn = {std::string(kHqAlpn), std::string(kPerfAlpn)};
  config.certificate_pem = credentials.certificate_pem;
  config.private_key_pem = credentials.key_pem;
  config.require_retry = options.retry;
  rng.fill(config.static_key);
  return make(std::move(config), {}, rng);
}

std::expected<std::unique_ptr<Engine>, std::string> make_ngtcp2_client(const ClientOptions& options,
                                                                       const Credentials& credentials, Rng& rng) {
  peers::Ngtcp2Config config;
  config.connection = options.common.connection;
  config.alpn = {options.alpn};
  config.ca_pem = credentials.ca_pem;
  rng.fill(config.static_key);
  return make(std::move(config), options.server_name, rng);
}

#else

std::expected<std::unique_ptr<Engine>, std::string> make_ngtcp2_server(const ServerOptions&, const Credentials&, Rng&) {
  return std::unexpected("this program was built without ngtcp2");
}

std::expected<std::unique_ptr<Engine>, std::string> make_ngtcp2_client(const ClientOptions&, const Credentials&, Rng&) {
  return std::unexpected("this program was built without ngtcp2");
}

#endif

}  // namespace mpquic::perf
