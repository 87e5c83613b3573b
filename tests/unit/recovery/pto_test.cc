#include "stack/recovery/pto.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/unit/recovery/recovery_fixtures.h"

namespace mpquic {
namespace {

using namespace recovery_test;

constexpr PtoSpace in_flight(SpaceId space, Instant last) { return {space, true, last}; }

TEST(Pto, BacksOffExponentiallyUpToTheCap) {  // RFC 9002 §6.2.1
  EXPECT_EQ(backed_off(milliseconds(100), 0), milliseconds(100));
  EXPECT_EQ(backed_off(milliseconds(100), 3), milliseconds(800));
  EXPECT_EQ(backed_off(milliseconds(100), 7), kMaxPto);
  EXPECT_EQ(backed_off(milliseconds(100), UINT32_MAX), kMaxPto);
  EXPECT_EQ(backed_off(seconds(15), 4), seconds(15));
}

TEST(Pto, MaxAckDelayCountsInTheApplicationSpaceOnly) {  // RFC 9002 §6.2.1
  const PtoContext context{.base = milliseconds(300), .max_ack_delay = milliseconds(25), .handshake_confirmed = true};
  const std::array application{in_flight(SpaceId::application, kStart)};
  EXPECT_EQ(earliest_pto(application, context)->time, kStart + milliseconds(325));
  const std::array handshake{in_flight(SpaceId::handshake, kStart)};
  EXPECT_EQ(earliest_pto(handshake, context)->time, kStart + milliseconds(300));
}

TEST(Pto, BackoffCoversMaxAckDelayToo) {  // RFC 9002 §A.8
  const PtoContext context{
      .base = milliseconds(300), .max_ack_delay = milliseconds(25), .count = 2, .handshake_confirmed = true};
  const std::array spaces{in_flight(SpaceId::application, kStart)};
  EXPECT_EQ(earliest_pto(spaces, context)->time, kStart + milliseconds(1300));
}

TEST(Pto, TheEarliestSpaceWins) {  // RFC 9002 §6.2.1
  const PtoContext context{.base = milliseconds(300)};
  const std::array spaces{in_flight(SpaceId::initial, kStart + milliseconds(2)),
                          in_flight(SpaceId::handshake, kStart + milliseconds(1))};
  const auto pto = earliest_pto(spaces, context);
  EXPECT_EQ(pto->space, SpaceId::handshake);
  EXPECT_EQ(pto->time, kStart + milliseconds(301));
}

TEST(Pto, TheApplicationSpaceWaitsForConfirmation) {  // RFC 9002 §6.2.1
  PtoContext context{.base = milliseconds(300)};
  const std::array spaces{in_flight(SpaceId::application, kStart)};
  EXPECT_EQ(earliest_pto(spaces, context), std::nullopt);
  context.handshake_confirmed = true;
  EXPECT_NE(earliest_pto(spaces, context), std::nullopt);
}

TEST(Pto, NothingInFlightNeedsNoTimer) {
  const std::array spaces{PtoSpace{SpaceId::application, false, kStart}};
  EXPECT_EQ(earliest_pto(spaces, {.base = milliseconds(300), .handshake_confirmed = true}), std::nullopt);
}

TEST(Pto, AClientProbesAnAmplificationLimitedServer) {  // RFC 9002 §6.2.2.1
  PtoContext context{.base = milliseconds(300), .count = 1, .anti_deadlock_from = kStart};
  EXPECT_EQ(earliest_pto({}, context)->space, SpaceId::initial);
  EXPECT_EQ(earliest_pto({}, context)->time, kStart + milliseconds(600));
  context.has_handshake_keys = true;
  EXPECT_EQ(earliest_pto({}, context)->space, SpaceId::handshake);
}

}  // namespace
}  // namespace mpquic
