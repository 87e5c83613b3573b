#include "sim/link/trace.h"

#include <gtest/gtest.h>

namespace mpquic::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(TraceImport, ReadsRates) {
  const auto trace = parse_rate_csv("# a drive\nseconds,mbit\n0,10\n 0.5 , 2.5 \r\n\n2,0\n");
  ASSERT_TRUE(trace) << trace.error();
  ASSERT_EQ(trace->size(), 3u);
  EXPECT_EQ((*trace)[0].lasts, milliseconds(500));
  EXPECT_EQ((*trace)[1].value.bits_per_second(), 2'500'000u);
  EXPECT_EQ((*trace)[2].lasts, milliseconds(1500));  // as long as the one before
}

TEST(TraceImport, ReadsDelays) {
  const auto trace = parse_delay_csv("0,40\n15,55.5\n");
  ASSERT_TRUE(trace) << trace.error();
  EXPECT_EQ((*trace)[1].value, std::chrono::microseconds(55'500));
}

TEST(TraceImport, ReadsMahimahi) {
  const auto trace = parse_mahimahi("1\n1\n5\n10\n");
  ASSERT_TRUE(trace) << trace.error();
  EXPECT_EQ(trace->at.size(), 4u);
  EXPECT_EQ(trace->period, milliseconds(10));
  EXPECT_EQ(mean_rate(*trace).bits_per_second(), 4u * 1504 * 8 * 100);
}

TEST(TraceImport, ErrorsNameTheLine) {
  EXPECT_EQ(parse_rate_csv("0,10\n1;20\n").error(), "line 2: expected SECONDS,MBIT_PER_SECOND, got '1;20'");
  EXPECT_EQ(parse_rate_csv("0,10\n1,-1\n").error(), "line 2: expected SECONDS,MBIT_PER_SECOND, got '1,-1'");
  EXPECT_EQ(parse_rate_csv("1,10\n").error(), "line 1: times must start at 0 and grow, got '1,10'");
  EXPECT_EQ(parse_rate_csv("0,10\n0,20\n").error(), "line 2: times must start at 0 and grow, got '0,20'");
  EXPECT_EQ(parse_rate_csv("0,0\n").error(), "line 1: nothing ever passes at these rates");
  EXPECT_EQ(parse_rate_csv("").error(), "line 0: there are no lines SECONDS,MBIT_PER_SECOND");
  EXPECT_EQ(parse_rate_csv("0,nan\n").error(), "line 1: expected SECONDS,MBIT_PER_SECOND, got '0,nan'");
  EXPECT_EQ(parse_delay_csv("0,x\n").error(), "line 1: expected SECONDS,MILLISECONDS, got '0,x'");
  EXPECT_EQ(parse_mahimahi("5\n4\n").error(), "line 2: times must not go back, got '4'");
  EXPECT_EQ(parse_mahimahi("5.5\n").error(), "line 1: expected a whole millisecond, got '5.5'");
  EXPECT_EQ(parse_mahimahi("0\n").error(), "line 1: the last time is the period and must be above 0");
}

}  // namespace
}  // namespace mpquic::sim
