#include "stack/endpoint/used_tokens.h"

#include <gtest/gtest.h>

#include "stack/base/rng.h"

namespace mpquic {
namespace {

using namespace std::chrono_literals;

class UsedTokensTest : public testing::Test {
 protected:
  std::array<std::byte, 60> next_token() {
    std::array<std::byte, 60> token{};
    rng_.fill(token);
    return token;
  }
  StaticKeys keys_{{std::byte{1}}};
  SeededRng rng_{1};
  UsedTokens used_{keys_};
  Instant now_{1h};
};

TEST_F(UsedTokensTest, ATokenWorksOnceForAsLongAsItLives) {  // RFC 9000 §8.1.4
  for (int turn = 0; turn < 5; ++turn) {
    const auto token = next_token();
    ASSERT_TRUE(used_.take(token, now_)) << turn;
    const Instant until = now_ + kNewTokenLifetime;
    for (; now_ <= until; now_ += 3h) EXPECT_FALSE(used_.take(token, now_));
    now_ = until + 1s;
  }
}

TEST_F(UsedTokensTest, FreshTokensHardlyEverLookUsed) {
  std::size_t refused = 0;
  for (std::size_t i = 0; i < UsedTokens::kCapacity; ++i) refused += used_.take(next_token(), now_) ? 0 : 1;
  EXPECT_LT(refused, UsedTokens::kCapacity / 1000);
}

TEST_F(UsedTokensTest, AFullFilterTakesNoMoreUntilItsTurnIsOver) {
  const auto first = next_token();
  ASSERT_TRUE(used_.take(first, now_));
  for (std::size_t i = 0; i < 2 * UsedTokens::kCapacity; ++i) static_cast<void>(used_.take(next_token(), now_));
  EXPECT_FALSE(used_.take(next_token(), now_));
  EXPECT_FALSE(used_.take(first, now_));
  now_ += kNewTokenLifetime;
  EXPECT_FALSE(used_.take(first, now_));  // not forgotten in between
  EXPECT_TRUE(used_.take(next_token(), now_));
}

}  // namespace
}  // namespace mpquic
