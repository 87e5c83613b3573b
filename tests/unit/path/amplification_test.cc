#include "stack/path/amplification.h"

#include <gtest/gtest.h>

namespace mpquic {
namespace {

TEST(AmplificationLimit, NothingMayBeSentBeforeSomethingArrives) {
  EXPECT_EQ(AmplificationLimit().credit(), ByteCount{});
}

TEST(AmplificationLimit, ThreeTimesWhatArrived) {  // RFC 9000 §8.1, digest 22
  AmplificationLimit limit;
  limit.on_received(ByteCount{1200});
  EXPECT_EQ(limit.credit(), ByteCount{3600});
  limit.on_sent(ByteCount{1200});
  EXPECT_EQ(limit.credit(), ByteCount{2400});
  limit.on_received(ByteCount{100});
  EXPECT_EQ(limit.credit(), ByteCount{2700});
}

TEST(AmplificationLimit, OverdraftNeverUnderflows) {
  AmplificationLimit limit;
  limit.on_received(ByteCount{100});
  limit.on_sent(ByteCount{1200});
  EXPECT_EQ(limit.credit(), ByteCount{});
  limit.on_received(ByteCount{301});
  EXPECT_EQ(limit.credit(), ByteCount{3}) << "the overdraft is paid back first";
}

TEST(AmplificationLimit, ValidationLiftsIt) {
  AmplificationLimit limit;
  limit.on_sent(ByteCount{5000});
  limit.lift();
  EXPECT_EQ(limit.credit(), AmplificationLimit::kUnlimited);
}

}  // namespace
}  // namespace mpquic
