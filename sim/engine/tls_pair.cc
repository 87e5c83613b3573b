#include "sim/engine/tls_pair.h"

#include "sim/base/random_streams.h"
#include "sim/engine/null_tls.h"
#include "stack/crypto/certificate.h"
#include "stack/crypto/tls_provider.h"

namespace mpquic::sim {
namespace {

constexpr std::string_view kAlpn = "mpquic-sim";
/// 2024-01-01: the time of every simulated handshake.
constexpr std::int64_t kVerificationTime = 1704067200;

[[nodiscard]] std::expected<void, std::string> make_real(TlsPair& pair, std::uint64_t seed, std::size_t chain_bytes,
                                                         const std::function<void(std::string_view)>& keylog) {
  SeededRng certificate_rng(seed, stream_of(Purpose::certificate));
  auto identity = make_self_signed({.chain_bytes = chain_bytes}, certificate_rng);
  if (!identity) return std::unexpected(identity.error());
  TlsConfig server;
  server.role = Role::server;
  server.alpn = {std::string(kAlpn)};
  server.certificate_chain_pem = identity->certificate_pem;
  server.private_key_pem = identity->private_key_pem;
  server.fixed_time = kVerificationTime;
  server.randomness = pair.server_rng.get();
  server.keylog = keylog;
  auto server_tls = make_tls_provider(server);
  if (!server_tls) return std::unexpected(server_tls.error());
  TlsConfig client;
  client.role = Role::client;
  client.alpn = server.alpn;
  client.trust.pins = {identity->fingerprint};
  client.fixed_time = kVerificationTime;
  client.randomness = pair.client_rng.get();
  client.keylog = keylog;
  auto client_tls = make_tls_provider(client);
  if (!client_tls) return std::unexpected(client_tls.error());
  pair.server = std::move(*server_tls);
  pair.client = std::move(*client_tls);
  return {};
}

}  // namespace

std::expected<TlsPair, std::string> make_tls_pair(const Scenario& scenario, std::uint64_t seed,
                                                  const std::function<void(std::string_view)>& keylog) {
  const std::size_t chain_bytes = scenario.endpoints.certificate_chain;
  TlsPair pair;
  pair.client_rng = std::make_unique<SeededRng>(seed, stream_of(Purpose::client_tls));
  pair.server_rng = std::make_unique<SeededRng>(seed, stream_of(Purpose::server_tls));
  if (scenario.crypto == Crypto::null) {
    pair.client = pair.server = make_null_tls_provider(std::string(kAlpn), chain_bytes);
    return pair;
  }
  if (auto made = make_real(pair, seed, chain_bytes, keylog); !made) return std::unexpected(std::move(made).error());
  return pair;
}

}  // namespace mpquic::sim
