#include "sim/scenario/units.h"

#include <gtest/gtest.h>

#include <string>

namespace mpquic::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Units, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_rate("50Mbit/s")->bits_per_second(), 50'000'000u);
  EXPECT_EQ(parse_rate("10.6 Mbit/s")->bits_per_second(), 10'600'000u);
  EXPECT_EQ(parse_rate("9600bit/s")->bits_per_second(), 9600u);
  EXPECT_EQ(*parse_duration("20ms"), milliseconds(20));
  EXPECT_EQ(*parse_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(*parse_duration("250us"), microseconds(250));
  EXPECT_EQ(*parse_duration("2min"), seconds(120));
  EXPECT_EQ(parse_size("50MB")->value(), 50'000'000u);
  EXPECT_EQ(parse_size("256KiB")->value(), 262'144u);
  EXPECT_DOUBLE_EQ(*parse_probability("2%"), 0.02);
  EXPECT_DOUBLE_EQ(*parse_ratio("90%"), 0.9);
  EXPECT_DOUBLE_EQ(*parse_ratio("1.2"), 1.2);
  EXPECT_EQ(*parse_count("42"), 42u);
  EXPECT_TRUE(*parse_switch("on"));
  EXPECT_FALSE(*parse_switch("off"));
}

TEST(Units, RefusesWhatIsNoNumber) {
  for (const std::string text : {"nan", "inf", "-nan", "-inf", "infinity", "nan(1)"}) {
    EXPECT_FALSE(parse_rate(text + "Mbit/s")) << text;
    EXPECT_FALSE(parse_duration(text + "ms")) << text;
    EXPECT_FALSE(parse_size(text + "B")) << text;
    EXPECT_FALSE(parse_probability(text + "%")) << text;
    EXPECT_FALSE(parse_ratio(text)) << text;
    EXPECT_FALSE(parse_ratio(text + "%")) << text;
    EXPECT_FALSE(parse_count(text)) << text;
  }
}

TEST(Units, RefusesTheRest) {
  for (const char* text :
       {"", "50", "Mbit/s", "0Mbit/s", "-1Mbit/s", "50mbit/s", "50Mbit/s ", "50MB", "nan", "1e400Gbit/s"})
    EXPECT_FALSE(parse_rate(text)) << text;
  for (const char* text : {"", "20", "20 m", "-20ms", "20msec", "0x10ms", "99999999999s"})
    EXPECT_FALSE(parse_duration(text)) << text;
  for (const char* text : {"50", "50Mb", "50 megabytes"}) EXPECT_FALSE(parse_size(text)) << text;
  for (const char* text : {"0.02", "2", "101%", "-1%"}) EXPECT_FALSE(parse_probability(text)) << text;
  for (const char* text : {"1.5", "-1", "10s", "99999999999999999999"}) EXPECT_FALSE(parse_count(text)) << text;
  EXPECT_FALSE(parse_switch("maybe"));
}

}  // namespace
}  // namespace mpquic::sim
