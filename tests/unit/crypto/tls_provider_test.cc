#include "stack/crypto/tls_provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/crypto/certificate.h"
#include "tests/unit/crypto/tls_loopback.h"

namespace mpquic {
namespace {

using namespace crypto_testing;
using testing::HasSubstr;

std::string error_of(const TlsConfig& config) {
  const auto provider = make_tls_provider(config);
  if (provider) return "";
  EXPECT_EQ(provider.error().find('\n'), std::string::npos);
  return provider.error();
}

TEST(TlsProviderConfig, GoodOnesWork) {
  EXPECT_EQ(error_of(client_config()), "");
  EXPECT_EQ(error_of(server_config()), "");
}

TEST(TlsProviderConfig, EveryMistakeIsNamed) {
  TlsConfig config = server_config();
  config.certificate_chain_pem = "nonsense";
  EXPECT_THAT(error_of(config), HasSubstr("certificate: not PEM"));
  config = server_config();
  config.private_key_pem = "nonsense";
  EXPECT_THAT(error_of(config), HasSubstr("private key: not"));
  config = server_config();
  config.private_key_pem = identity_of(2).private_key_pem;
  EXPECT_THAT(error_of(config), HasSubstr("does not belong to the certificate"));
  config = server_config();
  config.certificate_chain_pem.clear();
  config.private_key_pem.clear();
  EXPECT_THAT(error_of(config), HasSubstr("a server needs a certificate"));
  config = server_config();
  config.require_client_certificate = true;
  EXPECT_THAT(error_of(config), HasSubstr("neither a CA nor a pin"));
  config = client_config();
  config.trust.ca_pem = "nonsense";
  EXPECT_THAT(error_of(config), HasSubstr("CA bundle"));
  config = client_config();
  config.trust = {};
  EXPECT_THAT(error_of(config), HasSubstr("a client needs"));
  config = client_config();
  config.alpn = {};
  EXPECT_THAT(error_of(config), HasSubstr("ALPN"));
  config.alpn = {std::string(256, 'x')};
  EXPECT_THAT(error_of(config), HasSubstr("ALPN"));
  config = client_config();
  config.cipher_suites = {};
  EXPECT_THAT(error_of(config), HasSubstr("cipher suites"));
  config.cipher_suites = {CipherSuite::null};
  EXPECT_THAT(error_of(config), HasSubstr("cipher suites"));
  config = client_config();
  config.groups = "no such group";
  EXPECT_THAT(error_of(config), HasSubstr("groups"));
}

TEST(TlsProviderConfig, AProviderServesOneRole) {
  const auto provider = make_tls_provider(client_config());
  ASSERT_TRUE(provider);
  EXPECT_FALSE((*provider)->make_session({.role = Role::server, .server_name = {}, .parameters = {}, .ticket = {}}));
}

TEST(TlsProviderConfig, SessionsOutliveTheirProvider) {
  TlsLoopback tls{TlsLoopback::Options{}};  // which lets go of both providers at once
  EXPECT_TRUE(tls.run().completed());
}

TEST(SelfSigned, IsAFunctionOfTheSeed) {
  EXPECT_EQ(identity_of(3).certificate_pem, identity_of(3).certificate_pem);
  EXPECT_EQ(identity_of(3).private_key_pem, identity_of(3).private_key_pem);
  EXPECT_NE(identity_of(3).certificate_pem, identity_of(4).certificate_pem);
  EXPECT_NE(identity_of(3).fingerprint, identity_of(4).fingerprint);
}

TEST(SelfSigned, FingerprintIsThatOfTheCertificate) {
  const auto fingerprint = spki_fingerprint(identity_of(3).certificate_pem);
  ASSERT_TRUE(fingerprint);
  EXPECT_EQ(*fingerprint, identity_of(3).fingerprint);
  EXPECT_FALSE(spki_fingerprint("nonsense"));
}

TEST(SelfSigned, AChainIsAsLongAsWantedAndKeepsItsLeaf) {
  const auto chain_of = [](std::size_t bytes) {
    SeededRng rng(3);
    return make_self_signed({.chain_bytes = bytes}, rng).value();
  };
  constexpr std::size_t kBytes = 18'000;
  constexpr std::size_t kFiller = 2000;  // none is larger
  const Identity chain = chain_of(kBytes);
  EXPECT_EQ(chain.certificate_pem, chain_of(kBytes).certificate_pem);
  EXPECT_TRUE(chain.certificate_pem.starts_with(chain_of(0).certificate_pem));
  EXPECT_EQ(chain.fingerprint, chain_of(0).fingerprint);
  EXPECT_GT(chain.certificate_pem.size(), kBytes * 4 / 3);  // base64
  EXPECT_LT(chain.certificate_pem.size(), (kBytes + kFiller) * 3 / 2);
}

TEST(SelfSigned, RefusesNamesThatAreNone) {
  SeededRng rng(1);
  EXPECT_FALSE(make_self_signed({.common_name = std::string(100, 'x'), .names = {}}, rng));
}

}  // namespace
}  // namespace mpquic
