// RFC 9001 §5: both Handshake keys come with ServerHello, so that a client acknowledges a server's flight as it
// arrives.
#include "stack/crypto/early_secret.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/crypto/tls_loopback.h"

namespace mpquic {
namespace {

using namespace crypto_testing;

/// ServerHello, without a byte of what follows. Whether the client can write Handshake packets, as the server reads
/// them; then all the rest.
testing::AssertionResult has_secret_with_server_hello(TlsLoopback& tls) {
  if (!tls.failure.empty()) return testing::AssertionFailure() << tls.failure;
  tls.client.note(tls.client.session->start());
  for (int hello = 0; hello < 2 && tls.server.secrets.empty(); ++hello) {  // the second after HelloRetryRequest
    for (const auto& [level, data] : std::exchange(tls.client.outbox, {})) tls.server.receive(level, data);
    if (!tls.client.secrets.empty()) return testing::AssertionFailure() << "a secret before ServerHello";
    for (const auto& [level, data] : tls.server.outbox)
      if (level == kInitial) tls.client.receive(level, data);
    std::erase_if(tls.server.outbox, [](const auto& part) { return part.first == kInitial; });
  }
  const auto early = tls.client.secrets.find({kHandshake, true});
  if (early == tls.client.secrets.end()) return testing::AssertionFailure() << "no secret";
  const TlsSecretReady ours = early->second;
  while (tls.exchange()) {}
  if (!tls.completed()) return testing::AssertionFailure() << "handshake failed";
  const TlsSecretReady& theirs = tls.server.secrets.at({kHandshake, false});
  if (!std::ranges::equal(ours.secret.view(), theirs.secret.view()) || ours.suite != theirs.suite)
    return testing::AssertionFailure() << "another secret than the server's";
  return testing::AssertionSuccess();
}

class EarlySecret : public testing::TestWithParam<CipherSuite> {
 protected:
  static TlsLoopback::Options options() {
    TlsLoopback::Options options;
    options.client.cipher_suites = {GetParam()};
    return options;
  }
};

TEST_P(EarlySecret, ComesWithServerHello) {
  TlsLoopback tls(options());
  EXPECT_TRUE(has_secret_with_server_hello(tls));
}

TEST_P(EarlySecret, ComesWithServerHelloAfterARetriedHello) {
  TlsLoopback::Options retried = options();
  retried.server.groups = "P-256";
  TlsLoopback tls(retried);
  EXPECT_TRUE(has_secret_with_server_hello(tls));
}

TEST_P(EarlySecret, ComesWithServerHelloOfAResumedSession) {
  const auto client = make_tls_provider(options().client).value();
  const auto server = make_tls_provider(server_config()).value();
  TlsLoopback first(*client, *server, {});
  ASSERT_TRUE(first.run().completed());
  TlsLoopback second(*client, *server, {.ticket = first.client.tickets.back()});
  EXPECT_TRUE(has_secret_with_server_hello(second));
  EXPECT_TRUE(second.client.completed->resumed);
}

TEST_P(EarlySecret, ComesWithServerHelloUnderSeededRandomness) {
  SeededRng rng(5);
  TlsLoopback::Options seeded = options();
  seeded.client.randomness = seeded.server.randomness = &rng;
  TlsLoopback tls(seeded);
  EXPECT_TRUE(has_secret_with_server_hello(tls));
}

TEST_P(EarlySecret, ComesWithServerHelloWhereClientsHaveCertificates) {
  const Identity identity = identity_of(5, {.common_name = "client", .names = {}});
  TlsLoopback::Options mutual = options();
  mutual.client.certificate_chain_pem = identity.certificate_pem;
  mutual.client.private_key_pem = identity.private_key_pem;
  mutual.server.require_client_certificate = true;
  mutual.server.trust.ca_pem = identity.certificate_pem;
  TlsLoopback tls(mutual);
  EXPECT_TRUE(has_secret_with_server_hello(tls));
}

INSTANTIATE_TEST_SUITE_P(All, EarlySecret,
                         testing::Values(CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
                                         CipherSuite::chacha20_poly1305_sha256));

// Sessions of one provider take turns in a thread, and run at once in several.
TEST(EarlySecretThreads, EverySessionGetsItsOwn) {
  const auto client = make_tls_provider(client_config()).value();
  const auto server = make_tls_provider(server_config()).value();
  constexpr std::size_t kThreads = 4;
  constexpr int kRounds = 5;
  std::array<int, kThreads> good{};
  std::vector<std::thread> threads;
  for (int& count : good) {
    threads.emplace_back([&count, &client, &server] {
      for (int round = 0; round < kRounds; ++round) {
        TlsLoopback other(*client, *server, {});
        TlsLoopback tls(*client, *server, {});
        other.client.note(other.client.session->start());
        if (has_secret_with_server_hello(tls) && other.continue_run().completed()) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : good) EXPECT_EQ(count, kRounds);
}

}  // namespace
}  // namespace mpquic
