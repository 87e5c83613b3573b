// The TLS session of RFC 9001 §4 and §8, both roles against each other.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "stack/crypto/openssl_session.h"
#include "tests/unit/crypto/crypto_testing.h"
#include "tests/unit/crypto/tls_loopback.h"

namespace mpquic {
namespace {

using namespace crypto_testing;

constexpr std::uint64_t kNoApplicationProtocol = error::kCryptoErrorBase + 120;

class Suites : public testing::TestWithParam<CipherSuite> {};

TEST_P(Suites, CompleteWithTheSameSecretsOnBothSides) {
  TlsLoopback::Options options;
  options.client.cipher_suites = {GetParam()};
  TlsLoopback tls(options);
  ASSERT_TRUE(tls.run().completed()) << tls.failure;
  for (const auto level : {kHandshake, kOneRtt}) {
    for (const bool client_writes : {true, false}) {
      const auto& ours = tls.client.secrets.at({level, client_writes});
      const auto& theirs = tls.server.secrets.at({level, !client_writes});
      EXPECT_EQ(ours.suite, GetParam());
      EXPECT_EQ(theirs.suite, GetParam());
      EXPECT_GE(ours.secret.size, 32U);
      EXPECT_TRUE(std::ranges::equal(ours.secret.view(), theirs.secret.view()));
    }
  }
  EXPECT_EQ(tls.client.secrets.size(), 4U);
  EXPECT_EQ(tls.client.peer_parameters, "server parameters");
  EXPECT_EQ(tls.server.peer_parameters, "client parameters");
  EXPECT_EQ(tls.client.completed->alpn, "mpq");
  EXPECT_EQ(tls.server.completed->alpn, "mpq");
  EXPECT_FALSE(tls.client.completed->resumed);
}
INSTANTIATE_TEST_SUITE_P(All, Suites,
                         testing::Values(CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
                                         CipherSuite::chacha20_poly1305_sha256));

TEST(TlsSession, SurvivesPiecesOfAnySize) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    TlsLoopback tls({.piece = piece});
    EXPECT_TRUE(tls.run().completed()) << piece << tls.failure;
    EXPECT_EQ(tls.client.tickets.size(), 2U);
  }
}

TEST(TlsSession, LargeCertificateChainsTakeManyRecords) {
  const Identity leaf = identity_of(1);
  TlsLoopback::Options options;
  for (std::uint64_t i = 2; i < 30; ++i) options.server.certificate_chain_pem += identity_of(i).certificate_pem;
  TlsLoopback tls(options);
  EXPECT_TRUE(tls.run().completed()) << tls.failure;
  EXPECT_GT(tls.server.transcript.size(), 8000U);
}

// RFC 8446 §4.1.4: the client's share is for a group that the server does not take.
TEST(TlsSession, SurvivesHelloRetryRequest) {
  TlsLoopback::Options options;
  options.client.groups = "X25519:P-256";
  options.server.groups = "P-256";
  TlsLoopback tls(options);
  EXPECT_TRUE(tls.run().completed()) << tls.failure;
  EXPECT_EQ(tls.server.peer_parameters, "client parameters");
}

// --- RFC 9001 §8

TEST(TlsSession, ServerPrefersItsOwnAlpnOrder) {
  TlsLoopback::Options options;
  options.client.alpn = {"a", "b", "c"};
  options.server.alpn = {"x", "c", "b"};
  TlsLoopback tls(options);
  ASSERT_TRUE(tls.run().completed());
  EXPECT_EQ(tls.client.completed->alpn, "c");
}

TEST(TlsSession, WithoutACommonProtocolThereIsNoHandshake) {
  TlsLoopback::Options options;
  options.server.alpn = {"other"};
  TlsLoopback tls(options);
  EXPECT_FALSE(tls.run().completed());
  EXPECT_EQ(code_of(tls.server.error), kNoApplicationProtocol);
}

