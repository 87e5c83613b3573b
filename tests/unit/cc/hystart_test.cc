#include "stack/cc/hystart.h"

#include <gtest/gtest.h>

#include "tests/unit/cc/cc_fixtures.h"

namespace mpquic {
namespace {

using namespace cc_test;
using Phase = HyStart::Phase;

/// Rounds of `acks` ACKs with one RTT each; every round's packets are sent after the round began.
class Rounds {
 public:
  Phase run(Duration rtt, std::uint32_t acks = HyStart::kRttSamples) {
    const Instant sent = now_;
    for (std::uint32_t i = 0; i < acks; ++i) {
      now_ += milliseconds(1);
      phase_ = hystart_.on_acked(sent, rtt, now_);
    }
    return phase_;
  }

 private:
  HyStart hystart_;
  Instant now_ = kStart;
  Phase phase_ = Phase::slow_start;
};

TEST(HyStart, SteadyDelayStaysInSlowStart) {
  Rounds rounds;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rounds.run(milliseconds(50)), Phase::slow_start);
}

TEST(HyStart, AnIncreaseOfAnEighthEntersConservativeSlowStart) {  // RFC 9406 §4.2: lastRoundMinRTT / 8
  Rounds rounds;
  rounds.run(milliseconds(80));
  EXPECT_EQ(rounds.run(milliseconds(90) - Duration(1)), Phase::slow_start);
  Rounds grown;
  grown.run(milliseconds(80));
  EXPECT_EQ(grown.run(milliseconds(90)), Phase::conservative);
}

TEST(HyStart, TheThresholdIsClamped) {  // RFC 9406 §4.3: 4 ms to 16 ms
  Rounds shorter;
  shorter.run(milliseconds(8));
  EXPECT_EQ(shorter.run(microseconds(11'999)), Phase::slow_start);
  Rounds short_grown;
  short_grown.run(milliseconds(8));
  EXPECT_EQ(short_grown.run(milliseconds(12)), Phase::conservative);
  Rounds longer;
  longer.run(milliseconds(400));
  EXPECT_EQ(longer.run(milliseconds(416)), Phase::conservative);
}

TEST(HyStart, NeedsEightSamples) {  // RFC 9406 §4.3: N_RTT_SAMPLE
  Rounds rounds;
  rounds.run(milliseconds(50));
  EXPECT_EQ(rounds.run(milliseconds(90), HyStart::kRttSamples - 1), Phase::slow_start);
}

TEST(HyStart, ReturnsToSlowStartWhenTheDelayWasJitter) {  // RFC 9406 §4.2
  Rounds rounds;
  rounds.run(milliseconds(50));
  ASSERT_EQ(rounds.run(milliseconds(60)), Phase::conservative);
  EXPECT_EQ(rounds.run(milliseconds(55)), Phase::slow_start);
}

TEST(HyStart, FiveConservativeRoundsEndIt) {  // RFC 9406 §4.3: CSS_ROUNDS, the partial round counted
  Rounds rounds;
  rounds.run(milliseconds(50));
  ASSERT_EQ(rounds.run(milliseconds(60)), Phase::conservative);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(rounds.run(milliseconds(60)), Phase::conservative) << i;
  EXPECT_EQ(rounds.run(milliseconds(60)), Phase::done);
  EXPECT_EQ(rounds.run(milliseconds(10)), Phase::done);
}

}  // namespace
}  // namespace mpquic
