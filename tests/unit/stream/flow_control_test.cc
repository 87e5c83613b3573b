#include "stack/stream/flow_control.h"

#include <gtest/gtest.h>

#include "stack/base/ids.h"

namespace mpquic {
namespace {

TEST(SendCreditTest, NeverShrinks) {  // RFC 9000 §4.1
  SendCredit credit(100);
  credit.use(60);
  EXPECT_FALSE(credit.raise(80));
  EXPECT_FALSE(credit.raise(100));
  EXPECT_EQ(credit.available(), 40U);
  EXPECT_TRUE(credit.raise(120));
  EXPECT_EQ(credit.available(), 60U);
}

TEST(SendCreditTest, SignalsOncePerLimit) {
  SendCredit credit(10);
  EXPECT_FALSE(credit.should_signal());
  credit.use(10);
  EXPECT_TRUE(credit.should_signal());
  credit.on_signalled();
  EXPECT_FALSE(credit.should_signal());
  EXPECT_TRUE(credit.raise(20));
  credit.use(10);
  EXPECT_TRUE(credit.should_signal());
}

TEST(SendCreditTest, RepeatsALostSignalOnlyWhileItIsTrue) {  // RFC 9000 §13.3
  SendCredit credit(10);
  credit.use(10);
  credit.on_signalled();
  EXPECT_TRUE(credit.on_signal_lost(10));
  EXPECT_TRUE(credit.should_signal());
  credit.on_signalled();
  EXPECT_TRUE(credit.raise(20));
  EXPECT_FALSE(credit.on_signal_lost(10));
}

TEST(ReceiveWindowTest, AdvertisesAfterHalfWithAReaderThatKeepsUp) {
  ReceiveWindow window(100, kMaxVarint);
  window.on_received(49);
  window.on_consumed(49);
  EXPECT_FALSE(window.should_advertise());
  window.on_received(1);
  window.on_consumed(1);
  EXPECT_TRUE(window.should_advertise());
  EXPECT_EQ(window.next_limit(), 150U);
  window.on_advertised();
  EXPECT_FALSE(window.should_advertise());
  EXPECT_EQ(window.remaining(), 100U);
}

TEST(ReceiveWindowTest, NeverStarvesAPeerOverUnreadData) {
  // 70 bytes lie unread in one stream for ever; the other streams must go on with the remaining 30.
  ReceiveWindow window(100, kMaxVarint);
  window.on_received(70);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_GT(window.remaining(), 0U);
    window.on_received(1);
    window.on_consumed(1);
    if (window.should_advertise()) window.on_advertised();
  }
}

TEST(ReceiveWindowTest, ASlowReaderDoesNotMakeAFrameOfEachByte) {
  ReceiveWindow window(1 << 20, kMaxVarint, kWindowQuantum);
  window.on_received(1 << 20);
  int frames = 0;
  for (std::uint64_t i = 0; i < 10 * kWindowQuantum; ++i) {
    window.on_consumed(1);
    if (!window.should_advertise()) continue;
    window.on_advertised();
    window.on_received(window.remaining());
    ++frames;
  }
  EXPECT_EQ(frames, 10);
}

TEST(ReceiveWindowTest, RepeatsOnlyTheNewestLimit) {
  ReceiveWindow window(100, kMaxVarint);
  window.on_received(60);
  window.on_consumed(60);
  window.on_advertised();
  window.on_received(60);
  window.on_consumed(60);
  window.on_advertised();
  EXPECT_FALSE(window.on_lost(160));
  EXPECT_FALSE(window.should_advertise());
  EXPECT_TRUE(window.on_lost(220));
  EXPECT_TRUE(window.should_advertise());
}

TEST(ReceiveWindowTest, StopsAtTheCap) {
  ReceiveWindow window(100, 150);
  window.on_received(100);
  window.on_consumed(100);
  EXPECT_EQ(window.next_limit(), 150U);
  window.on_advertised();
  window.on_received(50);
  window.on_consumed(50);
  EXPECT_FALSE(window.should_advertise());
}

TEST(ReceiveWindowTest, AWindowOfNothingNeverAdvertises) {
  const ReceiveWindow window(0, kMaxVarint);
  EXPECT_FALSE(window.should_advertise());
}

}  // namespace
}  // namespace mpquic