// A ClientHello by hand from ours: with `type`'s extension renamed, it is missing.
std::vector<std::byte> client_hello_without(std::uint16_t type) {
  TlsLoopback::Options options;
  options.client.groups = "X25519";
  TlsLoopback tls(options);
  tls.client.note(tls.client.session->start());
  std::vector<std::byte> hello = tls.client.outbox.at(0).second;
  // 4 header, 2 version, 32 random, 1 session ID (empty), 2 + n suites, 1 + 1 compression, 2 extensions
  std::size_t at = 38 + 1;
  at += 2 + (std::to_integer<std::size_t>(hello[at]) << 8 | std::to_integer<std::size_t>(hello[at + 1]));
  at += 2 + 2;
  while (at + 4 <= hello.size()) {
    const auto found = std::to_integer<unsigned>(hello[at]) << 8 | std::to_integer<unsigned>(hello[at + 1]);
    const auto size = std::to_integer<std::size_t>(hello[at + 2]) << 8 | std::to_integer<std::size_t>(hello[at + 3]);
    if (found == type) {
      hello[at] = std::byte{0xfa};
      hello[at + 1] = std::byte{0xce};
      return hello;
    }
    at += 4 + size;
  }
  ADD_FAILURE() << "no extension " << type;
  return hello;
}

std::uint64_t server_error_for(Bytes hello) {
  TlsLoopback tls{TlsLoopback::Options{}};
  tls.server.receive(kInitial, hello);
  return code_of(tls.server.error);
}

TEST(TlsSession, ServerInsistsOnAlpnAndTransportParameters) {
  EXPECT_EQ(server_error_for(client_hello_without(0x10)), kNoApplicationProtocol);
  EXPECT_EQ(server_error_for(client_hello_without(0x39)), error::kCryptoErrorBase + 109);
}

// §8.4: middlebox compatibility has no place in QUIC.
TEST(TlsSession, ServerRefusesALegacySessionId) {
  TlsLoopback tls{TlsLoopback::Options{}};
  tls.client.note(tls.client.session->start());
  std::vector<std::byte> hello = tls.client.outbox.at(0).second;
  ASSERT_EQ(hello[38], std::byte{0});
  hello[38] = std::byte{1};
  hello.insert(hello.begin() + 39, std::byte{7});
  const std::size_t body = hello.size() - 4;
  hello[2] = static_cast<std::byte>(body >> 8);
  hello[3] = static_cast<std::byte>(body & 0xff);
  EXPECT_EQ(server_error_for(hello), error::kProtocolViolation);
}

// --- RFC 9001 §4: what arrives when and where

TEST(TlsSession, CryptoDataOfAnotherLevelIsAnError) {
  for (const auto level : {kHandshake, kOneRtt, EncryptionLevel::zero_rtt}) {
    TlsLoopback tls{TlsLoopback::Options{}};
    tls.server.receive(level, as_bytes("anything"));
    EXPECT_EQ(code_of(tls.server.error), error::kProtocolViolation);
  }
  TlsLoopback tls{TlsLoopback::Options{}};
  ASSERT_TRUE(tls.run().completed());
  tls.client.receive(kInitial, as_bytes("late"));  // §4.1.3: of a level that is over
  EXPECT_EQ(code_of(tls.client.error), error::kProtocolViolation);
}

TEST(TlsSession, ErrorsAreFinal) {
  TlsLoopback tls{TlsLoopback::Options{}};
  tls.server.receive(kHandshake, as_bytes("anything"));
  const auto first = tls.server.error;
  tls.client.note(tls.client.session->start());
  const Result<void> again = tls.server.session->receive(kInitial, tls.client.outbox.at(0).second);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), *first);
}

// §6: "Endpoints MUST treat the receipt of a TLS KeyUpdate message as a connection error of type 0x010a".
TEST(TlsSession, TlsKeyUpdateIsAnUnexpectedMessage) {
  constexpr std::array kKeyUpdate = {std::byte{24}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}};
  for (const Role receiver : {Role::client, Role::server}) {
    TlsLoopback tls{TlsLoopback::Options{}};
    ASSERT_TRUE(tls.run().completed());
    TlsPeer& peer = receiver == Role::client ? tls.client : tls.server;
    peer.receive(kOneRtt, kKeyUpdate);
    EXPECT_EQ(code_of(peer.error), kUnexpectedMessage);
  }
}

// §4.1.3: TLS has not consumed them when it gives the keys of the next level.
TEST(TlsSession, BytesAfterTheLastMessageOfALevelAreAnError) {
  TlsLoopback tls{TlsLoopback::Options{}};
  tls.client.note(tls.client.session->start());
  tls.server.receive(kInitial, tls.client.outbox.at(0).second);
  std::vector<std::byte> server_hello = tls.server.outbox.at(0).second;
  server_hello.insert(server_hello.end(), 3000, std::byte{8});
  tls.client.receive(kInitial, server_hello);
  EXPECT_EQ(code_of(tls.client.error), error::kProtocolViolation);
}

