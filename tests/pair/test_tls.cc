#include "tests/pair/test_tls.h"

#include "stack/crypto/certificate.h"

namespace mpquic::test {
namespace {

constexpr std::int64_t kTestTime = 1'800'000'000;

}  // namespace

TestTls make_test_tls(Rng& rng, const std::vector<CipherSuite>& suites) {
  const Identity identity = make_self_signed({}, rng).value();
  TlsConfig server;
  server.role = Role::server;
  server.alpn = {"test"};
  server.certificate_chain_pem = identity.certificate_pem;
  server.private_key_pem = identity.private_key_pem;
  server.fixed_time = kTestTime;
  server.randomness = &rng;
  TlsConfig client;
  client.alpn = {"test"};
  client.trust.pins = {identity.fingerprint};
  client.fixed_time = kTestTime;
  client.randomness = &rng;
  if (!suites.empty()) client.cipher_suites = suites;
  return {.server = make_tls_provider(server).value(), .client = make_tls_provider(client).value()};
}

}  // namespace mpquic::test
