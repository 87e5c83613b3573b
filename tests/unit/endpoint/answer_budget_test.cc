#include "stack/endpoint/answer_budget.h"

#include <gtest/gtest.h>

namespace mpquic {
namespace {

using namespace std::chrono_literals;

constexpr const Allowance& allowance_of(BudgetPurpose purpose) {
  return kAllowances[static_cast<std::size_t>(purpose)];
}
IpAddress source(std::uint32_t i) {
  return IpAddress::v4(
      {10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)});
}
IpAddress v6_source(std::uint8_t prefix, std::uint8_t host) {
  std::array<std::uint8_t, 16> octets{0x20, 0x01, 0x0d, 0xb8};
  octets[7] = prefix;
  octets[15] = host;
  return IpAddress::v6(octets);
}

class AnswerBudgetTest : public testing::Test {
 protected:
  /// How many of `tries` that source gets.
  std::uint32_t spend(BudgetPurpose purpose, const IpAddress& from, std::uint32_t tries) {
    std::uint32_t got = 0;
    for (std::uint32_t i = 0; i < tries; ++i) got += budget_.take(purpose, from, now_) ? 1 : 0;
    return got;
  }
  StaticKeys keys_{{std::byte{1}}};
  AnswerBudget budget_{keys_};
  Instant now_{1h};
};

TEST_F(AnswerBudgetTest, OneSourceSpendsItsOwnOnly) {
  const std::uint16_t each = allowance_of(BudgetPurpose::retry).of_one_source;
  EXPECT_EQ(spend(BudgetPurpose::retry, source(1), 100'000), each);
  EXPECT_EQ(spend(BudgetPurpose::retry, source(2), 100'000), each);
  now_ += 1s;
  EXPECT_EQ(spend(BudgetPurpose::retry, source(1), 100'000), each);
}

TEST_F(AnswerBudgetTest, AnIpv6PrefixIsOneSource) {
  const std::uint16_t each = allowance_of(BudgetPurpose::retry).of_one_source;
  std::uint32_t got = 0;
  for (std::uint8_t host = 0; host < 200; ++host) got += spend(BudgetPurpose::retry, v6_source(1, host), 10);
  EXPECT_EQ(got, each);
  EXPECT_TRUE(budget_.take(BudgetPurpose::retry, v6_source(2, 0), now_));
}

TEST_F(AnswerBudgetTest, NoPurposeSpendsWhatIsAnothers) {
  constexpr auto kLast = static_cast<std::uint8_t>(BudgetPurpose::count_);
  for (std::uint8_t other = 0; other < kLast; ++other) {
    now_ += 1s;
    for (std::uint32_t i = 0; i < 50'000; ++i)
      static_cast<void>(budget_.take(static_cast<BudgetPurpose>(other), source(i), now_));
    for (std::uint8_t purpose = 0; purpose < kLast; ++purpose) {
      if (purpose == other) continue;
      EXPECT_TRUE(budget_.take(static_cast<BudgetPurpose>(purpose), source(7), now_)) << int{purpose};
    }
  }
}

TEST_F(AnswerBudgetTest, TotalsBoundTheWorkOfOneSecond) {
  for (const auto purpose : {BudgetPurpose::version_negotiation, BudgetPurpose::reset, BudgetPurpose::refusal,
                             BudgetPurpose::first_flight}) {
    std::uint32_t got = 0;
    for (std::uint32_t i = 0; i < 60'000; ++i) got += budget_.take(purpose, source(i), now_) ? 1 : 0;
    EXPECT_EQ(got, allowance_of(purpose).in_total);
  }
}

TEST_F(AnswerBudgetTest, AFloodFromEverywhereLeavesRetriesForEveryStranger) {
  for (std::uint32_t i = 0; i < 200'000; ++i) ASSERT_TRUE(budget_.take(BudgetPurpose::retry, source(i), now_)) << i;
  EXPECT_TRUE(budget_.take(BudgetPurpose::retry, IpAddress::v4({192, 0, 2, 1}), now_));
}

}  // namespace
}  // namespace mpquic
