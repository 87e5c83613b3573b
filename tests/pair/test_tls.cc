#include "tests/pair/test_tls.h"

#include "stack/crypto/certificate.h"

namespace mpquic::test {
namespace {

constexpr std::int64_t kTestTime = 1'800'000'000;

}  // namespace

TestTls make_test_tls(Rng& rng, const TestTlsOptions& options) {
  const Identity identity = make_self_signed({}, rng).value();
  TlsConfig server;
  server.role = Role::server;
  server.alpn = {"test"};
  server.certificate_chain_pem = identity.certificate_pem;
  for (std::size_t i = 1; i < options.chain; ++i)
    server.certificate_chain_pem += make_self_signed({}, rng).value().certificate_pem;
  server.private_key_pem = identity.private_key_pem;
  server.fixed_time = kTestTime;
  server.randomness = &rng;
  TlsConfig client;
  client.alpn = {"test"};
  client.trust.pins = {identity.fingerprint};
  client.fixed_time = kTestTime;
  client.randomness = &rng;
  if (!options.suites.empty()) client.cipher_suites = options.suites;
  if (options.client_certificates) {
    const Identity own = make_self_signed({}, rng).value();
    client.certificate_chain_pem = own.certificate_pem;
    client.private_key_pem = own.private_key_pem;
    server.require_client_certificate = true;
    server.trust.pins = {own.fingerprint};
  }
  return {.server = make_tls_provider(server).value(), .client = make_tls_provider(client).value()};
}

}  // namespace mpquic::test
