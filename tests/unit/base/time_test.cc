#include "stack/base/time.h"

#include <gtest/gtest.h>

#include "stack/base/bandwidth.h"

namespace mpquic {
namespace {

using namespace std::chrono_literals;

template <class Clock>
concept TellsTime = requires { Clock::now(); };
static_assert(!TellsTime<StackClock>, "the core is told what time it is");

constexpr Instant kEarly{1ms};
constexpr Instant kLate{2ms};

TEST(Deadlines, TheEarlierWins) {
  EXPECT_EQ(earlier(kEarly, kLate), kEarly);
  EXPECT_EQ(earlier(kLate, kEarly), kEarly);
  EXPECT_EQ(earlier(std::nullopt, kLate), kLate);
  EXPECT_EQ(earlier(kLate, std::nullopt), kLate);
  EXPECT_EQ(earlier(std::nullopt, std::nullopt), std::nullopt);
}

TEST(Deadlines, ExpireAtTheirInstantAndAbsentOnesNever) {
  EXPECT_FALSE(expired(kLate, kEarly));
  EXPECT_TRUE(expired(kLate, kLate));
  EXPECT_TRUE(expired(kEarly, kLate));
  EXPECT_FALSE(expired(std::nullopt, kLate));
}

TEST(Durations, ConvertForReports) {
  EXPECT_DOUBLE_EQ(to_seconds(1500ms), 1.5);
  EXPECT_DOUBLE_EQ(to_milliseconds(1500us), 1.5);
}

TEST(Bandwidths, ComeFromBytesAndTime) {
  EXPECT_EQ(Bandwidth::from_bytes_and_time(ByteCount{1'250'000}, 1s).bits_per_second(), 10'000'000U);
  EXPECT_EQ(Bandwidth::from_bytes_and_time(ByteCount{1500}, 1ms).bits_per_second(), 12'000'000U);
  EXPECT_EQ(Bandwidth::from_bytes_and_time(ByteCount{1500}, 0ms).bits_per_second(), UINT64_MAX);
  EXPECT_EQ(Bandwidth::from_bytes_and_time(ByteCount{0}, 1s), Bandwidth{});
}

TEST(Bandwidths, TransferTimeRoundsUp) {
  const auto rate = Bandwidth::from_bits_per_second(12'000'000);
  EXPECT_EQ(rate.transfer_time(ByteCount{1500}), 1ms);
  EXPECT_EQ(Bandwidth::from_bits_per_second(3'000'000'000).transfer_time(ByteCount{1}), 3ns);  // 2.67
  EXPECT_EQ(rate.transfer_time(ByteCount{0}), 0ns);
}

TEST(Bandwidths, BytesInATimeRoundDown) {
  const auto rate = Bandwidth::from_bits_per_second(10'000'000);
  EXPECT_EQ(rate.bytes_in(1s), ByteCount{1'250'000});
  EXPECT_EQ(rate.bytes_in(1us), ByteCount{1});  // 1.25
  EXPECT_EQ(rate.bytes_in(0s), ByteCount{0});
  EXPECT_EQ(rate.bytes_in(-1s), ByteCount{0});
}

TEST(Bandwidths, DoNotOverflowAtHighRates) {
  const auto rate = Bandwidth::from_bits_per_second(400'000'000'000);
  EXPECT_EQ(rate.bytes_in(1h), ByteCount{180'000'000'000'000});
  EXPECT_EQ(rate.transfer_time(ByteCount{180'000'000'000'000}), 1h);
  EXPECT_EQ(Bandwidth::from_bytes_and_time(ByteCount{180'000'000'000'000}, 1h), rate);
}

TEST(Bandwidths, AreOrdered) {
  EXPECT_LT(Bandwidth::from_bits_per_second(1), Bandwidth::from_bits_per_second(2));
  EXPECT_EQ(Bandwidth{}.bits_per_second(), 0U);
}

TEST(Earliest, IsTheLeastOfWhatWasAdded) {
  Earliest earliest;
  EXPECT_EQ(earliest.deadline(), std::nullopt);
  EXPECT_FALSE(earliest.exceeds(std::nullopt));
  const Instant at{std::chrono::seconds(5)};
  EXPECT_TRUE(earliest.exceeds(at));
  earliest.add(at);
  earliest.add(std::nullopt);
  earliest.add(at + std::chrono::seconds(1));
  EXPECT_EQ(earliest.deadline(), at);
  EXPECT_FALSE(earliest.exceeds(at));
  EXPECT_TRUE(earliest.exceeds(at - Duration(1)));
}

}  // namespace
}  // namespace mpquic
