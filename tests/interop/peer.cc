#include "tests/interop/peer.h"

#include "sim/peers/ngtcp2_endpoint.h"
#include "stack/base/check.h"
#include "stack/crypto/certificate.h"
#include "stack/crypto/tls_provider.h"
#include "stack/endpoint/endpoint.h"

namespace mpquic::interop {
namespace {

class NativePeer final : public Peer {
 public:
  NativePeer(const PeerOptions& options, Rng& rng) : version_(options.version), endpoint_(make_config(options), rng) {
    TlsConfig client;
    client.role = Role::client;
    client.alpn = {std::string(kAlpn)};
    client.trust.ca_pem = test_identity().certificate_pem;
    client_tls_ = make_tls_provider(client).value();
  }

  Transport& transport() override { return endpoint_; }
  ConnectionHandle connect(const FourTuple& tuple, Instant now) override {
    ConnectOptions options;
    options.tuple = tuple;
    options.server_name = "localhost";
    options.tls = client_tls_;
    options.version = version_;
    return endpoint_.connect(options, now).value();
  }
  bool migrate(ConnectionHandle handle, const SocketAddress& local, Instant now) override {
    return endpoint_.migrate_path(handle, kInitialPath, local, now).has_value();
  }
  bool update_key(ConnectionHandle handle, Instant) override {
    endpoint_.initiate_key_update(handle);
    return true;
  }

 private:
  [[nodiscard]] static EndpointConfig make_config(const PeerOptions& options) {
    EndpointConfig config;
    config.connection = options.connection;
    config.require_retry = options.require_retry;
    config.static_key = options.static_key;
    if (options.role == Role::server) {
      TlsConfig server;
      server.role = Role::server;
      server.alpn = {std::string(kAlpn)};
      server.certificate_chain_pem = test_identity().certificate_pem;
      server.private_key_pem = test_identity().private_key_pem;
      config.server_tls = make_tls_provider(server).value();
    }
    return config;
  }

  std::uint32_t version_;
  std::shared_ptr<TlsProvider> client_tls_;
  Endpoint endpoint_;
};

class Ngtcp2Peer final : public Peer {
 public:
  Ngtcp2Peer(const PeerOptions& options, Rng& rng) : version_(options.version), endpoint_(make_config(options), rng) {
    MPQUIC_CHECK(endpoint_.ready());
  }

  Transport& transport() override { return endpoint_; }
  ConnectionHandle connect(const FourTuple& tuple, Instant now) override {
    return endpoint_.connect({.tuple = tuple, .server_name = "localhost", .version = version_, .token = {}}, now)
        .value();
  }
  bool migrate(ConnectionHandle handle, const SocketAddress& local, Instant now) override {
    return endpoint_.migrate(handle, local, now);
  }
  bool update_key(ConnectionHandle handle, Instant now) override { return endpoint_.initiate_key_update(handle, now); }

 private:
  [[nodiscard]] static peers::Ngtcp2Config make_config(const PeerOptions& options) {
    peers::Ngtcp2Config config;
    config.connection = options.connection;
    config.alpn = {std::string(kAlpn)};
    config.require_retry = options.require_retry;
    config.static_key = options.static_key;
    if (options.role == Role::server) {
      config.certificate_pem = test_identity().certificate_pem;
      config.private_key_pem = test_identity().private_key_pem;
    } else {
      config.ca_pem = test_identity().certificate_pem;
    }
    return config;
  }

  std::uint32_t version_;
  peers::Ngtcp2Endpoint endpoint_;
};

}  // namespace

std::unique_ptr<Peer> make_native_peer(const PeerOptions& options, Rng& rng) {
  return std::make_unique<NativePeer>(options, rng);
}
std::unique_ptr<Peer> make_ngtcp2_peer(const PeerOptions& options, Rng& rng) {
  return std::make_unique<Ngtcp2Peer>(options, rng);
}

const TestIdentity& test_identity() {
  static const TestIdentity identity = [] {
    SeededRng rng(1);
    const auto made = make_self_signed({}, rng);
    MPQUIC_CHECK(made.has_value());
    return TestIdentity{made->certificate_pem, made->private_key_pem};
  }();
  return identity;
}

}  // namespace mpquic::interop
