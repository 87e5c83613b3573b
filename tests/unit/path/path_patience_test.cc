// How long what is outstanding on a path may stay so before it counts as overdue (docs/adr/0007).
#include <gtest/gtest.h>

#include "tests/unit/path/path_fixture.h"

namespace mpquic {
namespace {

using namespace path_test;

class PathPatience : public ::testing::Test {
 protected:
  void ack(std::uint64_t smallest, std::uint64_t largest, Instant now) {
    out_.clear();
    ASSERT_TRUE(path_.on_ack(kApp, ack_of(smallest, largest), now, out_));
  }

  /// Round trips of 100 ms until their variance is small; then nothing is outstanding.
  void warm_up() {
    for (int i = 0; i < 20; ++i) {
      const PacketNumber number = send(path_, now_);
      now_ += milliseconds(100);
      ack(number.value(), number.value(), now_);
    }
    EXPECT_FALSE(path_.overdue_at());
  }

  Instant now_ = kStart;
  CountingRng rng_;
  PathSettings settings_ = settings_for(Role::client);
  RingBuffer<PathEvent> events_;
  CouplingGroup coupling_;
  AckOutcome out_;
  Path path_{PathId{1}, tuple_of(1), Path::Start::proved, PathContext{settings_, rng_, events_, coupling_}, kStart};
};

TEST_F(PathPatience, NothingIsOverdueBeforeTheFirstRoundTrip) {
  send(path_, kStart);
  EXPECT_FALSE(path_.overdue_at());
}

TEST_F(PathPatience, IsThreeRoundTripsOfTheRoundThatAPacketBelongsTo) {
  warm_up();
  std::vector<std::uint64_t> sent;
  for (int i = 0; i < 20; ++i) sent.push_back(send(path_, now_ + milliseconds(i)).value());
  EXPECT_EQ(path_.overdue_at(), now_ + milliseconds(300));
  ack(sent[0], sent[0], now_ + milliseconds(100));  // the round of the others begins
  // The line sinks: every acknowledgement takes longer than the one before, and the smoothed round trip follows.
  for (std::size_t i = 1; i < 10; ++i) ack(sent[i], sent[i], now_ + milliseconds(500 * i));
  EXPECT_GT(path_.rtt().smoothed(), milliseconds(1000));
  EXPECT_EQ(path_.view(now_).patience, milliseconds(300)) << "packets of that round are outstanding";
  EXPECT_EQ(path_.overdue_at(), now_ + milliseconds(10 + 300));
}

TEST_F(PathPatience, AtMostDoublesFromOneRoundToTheNext) {
  warm_up();
  const PacketNumber number = send(path_, now_);
  ack(number.value(), number.value(), now_ + seconds(20));
  EXPECT_GT(path_.rtt().smoothed(), seconds(2));
  EXPECT_EQ(path_.view(now_).patience, milliseconds(600));
}

TEST_F(PathPatience, WhatWasLookedAtAndWhatElicitsNoAckIsLeftOut) {
  warm_up();
  path_.on_packet_sent(kApp, {.number = path_.space(kApp).next_number(), .time_sent = now_, .bytes = 40}, {}, now_);
  EXPECT_FALSE(path_.overdue_at());
  const PacketNumber first = send(path_, now_ + milliseconds(1));
  send(path_, now_ + milliseconds(2));
  EXPECT_EQ(path_.overdue_at(), now_ + milliseconds(301));
  path_.reinjection_marks().overdue = first.next();
  EXPECT_EQ(path_.overdue_at(), now_ + milliseconds(302));
}

}  // namespace
}  // namespace mpquic
