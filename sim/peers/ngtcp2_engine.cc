#include "sim/peers/ngtcp2_engine.h"

#include "sim/base/random_streams.h"
#include "sim/peers/ngtcp2_endpoint.h"
#include "stack/base/check.h"
#include "stack/crypto/certificate.h"

namespace mpquic::peers {
namespace {

constexpr std::string_view kAlpn = "mpquic-sim";

class Ngtcp2Engine final : public sim::Engine {
 public:
  explicit Ngtcp2Engine(const sim::EngineSetup& setup) : endpoint_(config_of(setup), *setup.rng) {
    MPQUIC_CHECK(endpoint_.ready());
  }

  [[nodiscard]] Transport& transport() override { return endpoint_; }
  [[nodiscard]] ConnectionHandle connect(const FourTuple& tuple, Instant now) override {
    const auto connection =
        endpoint_.connect({.tuple = tuple, .server_name = "localhost", .version = 1, .token = {}}, now);
    MPQUIC_CHECK(connection.has_value());
    return *connection;
  }
  [[nodiscard]] std::string_view open_path(ConnectionHandle, const FourTuple&, Instant) override {
    return "ngtcp2 has one path: --set endpoints.multipath=off";
  }
  void abandon_path(ConnectionHandle, PathId, Instant) override {}
  void set_path_status(ConnectionHandle, PathId, bool) override {}
  void migrate_path(ConnectionHandle connection, PathId, const SocketAddress& local, Instant now) override {
    static_cast<void>(endpoint_.migrate(connection, local, now));
  }
  void initiate_key_update(ConnectionHandle connection, Instant now) override {
    static_cast<void>(endpoint_.initiate_key_update(connection, now));
  }

 private:
  [[nodiscard]] static Ngtcp2Config config_of(const sim::EngineSetup& setup) {
    Ngtcp2Config config;
    config.connection = setup.connection;
    config.alpn = {std::string(kAlpn)};
    config.require_retry = setup.require_retry;
    config.static_key = setup.static_key;
    config.keylog = setup.keylog;
    if (setup.role == Role::server) {
      SeededRng rng(setup.seed, sim::stream_of(sim::Purpose::certificate));  // the one that our client has pinned
      const auto identity = make_self_signed({}, rng);
      MPQUIC_CHECK(identity.has_value());
      config.certificate_pem = identity->certificate_pem;
      config.private_key_pem = identity->private_key_pem;
    }
    return config;
  }

  Ngtcp2Endpoint endpoint_;
};

}  // namespace

std::unique_ptr<sim::Engine> make_ngtcp2_engine(const sim::EngineSetup& setup) {
  return std::make_unique<Ngtcp2Engine>(setup);
}

}  // namespace mpquic::peers
