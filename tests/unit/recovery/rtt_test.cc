#include "stack/recovery/rtt.h"

#include <gtest/gtest.h>

#include "tests/unit/recovery/recovery_fixtures.h"

namespace mpquic {
namespace {

using namespace recovery_test;

RttMeasurement measured(Duration latest, Duration ack_delay = {}) {
  return {.latest = latest, .ack_delay = ack_delay, .max_ack_delay = milliseconds(25), .handshake_confirmed = true};
}

TEST(Rtt, StartsFromTheInitialRtt) {  // RFC 9002 §6.2.2
  const RttEstimator rtt;
  EXPECT_FALSE(rtt.has_sample());
  EXPECT_EQ(rtt.smoothed(), milliseconds(333));
  EXPECT_EQ(rtt.variance(), microseconds(166500));
  EXPECT_EQ(rtt.pto_base(Duration::zero()), milliseconds(999));
}

TEST(Rtt, FirstSampleReplacesTheGuessAndIgnoresAckDelay) {  // RFC 9002 §5.3
  RttEstimator rtt;
  rtt.update(measured(milliseconds(100), milliseconds(20)), kStart);
  EXPECT_EQ(rtt.min(), milliseconds(100));
  EXPECT_EQ(rtt.smoothed(), milliseconds(100));
  EXPECT_EQ(rtt.variance(), milliseconds(50));
  EXPECT_EQ(rtt.first_sample_time(), kStart);
}

TEST(Rtt, SmoothsLaterSamples) {  // RFC 9002 §5.3
  RttEstimator rtt;
  rtt.update(measured(milliseconds(100)), kStart);
  rtt.update(measured(milliseconds(180)), kStart + seconds(1));
  EXPECT_EQ(rtt.latest(), milliseconds(180));
  EXPECT_EQ(rtt.variance(), microseconds(57500));  // 3/4 * 50 + 1/4 * |100 - 180|
  EXPECT_EQ(rtt.smoothed(), milliseconds(110));    // 7/8 * 100 + 1/8 * 180
  EXPECT_EQ(rtt.first_sample_time(), kStart);
}

TEST(Rtt, SubtractsAckDelayUpToMaxAckDelayOnceConfirmed) {  // RFC 9002 §5.3
  RttEstimator rtt;
  rtt.update(measured(milliseconds(100)), kStart);
  rtt.update(measured(milliseconds(205), milliseconds(500)), kStart);
  EXPECT_EQ(rtt.smoothed(), milliseconds(110));  // adjusted to 180
}

TEST(Rtt, BelievesLargerAckDelayBeforeConfirmation) {  // RFC 9002 §5.3
  RttEstimator rtt;
  rtt.update(measured(milliseconds(100)), kStart);
  RttMeasurement early = measured(milliseconds(260), milliseconds(80));
  early.handshake_confirmed = false;
  rtt.update(early, kStart);
  EXPECT_EQ(rtt.smoothed(), milliseconds(110));  // adjusted to 180
}

TEST(Rtt, IgnoresAckDelayThatWouldUndercutMinRtt) {  // RFC 9002 §5.3
  RttEstimator rtt;
  rtt.update(measured(milliseconds(100)), kStart);
  rtt.update(measured(milliseconds(108), milliseconds(10)), kStart);
  EXPECT_EQ(rtt.smoothed(), milliseconds(101));
  rtt.update(measured(milliseconds(110), milliseconds(10)), kStart);  // exactly down to min_rtt is believed
  EXPECT_EQ(rtt.smoothed(), (7 * Duration(milliseconds(101)) + milliseconds(100)) / 8);
}

TEST(Rtt, IgnoresAckDelayOfInitialPackets) {  // RFC 9002 §5.3
  RttEstimator rtt;
  rtt.update(measured(milliseconds(100)), kStart);
  RttMeasurement initial = measured(milliseconds(180), milliseconds(20));
  initial.space = SpaceId::initial;
  rtt.update(initial, kStart);
  EXPECT_EQ(rtt.smoothed(), milliseconds(110));
}

TEST(Rtt, MinRttUsesTheRawSample) {  // RFC 9002 §5.2
  RttEstimator rtt;
  rtt.update(measured(milliseconds(100)), kStart);
  rtt.update(measured(milliseconds(90), milliseconds(20)), kStart);
  EXPECT_EQ(rtt.min(), milliseconds(90));
  rtt.update(measured(milliseconds(95)), kStart);
  EXPECT_EQ(rtt.min(), milliseconds(90));
}

TEST(Rtt, ResetMinTakesTheNextSample) {  // RFC 9002 §5.2
  RttEstimator rtt;
  rtt.update(measured(milliseconds(50)), kStart);
  rtt.reset_min();
  EXPECT_EQ(rtt.min(), milliseconds(50));
  rtt.update(measured(milliseconds(200)), kStart);
  EXPECT_EQ(rtt.min(), milliseconds(200));
  rtt.update(measured(milliseconds(250)), kStart);
  EXPECT_EQ(rtt.min(), milliseconds(200));
}

TEST(Rtt, TimersNeverGoBelowGranularity) {  // RFC 9002 §6.1.2, §6.2.1
  RttEstimator rtt;
  for (int i = 0; i < 100; ++i) rtt.update(measured(microseconds(100)), kStart);
  EXPECT_EQ(rtt.loss_delay(), milliseconds(1));
  EXPECT_EQ(rtt.pto_base(milliseconds(25)), microseconds(100) + milliseconds(1) + milliseconds(25));
}

TEST(Rtt, LossDelayIsNineEighthsOfTheLargerRtt) {  // RFC 9002 §6.1.2
  RttEstimator rtt;
  rtt.update(measured(milliseconds(80)), kStart);
  EXPECT_EQ(rtt.loss_delay(), milliseconds(90));
  rtt.update(measured(milliseconds(160)), kStart);
  EXPECT_EQ(rtt.loss_delay(), milliseconds(180));
}

TEST(Rtt, PersistentCongestionIsThreePtos) {  // RFC 9002 §7.6.1
  RttEstimator rtt;
  rtt.update(measured(milliseconds(100)), kStart);
  EXPECT_EQ(rtt.persistent_congestion_duration(milliseconds(25)), milliseconds(3 * (100 + 200 + 25)));
}

TEST(Rtt, ResetForgetsEverything) {  // RFC 9000 §9.4
  RttEstimator rtt(milliseconds(200));
  rtt.update(measured(milliseconds(10)), kStart);
  rtt.reset();
  EXPECT_FALSE(rtt.has_sample());
  EXPECT_EQ(rtt.smoothed(), milliseconds(200));
}

TEST(Rtt, AnInstantSampleKeepsTheEstimatorPositive) {
  RttEstimator rtt;
  rtt.update(measured(Duration::zero()), kStart);
  EXPECT_GT(rtt.smoothed(), Duration::zero());
}

TEST(AckDelay, ScalesAndSaturates) {  // RFC 9000 §19.3
  EXPECT_EQ(decode_ack_delay(100, 3), microseconds(800));
  EXPECT_EQ(decode_ack_delay(0, 20), Duration::zero());
  EXPECT_EQ(decode_ack_delay(kMaxVarint, 20), hours(1));
  EXPECT_EQ(decode_ack_delay(kMaxVarint, 0), hours(1));
}

}  // namespace
}  // namespace mpquic
