#include "stack/path/validator.h"

#include <gtest/gtest.h>

#include "tests/unit/path/path_fixture.h"

namespace mpquic {
namespace {

using namespace path_test;

constexpr Duration kPto = seconds(1);

class ValidatorTest : public ::testing::Test {
 protected:
  ValidatorTest() { validator_.start(kStart, kPto); }
  ChallengeData challenge(Instant now, bool expanded = true) { return validator_.send_challenge(rng_, expanded, now); }

  CountingRng rng_;
  Validator validator_;
};

TEST(Validator, IdleOwesNothing) {
  Validator validator;
  EXPECT_FALSE(validator.wants_challenge());
  EXPECT_FALSE(validator.next_deadline());
  EXPECT_FALSE(validator.on_deadline(kStart));
}

TEST_F(ValidatorTest, MatchingResponseValidates) {  // RFC 9000 §8.2.3
  ASSERT_TRUE(validator_.wants_challenge());
  const ChallengeData data = challenge(kStart);
  EXPECT_FALSE(validator_.wants_challenge());
  EXPECT_EQ(validator_.on_response(data, kStart), Validator::Answer::validated);
  EXPECT_TRUE(validator_.address_proved());
  EXPECT_FALSE(validator_.next_deadline());
}

TEST_F(ValidatorTest, OtherDataIsIgnored) {
  ChallengeData data = challenge(kStart);
  data[0] ^= std::byte{1};
  EXPECT_EQ(validator_.on_response(data, kStart), Validator::Answer::unknown);
  EXPECT_TRUE(validator_.in_progress());
}

TEST_F(ValidatorTest, UnsentDataNeverMatches) {
  EXPECT_EQ(validator_.on_response(ChallengeData{}, kStart), Validator::Answer::unknown);
}

TEST_F(ValidatorTest, RepeatsWithFreshDataAndBackoff) {  // RFC 9000 §8.2.1
  const ChallengeData first = challenge(kStart);
  EXPECT_EQ(validator_.next_deadline(), kStart + kPto);
  EXPECT_FALSE(validator_.on_deadline(kStart + kPto));
  ASSERT_TRUE(validator_.wants_challenge());
  const ChallengeData second = challenge(kStart + kPto);
  EXPECT_NE(first, second) << "each in unpredictable data of its own";
  EXPECT_EQ(validator_.next_deadline(), kStart + 3 * kPto);
}

TEST_F(ValidatorTest, AnyOutstandingChallengeMayBeAnswered) {
  const ChallengeData first = challenge(kStart);
  static_cast<void>(validator_.on_deadline(kStart + kPto));
  static_cast<void>(challenge(kStart + kPto));
  EXPECT_EQ(validator_.on_response(first, kStart + kPto), Validator::Answer::validated);
}

TEST_F(ValidatorTest, GivesUpAfterTheTimeLimit) {  // RFC 9000 §8.2.4, digest 27
  Instant now = kStart;
  int sent = 0;
  bool failed = false;
  while (!failed) {
    if (validator_.wants_challenge()) {
      static_cast<void>(challenge(now));
      ++sent;
    }
    ASSERT_TRUE(validator_.next_deadline());
    now = *validator_.next_deadline();
    failed = validator_.on_deadline(now);
  }
  EXPECT_EQ(validator_.state(), Validator::State::failed);
  EXPECT_EQ(now, kStart + Validator::kGiveUpPtos * kPto);
  EXPECT_EQ(sent, 3);
  EXPECT_FALSE(validator_.next_deadline());
}

TEST_F(ValidatorTest, UnsentChallengeStillTimesOut) {  // no credit, no connection ID: not for ever
  EXPECT_EQ(validator_.next_deadline(), kStart + Validator::kGiveUpPtos * kPto);
  EXPECT_TRUE(validator_.on_deadline(kStart + Validator::kGiveUpPtos * kPto));
}

TEST_F(ValidatorTest, AnswerAfterFailureIsTooLate) {
  const ChallengeData data = challenge(kStart);
  ASSERT_TRUE(validator_.on_deadline(kStart + Validator::kGiveUpPtos * kPto));
  EXPECT_EQ(validator_.on_response(data, kStart + seconds(10)), Validator::Answer::unknown);
}

TEST_F(ValidatorTest, SmallChallengeProvesTheAddressAndThenTheMtu) {  // RFC 9000 §8.2.1, digest 25
  const ChallengeData small = challenge(kStart, false);
  EXPECT_EQ(validator_.on_response(small, kStart), Validator::Answer::address_validated);
  EXPECT_TRUE(validator_.address_proved());
  ASSERT_TRUE(validator_.wants_challenge()) << "a second validation with 1200 bytes";
  const ChallengeData big = challenge(kStart, true);
  EXPECT_EQ(validator_.on_response(big, kStart), Validator::Answer::validated);
}

TEST_F(ValidatorTest, PathThatCarriesOnlySmallPacketsFails) {  // digest 25
  const ChallengeData small = challenge(kStart, false);
  static_cast<void>(validator_.on_response(small, kStart));
  static_cast<void>(challenge(kStart, true));
  EXPECT_TRUE(validator_.on_deadline(kStart + Validator::kGiveUpPtos * kPto));
}

}  // namespace
}  // namespace mpquic
