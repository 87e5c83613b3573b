// Whom a session believes, and what it says of those whom it does not (RFC 5280, RFC 9525).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/crypto/crypto_testing.h"
#include "tests/unit/crypto/tls_loopback.h"

namespace mpquic {
namespace {

using namespace crypto_testing;
using testing::HasSubstr;

std::uint64_t client_error(const TlsLoopback::Options& options) {
  TlsLoopback tls(options);
  tls.run();
  EXPECT_TRUE(tls.failure.empty()) << tls.failure;
  EXPECT_FALSE(tls.client.completed);
  return code_of(tls.client.error);
}

/// What the application is told.
std::string client_reason(const TlsLoopback::Options& options) {
  TlsLoopback tls(options);
  tls.run();
  return tls.client.error ? std::string(tls.client.error->reason) : "";
}

TEST(Verification, UnknownAuthority) {
  EXPECT_EQ(client_error({.client = client_config(identity_of(2))}), error::kCryptoErrorBase + 48);  // unknown_ca
}

TEST(Verification, NameOrAddressOfTheServer) {
  for (const char* name : {"server.test", "192.0.2.1"})
    EXPECT_TRUE(TlsLoopback({.server_name = name}).run().completed());
  for (const char* name : {"other.test", "192.0.2.2", "sub.server.test"})
    EXPECT_EQ(client_error({.server_name = name}), error::kCryptoErrorBase + 42) << name;  // bad_certificate
  TlsLoopback::Options any_name{.server_name = "other.test"};
  any_name.client.trust.verify_name = false;
  EXPECT_TRUE(TlsLoopback(any_name).run().completed());
}

TEST(Verification, ExpiredAndNotYetValidCertificates) {
  TlsLoopback::Options options;
  options.client.fixed_time = 4102444801;                          // one second after not_after
  EXPECT_EQ(client_error(options), error::kCryptoErrorBase + 45);  // certificate_expired
  options.client.fixed_time = 1577836799;
  EXPECT_EQ(client_error(options), error::kCryptoErrorBase + 42);
  options.client.fixed_time = kTestTime;
  EXPECT_TRUE(TlsLoopback(options).run().completed());
}

TEST(Verification, PinnedKeysNeedNoAuthority) {
  TlsLoopback::Options options;
  options.client.trust = {.pins = {identity_of(7).fingerprint, identity_of(1).fingerprint}};
  options.server_name = "";
  EXPECT_TRUE(TlsLoopback(options).run().completed());
  options.client.trust.pins.pop_back();
  EXPECT_EQ(client_error(options), error::kCryptoErrorBase + 42);
}

TEST(Verification, PinsAndAuthorityMustBothHold) {
  TlsLoopback::Options options;
  options.client.trust.pins = {identity_of(1).fingerprint};
  EXPECT_TRUE(TlsLoopback(options).run().completed());
  options.client.trust.pins = {identity_of(2).fingerprint};
  EXPECT_EQ(client_error(options), error::kCryptoErrorBase + 42);
  options.client.trust = {.ca_pem = identity_of(2).certificate_pem, .pins = {identity_of(1).fingerprint}};
  EXPECT_EQ(client_error(options), error::kCryptoErrorBase + 48);
}

TEST(Verification, IsOffOnlyWhenToldSo) {
  TlsLoopback::Options options;
  options.client.trust = {};
  EXPECT_NE(TlsLoopback(options).failure, "");
  options.client.trust.insecure = true;
  EXPECT_TRUE(TlsLoopback(options).run().completed());
}

TEST(Verification, ClientCertificates) {
  const Identity client = identity_of(5, {.common_name = "client", .names = {}});
  TlsLoopback::Options options;
  options.server.require_client_certificate = true;
  options.server.trust.pins = {client.fingerprint};
  {
    TlsLoopback tls(options);
    EXPECT_FALSE(tls.run().completed());
    EXPECT_EQ(code_of(tls.server.error), error::kCryptoErrorBase + 116);  // certificate_required
    EXPECT_FALSE(tls.server.completed);
  }
  options.client.certificate_chain_pem = client.certificate_pem;
  options.client.private_key_pem = client.private_key_pem;
  EXPECT_TRUE(TlsLoopback(options).run().completed());
  options.server.trust = {.ca_pem = client.certificate_pem};
  EXPECT_TRUE(TlsLoopback(options).run().completed());
  options.server.trust = {.pins = {identity_of(6).fingerprint}};
  {
    TlsLoopback tls(options);
    tls.run();
    EXPECT_FALSE(tls.server.completed);
    EXPECT_EQ(code_of(tls.server.error), error::kCryptoErrorBase + 42);
  }
}

// RFC 9525 §6.3: a common name is no name, whether or not there are others.
TEST(Verification, TheCommonNameIsNoName) {
  for (const std::vector<std::string>& names : {std::vector<std::string>{}, std::vector<std::string>{"other.test"}}) {
    const Identity identity = identity_of(3, {.common_name = "server.test", .names = names});
    EXPECT_EQ(client_error({.client = client_config(identity), .server = server_config(identity)}),
              error::kCryptoErrorBase + 42);
  }
}

TEST(Verification, TheApplicationIsToldWhatIsWrong) {
  EXPECT_EQ(client_reason({.server_name = "other.test"}), "wrong name: the certificate is not for other.test");
  EXPECT_EQ(client_reason({.server_name = "192.0.2.2"}), "wrong name: the certificate is not for 192.0.2.2");
  EXPECT_THAT(client_reason({.client = client_config(identity_of(2))}), HasSubstr("untrusted certificate: "));
  TlsLoopback::Options options;
  options.client.fixed_time = 4102444801;
  EXPECT_EQ(client_reason(options), "the certificate has expired");
  options.client.fixed_time = 1577836799;
  EXPECT_EQ(client_reason(options), "the certificate is not valid yet");

  options.client.trust = {.pins = {identity_of(2).fingerprint}};
  EXPECT_EQ(client_reason(options), "wrong pin: the key's SHA-256 is " + to_hex(identity_of(1).fingerprint));
}

TEST(ServerName, IsAHostNameOrAnAddressOrAnError) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  TlsConfig insecure = client_config();
  insecure.trust = {.insecure = true};
  for (const TlsConfig& client : {client_config(), insecure}) {
    for (const std::string& good : {longest, std::string("server.test"), std::string("192.0.2.1"), std::string("::1"),
                                    std::string("fe80::1%eth0"), std::string("under_score"), std::string("XN--A")})
      EXPECT_EQ(TlsLoopback({.client = client, .server_name = good}).failure, "") << good;
    for (const std::string& bad :
         {longest + "a", std::string(256, 'a'), std::string(70000, 'a'), label + "a", std::string("a..b"),
          std::string(".a"), std::string("a."), std::string("a b"), std::string("a\0b", 3), std::string("b\xc3\xbc"),
          std::string("a:1"), std::string("*.a"), std::string("fe80::g%1"), std::string("%")})
      EXPECT_THAT(TlsLoopback({.client = client, .server_name = bad}).failure, HasSubstr("server name: ")) << bad;
  }
  EXPECT_THAT(TlsLoopback({.server_name = ""}).failure, HasSubstr("server name: "));
  EXPECT_EQ(TlsLoopback({.client = insecure, .server_name = ""}).failure, "");
}

}  // namespace
}  // namespace mpquic