TEST(TlsSession, GarbageIsAnErrorAndNothingElse) {
  SeededRng rng(11);
  for (int round = 0; round < 200; ++round) {
    TlsLoopback tls{TlsLoopback::Options{}};
    std::vector<std::byte> garbage(1 + rng.below(3000));
    rng.fill(garbage);
    tls.server.receive(kInitial, garbage);
    if (tls.server.error) {
      EXPECT_GE(tls.server.error->code, error::kCryptoErrorBase);
    }
    EXPECT_TRUE(tls.server.secrets.empty());
  }
}

TEST(TlsSession, CorruptedHandshakesNeverComplete) {
  SeededRng rng(12);
  const auto client_provider = make_tls_provider(client_config());
  const auto server_provider = make_tls_provider(server_config());
  ASSERT_TRUE(client_provider && server_provider);
  for (int round = 0; round < 100; ++round) {
    TlsLoopback tls(**client_provider, **server_provider, {});
    tls.client.note(tls.client.session->start());
    tls.server.receive(kInitial, tls.client.outbox.at(0).second);
    auto flight = tls.server.outbox;
    auto& [level, data] = flight.at(rng.below(flight.size()));
    data[rng.below(data.size())] ^= static_cast<std::byte>(1U << rng.below(8));
    for (const auto& part : flight) tls.client.receive(part.first, part.second);
    EXPECT_FALSE(tls.client.completed);
  }
}

// --- Resumption

struct ResumptionTest : testing::Test {
  static std::vector<std::byte> ticket_of(const TlsLoopback& tls) {
    return tls.client.tickets.empty() ? std::vector<std::byte>{} : tls.client.tickets.back();
  }
  std::shared_ptr<TlsProvider> server_ = make_tls_provider(server_config()).value_or(nullptr);
  std::shared_ptr<TlsProvider> client_ = make_tls_provider(client_config()).value_or(nullptr);
};

TEST_F(ResumptionTest, TicketsShortenTheNextHandshake) {
  TlsLoopback first(*client_, *server_, {});
  ASSERT_TRUE(first.run().completed());
  ASSERT_EQ(first.client.tickets.size(), 2U);
  TlsLoopback second(*client_, *server_, {.ticket = ticket_of(first)});
  ASSERT_TRUE(second.run().completed());
  EXPECT_TRUE(second.client.completed->resumed);
  EXPECT_TRUE(second.server.completed->resumed);
  EXPECT_LT(second.server.transcript.size(), first.server.transcript.size());
  // §7.4.1 of RFC 9000, draft-21 §2.1: parameters are exchanged anew.
  EXPECT_EQ(second.client.peer_parameters, "server parameters");
}

TEST_F(ResumptionTest, BrokenAndForeignTicketsAreIgnored) {
  TlsLoopback first(*client_, *server_, {});
  ASSERT_TRUE(first.run().completed());
  const auto other_server = make_tls_provider(server_config()).value_or(nullptr);
  std::vector<std::byte> broken = ticket_of(first);
  broken.resize(broken.size() / 2);
  for (const auto& [ticket, server] : {std::pair(broken, server_), std::pair(ticket_of(first), other_server),
                                       std::pair(std::vector(20, std::byte{0x30}), server_)}) {
    TlsLoopback tls(*client_, *server, {.ticket = ticket});
    ASSERT_TRUE(tls.run().completed());
    EXPECT_FALSE(tls.client.completed->resumed);
  }
}

// A resumed handshake verifies nothing, so a ticket is worth no more than the trust under which it was got.
TEST_F(ResumptionTest, TicketsAreBoundToNameAndTrust) {
  TlsConfig careless = client_config();
  careless.trust = {.insecure = true};
  const auto careless_client = make_tls_provider(careless).value_or(nullptr);
  TlsLoopback first(*careless_client, *server_, {});
  ASSERT_TRUE(first.run().completed());
  TlsLoopback second(*client_, *server_, {.ticket = ticket_of(first)});
  ASSERT_TRUE(second.run().completed());
  EXPECT_FALSE(second.client.completed->resumed);
  TlsLoopback third(*client_, *server_, {.server_name = "192.0.2.1", .ticket = ticket_of(second)});
  ASSERT_TRUE(third.run().completed());
  EXPECT_FALSE(third.client.completed->resumed);
}

