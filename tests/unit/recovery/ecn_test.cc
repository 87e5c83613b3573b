#include "stack/recovery/ecn.h"

#include <gtest/gtest.h>

namespace mpquic {
namespace {

EcnCounter sent(int ect0, int ect1 = 0) {
  EcnCounter counter;
  for (int i = 0; i < ect0; ++i) counter.on_sent(Ecn::ect0);
  for (int i = 0; i < ect1; ++i) counter.on_sent(Ecn::ect1);
  return counter;
}
EcnCounts counts(std::uint64_t ect0, std::uint64_t ect1, std::uint64_t ce) {
  return {.ect0 = ect0, .ect1 = ect1, .ce = ce};
}

// RFC 9000 §13.4.2.1, all of these.
TEST(EcnCounter, AcceptsMatchingCounts) {
  EXPECT_EQ(sent(10).on_ack(counts(4, 0, 0), 4, 0).verdict, EcnVerdict::valid);
}

TEST(EcnCounter, AbsentCountsFailOnlyForMarkedPackets) {
  EXPECT_EQ(sent(10).on_ack(std::nullopt, 1, 0).verdict, EcnVerdict::invalid);
  EXPECT_EQ(sent(10).on_ack(std::nullopt, 0, 0).verdict, EcnVerdict::nothing);
}

TEST(EcnCounter, CongestionMarksReplaceEct) {
  const EcnFeedback feedback = sent(10).on_ack(counts(3, 0, 2), 5, 0);
  EXPECT_EQ(feedback.verdict, EcnVerdict::valid);
  EXPECT_EQ(feedback.newly_marked, 2U);
}

TEST(EcnCounter, ReportsOnlyTheIncreaseOfMarks) {
  EcnCounter counter = sent(10);
  EXPECT_EQ(counter.on_ack(counts(3, 0, 2), 5, 0).newly_marked, 2U);
  EXPECT_EQ(counter.on_ack(counts(5, 0, 2), 2, 0).newly_marked, 0U);
  EXPECT_EQ(counter.on_ack(counts(5, 0, 3), 1, 0).newly_marked, 1U);
}

TEST(EcnCounter, ClearedMarksFail) { EXPECT_EQ(sent(10).on_ack(counts(3, 0, 0), 4, 0).verdict, EcnVerdict::invalid); }

TEST(EcnCounter, RemarkedPacketsFail) {  // ECT(0) sent, ECT(1) seen
  EXPECT_EQ(sent(10).on_ack(counts(0, 4, 0), 4, 0).verdict, EcnVerdict::invalid);
  EXPECT_EQ(sent(10, 10).on_ack(counts(0, 4, 0), 4, 0).verdict, EcnVerdict::invalid);
}

TEST(EcnCounter, MarksCannotStandForTwoPackets) {
  EXPECT_EQ(sent(4, 4).on_ack(counts(0, 0, 4), 4, 4).verdict, EcnVerdict::invalid);
}

TEST(EcnCounter, MoreThanWasSentFails) {
  EXPECT_EQ(sent(3).on_ack(counts(4, 0, 0), 3, 0).verdict, EcnVerdict::invalid);
  EXPECT_EQ(sent(3).on_ack(counts(3, 0, 1), 3, 0).verdict, EcnVerdict::invalid);
  EXPECT_EQ(sent(3).on_ack(counts(UINT64_MAX, 0, 1), 3, 0).verdict, EcnVerdict::invalid);
  EXPECT_EQ(sent(3).on_ack(counts(0, 0, UINT64_MAX), 3, 0).verdict, EcnVerdict::invalid);
}

TEST(EcnCounter, ShrinkingCountsFail) {
  EcnCounter counter = sent(10);
  ASSERT_EQ(counter.on_ack(counts(4, 0, 1), 5, 0).verdict, EcnVerdict::valid);
  EXPECT_EQ(counter.on_ack(counts(6, 0, 0), 1, 0).verdict, EcnVerdict::invalid);
}

TEST(EcnCounter, CountsOfAcksThatWereLostMayRunAhead) {
  EXPECT_EQ(sent(10).on_ack(counts(8, 0, 0), 3, 0).verdict, EcnVerdict::valid);
}

TEST(EcnValidator, StopsMarkingAfterTenPacketsUntilValidated) {  // RFC 9000 §A.4
  EcnValidator path;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(path.codepoint(), Ecn::ect0);
    path.on_sent(path.codepoint());
  }
  EXPECT_EQ(path.state(), EcnValidator::State::unknown);
  EXPECT_EQ(path.codepoint(), Ecn::not_ect);
  path.on_ack(EcnVerdict::valid);
  EXPECT_EQ(path.state(), EcnValidator::State::capable);
  EXPECT_EQ(path.codepoint(), Ecn::ect0);
}

TEST(EcnValidator, FailsForGoodOnBadCounts) {  // RFC 9000 §13.4.2.2
  EcnValidator path;
  path.on_ack(EcnVerdict::valid);
  path.on_ack(EcnVerdict::invalid);
  EXPECT_EQ(path.codepoint(), Ecn::not_ect);
  path.on_ack(EcnVerdict::valid);
  EXPECT_EQ(path.state(), EcnValidator::State::failed);
}

TEST(EcnValidator, FailsWhenAllTestPacketsAreLost) {  // RFC 9000 §A.4
  EcnValidator path;
  for (int i = 0; i < 10; ++i) path.on_sent(Ecn::ect0);
  path.on_lost(9);
  EXPECT_EQ(path.state(), EcnValidator::State::unknown);
  path.on_lost(1);
  EXPECT_EQ(path.state(), EcnValidator::State::failed);
}

TEST(EcnValidator, GivesUpMarkingWhileTimeoutsFire) {  // RFC 9000 §A.4: three PTOs
  EcnValidator path;
  path.on_sent(Ecn::ect0);
  path.on_pto();
  EXPECT_EQ(path.codepoint(), Ecn::ect0);
  path.on_pto();
  EXPECT_EQ(path.codepoint(), Ecn::not_ect);
}

TEST(EcnValidator, LossDoesNotFailACapablePath) {
  EcnValidator path;
  path.on_sent(Ecn::ect0);
  path.on_ack(EcnVerdict::valid);
  path.on_lost(100);
  EXPECT_EQ(path.state(), EcnValidator::State::capable);
}

TEST(EcnValidator, SwitchedOffNeverMarks) {
  EcnValidator path(false);
  EXPECT_EQ(path.codepoint(), Ecn::not_ect);
  path.reset(false);
  EXPECT_EQ(path.codepoint(), Ecn::not_ect);
  path.reset();
  EXPECT_EQ(path.codepoint(), Ecn::ect0);
}

}  // namespace
}  // namespace mpquic
