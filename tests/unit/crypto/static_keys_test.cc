#include "stack/crypto/static_keys.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto/crypto_testing.h"

namespace mpquic {
namespace {

using namespace crypto_testing;

constexpr std::array<std::byte, 32> kKey = {std::byte{1}};
constexpr std::array<std::byte, 32> kOtherKey = {std::byte{2}};

TEST(ConstantTimeEqual, ComparesSizesAndBytes) {
  EXPECT_TRUE(constant_time_equal({}, {}));
  EXPECT_TRUE(constant_time_equal(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("ab")));
}

// RFC 9000 §10.3.2.
TEST(StatelessReset, TokensAreAFunctionOfKeyAndConnectionId) {
  const ConnectionId id(as_bytes("12345678"));
  const StaticKeys keys(kKey);
  EXPECT_EQ(keys.reset_token(id), StaticKeys(kKey).reset_token(id));
  EXPECT_NE(keys.reset_token(id), keys.reset_token(ConnectionId(as_bytes("12345679"))));
  EXPECT_NE(keys.reset_token(id), keys.reset_token(ConnectionId(as_bytes("1234567"))));
  EXPECT_NE(keys.reset_token(id), StaticKeys(kOtherKey).reset_token(id));
}

TEST(Tokens, OpenWithTheSameKeyAndContextOnly) {
  SeededRng rng(1);
  const StaticKeys keys(kKey);
  const std::vector<std::byte> token = keys.seal_token(as_bytes("when and where"), as_bytes("192.0.2.1"), rng);
  EXPECT_EQ(token.size(), 14 + StaticKeys::kTokenOverhead);
  const auto opened = keys.open_token(token, as_bytes("192.0.2.1"));
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(*opened), "when and where");
  EXPECT_FALSE(keys.open_token(token, as_bytes("192.0.2.2")));
  EXPECT_FALSE(StaticKeys(kOtherKey).open_token(token, as_bytes("192.0.2.1")));
}

TEST(Tokens, AreOpaqueAndNeverTheSameTwice) {
  SeededRng rng(1);
  const StaticKeys keys(kKey);
  const auto a = keys.seal_token(as_bytes("plain"), {}, rng);
  const auto b = keys.seal_token(as_bytes("plain"), {}, rng);
  EXPECT_NE(a, b);
  EXPECT_EQ(as_text(a).find("plain"), std::string_view::npos);
}

TEST(Tokens, RefuseEveryChangeAndEveryCut) {
  SeededRng rng(1);
  const StaticKeys keys(kKey);
  const auto token = keys.seal_token(as_bytes("plain"), {}, rng);
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto forged = token;
    forged[i] ^= std::byte{0x80};
    EXPECT_FALSE(keys.open_token(forged, {})) << i;
    EXPECT_FALSE(keys.open_token(Bytes(token).first(i), {})) << i;
  }
  EXPECT_TRUE(keys.open_token(token, {}));
}

TEST(Tokens, MayBeEmpty) {
  SeededRng rng(1);
  const StaticKeys keys(kKey);
  const auto opened = keys.open_token(keys.seal_token({}, {}, rng), {});
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
}

}  // namespace
}  // namespace mpquic
