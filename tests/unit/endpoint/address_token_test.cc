#include "stack/endpoint/address_token.h"

#include <gtest/gtest.h>

#include <array>

namespace mpquic {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::byte, 32> kKey{std::byte{1}};

IpAddress host(std::size_t i) { return IpAddress::v4({10, 0, static_cast<std::uint8_t>(i), 1}); }
SocketAddress client(std::size_t i) { return {host(i), 40000}; }
std::vector<IpAddress> hosts(std::size_t count) {
  std::vector<IpAddress> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(host(i));
  return out;
}

class AddressTokensTest : public testing::Test {
 protected:
  TokenVerdict check(Bytes token, const SocketAddress& from, Instant at) {
    ValidatedToken out;
    return tokens_.check(token, from, at, out);
  }
  SeededRng rng_{1};
  StaticKeys keys_{kKey};
  AddressTokens tokens_{keys_, rng_};
  Instant now_{1h};
};

TEST_F(AddressTokensTest, NewTokenHoldsForEachOfItsAddressesAndNoOther) {  // draft-21 §3.1.3
  const auto token = tokens_.make_new_token(hosts(3), now_);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(check(token, client(i), now_), TokenVerdict::valid) << i;
  EXPECT_EQ(check(token, client(3), now_), TokenVerdict::useless);
  EXPECT_EQ(check(token, {host(1), 1}, now_), TokenVerdict::valid);  // ports change with every connection
}

TEST_F(AddressTokensTest, OfTooManyAddressesTheLastOnesCountAndTheSizeIsBounded) {
  const auto full = tokens_.make_new_token(hosts(kMaxTokenAddresses), now_);
  const auto over = tokens_.make_new_token(hosts(kMaxTokenAddresses + 5), now_);
  EXPECT_EQ(over.size(), full.size());
  EXPECT_LE(over.size(), 200U);  // fits any first Initial beside the ClientHello
  EXPECT_EQ(check(over, client(4), now_), TokenVerdict::useless);
  for (std::size_t i = 5; i < kMaxTokenAddresses + 5; ++i) EXPECT_EQ(check(over, client(i), now_), TokenVerdict::valid);
}

TEST_F(AddressTokensTest, NewTokenExpiresAndAChangedOneIsWorthless) {
  const auto token = tokens_.make_new_token(hosts(2), now_);
  EXPECT_EQ(check(token, client(1), now_ + kNewTokenLifetime), TokenVerdict::valid);
  EXPECT_EQ(check(token, client(1), now_ + kNewTokenLifetime + 1ns), TokenVerdict::useless);
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] ^= std::byte{1};
    EXPECT_EQ(check(changed, client(1), now_), TokenVerdict::useless) << i;
  }
}

TEST_F(AddressTokensTest, RetryTokenHoldsForItsAddressAndPortForMoments) {  // RFC 9000 §8.1.2
  const std::array<std::byte, 8> original{std::byte{7}};
  const auto token = tokens_.make_retry(client(0), {ConnectionId(original), {}}, now_);
  ValidatedToken out;
  ASSERT_EQ(tokens_.check(token, client(0), now_, out), TokenVerdict::valid);
  ASSERT_TRUE(out.retry);
  EXPECT_EQ(out.retry->original_dcid, ConnectionId(original));
  EXPECT_EQ(check(token, {host(0), 1}, now_), TokenVerdict::invalid);
  EXPECT_EQ(check(token, client(1), now_), TokenVerdict::invalid);
  EXPECT_EQ(check(token, client(0), now_ + kRetryTokenLifetime + 1ns), TokenVerdict::invalid);
}

}  // namespace
}  // namespace mpquic