TEST_F(ResumptionTest, CanBeTurnedOffOnEitherSide) {
  for (const bool at_client : {true, false}) {
    TlsLoopback::Options options;
    (at_client ? options.client : options.server).resumption = false;
    TlsLoopback tls(options);
    ASSERT_TRUE(tls.run().completed());
    EXPECT_TRUE(tls.client.tickets.empty());
  }
  TlsLoopback::Options none;
  none.server.ticket_count = 0;
  TlsLoopback tls(none);
  ASSERT_TRUE(tls.run().completed());
  EXPECT_TRUE(tls.client.tickets.empty());
}

TEST_F(ResumptionTest, WorksWithClientCertificates) {
  const Identity client = identity_of(5, {.common_name = "client", .names = {}});
  TlsConfig with_certificate = client_config();
  with_certificate.certificate_chain_pem = client.certificate_pem;
  with_certificate.private_key_pem = client.private_key_pem;
  TlsConfig strict = server_config();
  strict.require_client_certificate = true;
  strict.trust.pins = {client.fingerprint};
  const auto ours = make_tls_provider(with_certificate).value_or(nullptr);
  const auto theirs = make_tls_provider(strict).value_or(nullptr);
  TlsLoopback first(*ours, *theirs, {});
  ASSERT_TRUE(first.run().completed());
  TlsLoopback second(*ours, *theirs, {.ticket = ticket_of(first)});
  ASSERT_TRUE(second.run().completed());
  EXPECT_TRUE(second.server.completed->resumed);
}

// --- Key log

TEST(KeyLog, NamesTheSecretsAsWiresharkWantsThem) {
  std::vector<std::string> lines;
  TlsLoopback::Options options;
  options.client.keylog = [&](std::string_view line) { lines.emplace_back(line); };
  TlsLoopback tls(options);
  ASSERT_TRUE(tls.run().completed());
  for (const char* label : {"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
                            "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 "}) {
    EXPECT_EQ(std::ranges::count_if(lines, [&](const std::string& line) { return line.starts_with(label); }), 1);
  }
}

// --- Determinism

struct SeededRun {
  std::vector<std::byte> client;
  std::vector<std::byte> server;
  std::vector<std::vector<std::byte>> tickets;
  bool completed = false;
  bool resumed = false;
  bool operator==(const SeededRun&) const = default;
};

/// A full handshake and a resumed one, all randomness from `seed`.
SeededRun seeded_run(std::uint64_t seed, const std::string& groups = "X25519") {
  SeededRng client_rng(seed, 1);
  SeededRng server_rng(seed, 2);
  TlsConfig client = client_config();
  TlsConfig server = server_config();
  client.randomness = &client_rng;
  server.randomness = &server_rng;
  for (TlsConfig* config : {&client, &server}) {
    config->fixed_time = kTestTime;
    config->groups = groups;
  }
  const auto client_provider = make_tls_provider(client);
  const auto server_provider = make_tls_provider(server);
  if (!client_provider || !server_provider) return {};
  TlsLoopback first(**client_provider, **server_provider, {});
  first.run();
  if (first.client.tickets.empty()) return {};
  TlsLoopback second(**client_provider, **server_provider, {.ticket = first.client.tickets.back()});
  second.run();
  SeededRun run{first.client.transcript, first.server.transcript, first.client.tickets,
                first.completed() && second.completed(), second.client.completed && second.client.completed->resumed};
  run.client.insert(run.client.end(), second.client.transcript.begin(), second.client.transcript.end());
  run.server.insert(run.server.end(), second.server.transcript.begin(), second.server.transcript.end());
  return run;
}

TEST(Determinism, EqualSeedsGiveEqualHandshakesWhateverTheClock) {
  for (const char* groups : {"X25519", "P-256"}) {
    const SeededRun a = seeded_run(42, groups);
    ASSERT_TRUE(a.completed);
    EXPECT_TRUE(a.resumed);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    EXPECT_EQ(a, seeded_run(42, groups)) << groups;
  }
}

TEST(Determinism, DifferentSeedsDiffer) {
  const SeededRun a = seeded_run(1);
  const SeededRun b = seeded_run(2);
  ASSERT_TRUE(a.completed && b.completed);
  EXPECT_NE(a.client, b.client);
  EXPECT_NE(a.server, b.server);
}

TEST(Determinism, WithoutASeedNothingRepeats) {
  TlsLoopback a{TlsLoopback::Options{}};
  TlsLoopback b{TlsLoopback::Options{}};
  EXPECT_NE(a.run().client.transcript, b.run().client.transcript);
}

}  // namespace
}  // namespace mpquic
