#include "stack/cc/pacer.h"

#include <gtest/gtest.h>

#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;

constexpr Bandwidth kTenMegabits = Bandwidth::from_bits_per_second(10'000'000);  // 1200 bytes take 960 us
constexpr Bandwidth kGigabit = Bandwidth::from_bits_per_second(1'000'000'000);

Pacer paced(Bandwidth rate) {
  Pacer pacer(kDatagram);
  pacer.set_rate(rate, kStart);
  return pacer;
}
/// Sends datagrams as early as the pacer lets them go, until `end`. Gives the bytes.
std::uint64_t drain(Pacer& pacer, Instant from, Instant end) {
  std::uint64_t sent = 0;
  Instant now = from;
  while (now <= end) {
    if (const Deadline next = pacer.next_send(now)) {
      EXPECT_GT(*next, now);
      EXPECT_FALSE(pacer.can_send(*next - Duration(1)));
      now = *next;
      EXPECT_TRUE(pacer.can_send(now));
      continue;
    }
    pacer.on_sent(ByteCount{kDatagram}, now);
    sent += kDatagram;
  }
  return sent;
}

TEST(Pacer, WithoutARateNothingWaits) {
  Pacer pacer(kDatagram);
  for (int i = 0; i < 1000; ++i) pacer.on_sent(ByteCount{kDatagram}, kStart);
  EXPECT_TRUE(pacer.can_send(kStart));
  EXPECT_EQ(pacer.next_send(kStart), std::nullopt);
  EXPECT_GT(pacer.budget(kStart).value(), 1U << 30);
}

TEST(Pacer, ABurstIsTheInitialWindow) {  // RFC 9002 §7.7
  Pacer pacer = paced(kTenMegabits);
  EXPECT_EQ(pacer.budget(kStart), ByteCount{12'000});
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(pacer.can_send(kStart));
    pacer.on_sent(ByteCount{kDatagram}, kStart);
  }
  EXPECT_FALSE(pacer.can_send(kStart));
  EXPECT_EQ(pacer.budget(kStart), ByteCount{0});
  EXPECT_EQ(pacer.next_send(kStart), kStart + milliseconds(1)) << "1250 bytes: one quantum";
  EXPECT_TRUE(pacer.can_send(kStart + milliseconds(1)));
}

TEST(Pacer, ABurstIsAtMostATrain) {
  Pacer pacer = paced(kGigabit);
  EXPECT_EQ(pacer.budget(kStart + seconds(10)), ByteCount{Pacer::kMaxBurstBytes});
}

TEST(Pacer, IdleTimeEarnsNoMoreThanABurst) {
  Pacer pacer = paced(kTenMegabits);
  EXPECT_EQ(pacer.budget(kStart + std::chrono::hours(1000)), ByteCount{12'000});
}

TEST(Pacer, TheLongRunRateIsExact) {
  for (const std::uint64_t rate : {100'000ULL, 10'000'000ULL, 123'456'789ULL, 2'000'000'000ULL}) {
    Pacer pacer = paced(Bandwidth::from_bits_per_second(rate));
    const std::uint64_t burst = pacer.budget(kStart).value();
    const std::uint64_t sent = drain(pacer, kStart, kStart + seconds(10));
    EXPECT_NEAR(static_cast<double>(sent - burst), static_cast<double>(rate) * 10 / 8,
                static_cast<double>(Pacer::kMaxBurstBytes))
        << rate;
  }
}

TEST(Pacer, AskingOftenChangesNothing) {
  Pacer asked = paced(kTenMegabits);
  Pacer quiet = paced(kTenMegabits);
  for (Pacer* pacer : {&asked, &quiet}) pacer->on_sent(ByteCount{12'000}, kStart);
  for (int i = 1; i < 1000; ++i) asked.set_rate(kTenMegabits, kStart + Duration(i * 7));
  EXPECT_EQ(asked.next_send(kStart + Duration(7000)), quiet.next_send(kStart + Duration(7000)));
}

TEST(Pacer, FastPathsResumeWithATrain) {
  Pacer pacer = paced(kGigabit);
  pacer.on_sent(ByteCount{Pacer::kMaxBurstBytes}, kStart);
  const Deadline next = pacer.next_send(kStart);
  ASSERT_TRUE(next);
  EXPECT_GE(pacer.budget(*next).value(), 6 * kDatagram);
  pacer.on_sent(ByteCount{kDatagram}, *next);
  EXPECT_TRUE(pacer.can_send(*next)) << "what is left of the quantum may go on";
}

TEST(Pacer, DebtIsPaidButBounded) {
  Pacer pacer = paced(kTenMegabits);
  for (int i = 0; i < 1000; ++i) pacer.on_sent(ByteCount{kDatagram}, kStart);
  const Deadline next = pacer.next_send(kStart);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, kStart + microseconds(9600) + milliseconds(1)) << "a bucket of debt and a quantum";
}

TEST(Pacer, ARateChangeKeepsWhatWasEarned) {
  Pacer pacer = paced(kTenMegabits);
  pacer.on_sent(ByteCount{12'000}, kStart);
  pacer.set_rate(kGigabit, kStart + milliseconds(5));  // 6250 bytes earned so far
  EXPECT_EQ(pacer.next_send(kStart + milliseconds(5)), kStart + milliseconds(5) + Duration((32'768 - 6250) * 8));
  pacer.set_rate(Bandwidth{}, kStart + milliseconds(6));
  EXPECT_TRUE(pacer.can_send(kStart + milliseconds(6)));
}

TEST(Pacer, LargerDatagramsNeedMoreCredit) {
  Pacer pacer = paced(kTenMegabits);
  for (int i = 0; i < 9; ++i) pacer.on_sent(ByteCount{kDatagram}, kStart);
  ASSERT_TRUE(pacer.can_send(kStart));
  pacer.set_max_datagram_size(1452, kStart);
  EXPECT_FALSE(pacer.can_send(kStart));
}

}  // namespace
}  // namespace mpquic
