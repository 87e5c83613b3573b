// What every scheduler must obey, and what each one prefers (lessons 9 and 10).
#include "stack/sched/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace mpquic {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kDatagram = 1200;

PathView path_of(std::uint32_t id, Duration rtt) {
  PathView view;
  view.id = PathId{id};
  view.validated = true;
  view.has_rtt_sample = true;
  view.smoothed_rtt = rtt;
  view.congestion_window = ByteCount{10 * kDatagram};
  view.amplification_credit = ByteCount{UINT64_MAX};
  return view;
}

void fill_window(PathView& view) { view.bytes_in_flight = view.congestion_window; }

class EveryScheduler : public ::testing::TestWithParam<std::string_view> {
 protected:
  std::optional<PathId> pick() { return scheduler_->pick(paths_, context_); }
  std::unique_ptr<Scheduler> scheduler_ = make_scheduler(GetParam());
  std::vector<PathView> paths_;
  PacketContext context_;
};

INSTANTIATE_TEST_SUITE_P(Schedulers, EveryScheduler,
                         ::testing::ValuesIn(scheduler_names().begin(), scheduler_names().end()),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(EveryScheduler, KnowsItsName) { EXPECT_EQ(scheduler_->name(), GetParam()); }

TEST_P(EveryScheduler, PicksNothingFromNothing) { EXPECT_FALSE(pick()); }

TEST_P(EveryScheduler, NeverSendsDataToAnUnvalidatedAddress) {  // RFC 9000 §8.2, lesson 7
  paths_ = {path_of(0, milliseconds(10))};
  paths_[0].validated = false;
  EXPECT_FALSE(pick());
  context_.ack_only = true;
  EXPECT_EQ(pick(), PathId{0}) << "but an ACK may go there";
  paths_[0].amplification_credit = ByteCount{100};
  EXPECT_FALSE(pick()) << "within the amplification limit";
}

TEST_P(EveryScheduler, BlockedPathsAreSkipped) {
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(20)), path_of(2, milliseconds(30)),
            path_of(3, milliseconds(40))};
  fill_window(paths_[0]);
  paths_[1].pacing_blocked = true;
  paths_[2].socket_blocked = true;
  EXPECT_EQ(pick(), PathId{3});
  fill_window(paths_[3]);
  EXPECT_FALSE(pick());
  paths_[3] = path_of(3, milliseconds(40));
  paths_[3].untracked = true;
  EXPECT_FALSE(pick());
}

TEST_P(EveryScheduler, BackupIsUsedOnlyWithoutAUsablePrimary) {  // draft-21 §4.3
  paths_ = {path_of(0, milliseconds(100)), path_of(1, milliseconds(10))};
  paths_[1].backup = true;
  EXPECT_EQ(pick(), PathId{0});
  fill_window(paths_[0]);
  EXPECT_FALSE(pick()) << "a full primary is still usable";
  paths_[0].potentially_failed = true;
  EXPECT_EQ(pick(), PathId{1});
}

TEST_P(EveryScheduler, FailedPathIsUsedOnlyWithoutAnyOther) {
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(100))};
  paths_[0].potentially_failed = true;
  EXPECT_EQ(pick(), PathId{1});
  fill_window(paths_[1]);
  EXPECT_FALSE(pick());
  paths_.pop_back();
  EXPECT_EQ(pick(), PathId{0});
}

TEST_P(EveryScheduler, FailedPrimaryComesBeforeAFailedBackup) {
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(100))};
  paths_[0].potentially_failed = paths_[0].backup = true;
  paths_[1].potentially_failed = true;
  EXPECT_EQ(pick(), PathId{1});
}

TEST_P(EveryScheduler, AcksPassWindowAndPacer) {  // RFC 9002 §7
  paths_ = {path_of(0, milliseconds(10))};
  fill_window(paths_[0]);
  paths_[0].pacing_blocked = true;
  EXPECT_FALSE(pick());
  context_.ack_only = true;
  EXPECT_EQ(pick(), PathId{0});
  paths_[0].socket_blocked = true;
  EXPECT_FALSE(pick());
}

TEST_P(EveryScheduler, AckGoesToABackupWhenThePrimarySocketIsFull) {
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(20))};
  paths_[0].socket_blocked = true;
  paths_[1].backup = true;
  context_.ack_only = true;
  EXPECT_EQ(pick(), PathId{1});
}

// --- A small world of paths with a rate, a propagation delay and a fixed window of twice the bandwidth-delay product.

struct Link {
  std::uint64_t bits_per_second;
  Duration rtt;
  Instant busy_until{};
  std::vector<Instant> acks{};  // when each packet in flight will be acknowledged
  std::uint64_t sent = 0;
};

/// Sends what the scheduler allows for `duration`, in steps of 100 microseconds; bytes sent per path.
std::vector<std::uint64_t> run(Scheduler& scheduler, std::vector<Link> links, Duration duration) {
  constexpr Duration kStep = std::chrono::microseconds(100);
  std::vector<PathView> views;
  for (std::uint32_t i = 0; i < links.size(); ++i) views.push_back(path_of(i, links[i].rtt));
  for (Instant now{}; now < Instant{} + duration; now += kStep) {
    for (std::size_t i = 0; i < links.size(); ++i) {
      Link& link = links[i];
      std::erase_if(link.acks, [now](Instant ack) { return ack <= now; });
      const ByteCount bdp = Bandwidth::from_bits_per_second(link.bits_per_second).bytes_in(link.rtt);
      views[i].congestion_window = std::max(bdp * 2, ByteCount{2 * kDatagram});
      views[i].bytes_in_flight = ByteCount{link.acks.size() * kDatagram};
    }
    PacketContext context;
    context.now = now;
    while (const auto id = scheduler.pick(views, context)) {
      Link& link = links[id->value()];
      link.busy_until = std::max(link.busy_until, now) +
                        Bandwidth::from_bits_per_second(link.bits_per_second).transfer_time(ByteCount{kDatagram});
      link.acks.push_back(link.busy_until + link.rtt);
      link.sent += kDatagram;
      views[id->value()].bytes_in_flight += ByteCount{kDatagram};
      scheduler.on_sent(*id, ByteCount{kDatagram}, now);
    }
  }
  std::vector<std::uint64_t> sent;
  for (const Link& link : links) sent.push_back(link.sent);
  return sent;
}

/// Bytes that a rate carries in `duration`.
double capacity(std::uint64_t bits_per_second, Duration duration) {
  return static_cast<double>(bits_per_second) / 8 * to_seconds(duration);
}

TEST_P(EveryScheduler, SlowPathDoesNotHoldBackAFastOne) {  // lesson 10: 50 + 1 Mbit/s is no less than 50
  constexpr Duration kTime = std::chrono::seconds(2);
  const auto sent = run(*scheduler_, {{50'000'000, milliseconds(20)}, {1'000'000, milliseconds(20)}}, kTime);
  EXPECT_GE(static_cast<double>(sent[0]), 0.97 * capacity(50'000'000, kTime));
  EXPECT_GE(static_cast<double>(sent[1]), 0.90 * capacity(1'000'000, kTime)) << "and the slow one adds its own";
}

TEST_P(EveryScheduler, PathsOfUnequalRttAreBothFilled) {  // lesson 9: 10:1
  constexpr Duration kTime = std::chrono::seconds(2);
  const auto sent = run(*scheduler_, {{20'000'000, milliseconds(100)}, {20'000'000, milliseconds(10)}}, kTime);
  for (const std::uint64_t bytes : sent) {
    EXPECT_GE(static_cast<double>(bytes), 0.95 * capacity(20'000'000, kTime));
  }
}

// --- min_rtt

class MinRtt : public EveryScheduler {};
INSTANTIATE_TEST_SUITE_P(Scheduler, MinRtt, ::testing::Values("min_rtt"));

TEST_P(MinRtt, PrefersTheLowestSmoothedRtt) {
  paths_ = {path_of(0, milliseconds(30)), path_of(1, milliseconds(10)), path_of(2, milliseconds(20))};
  EXPECT_EQ(pick(), PathId{1});
  fill_window(paths_[1]);
  EXPECT_EQ(pick(), PathId{2});
}

TEST_P(MinRtt, EqualPathsGoInPathIdOrder) {
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(10))};
  EXPECT_EQ(pick(), PathId{0});
}

TEST_P(MinRtt, UnmeasuredPathIsProbedAtOnceButNotFlooded) {  // lesson 9: never starved
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(333))};
  paths_[1].has_rtt_sample = false;
  EXPECT_EQ(pick(), PathId{1});
  paths_[1].bytes_in_flight = ByteCount{kDatagram};
  EXPECT_EQ(pick(), PathId{0}) << "until the sample arrives";
  fill_window(paths_[0]);
  EXPECT_EQ(pick(), PathId{1}) << "still better than nothing";
}

TEST_P(MinRtt, AcksAreNoProbes) {
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(1))};
  paths_[1].has_rtt_sample = false;
  context_.ack_only = true;
  EXPECT_EQ(pick(), PathId{0});
}

// --- round_robin

class RoundRobin : public EveryScheduler {
 protected:
  std::map<std::uint32_t, int> turns(int count) {
    std::map<std::uint32_t, int> taken;
    for (int i = 0; i < count; ++i) {
      const auto id = pick();
      if (!id) break;
      ++taken[id->value()];
      scheduler_->on_sent(*id, ByteCount{kDatagram}, Instant{});
    }
    return taken;
  }
};
INSTANTIATE_TEST_SUITE_P(Scheduler, RoundRobin, ::testing::Values("round_robin"));

TEST_P(RoundRobin, TakesTurns) {
  paths_ = {path_of(0, milliseconds(100)), path_of(3, milliseconds(1)), path_of(7, milliseconds(10))};
  const auto taken = turns(300);
  for (const auto& [id, count] : taken) EXPECT_EQ(count, 100) << id;
}

TEST_P(RoundRobin, APickThatWasNotSentCostsNoTurn) {
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(10))};
  EXPECT_EQ(pick(), PathId{0});
  EXPECT_EQ(pick(), PathId{0});
}

TEST_P(RoundRobin, LateJoinerHasNoBacklogOfTurns) {  // lesson 9: it got the next 1000 packets
  paths_ = {path_of(0, milliseconds(10))};
  static_cast<void>(turns(1000));
  paths_.push_back(path_of(1, milliseconds(10)));
  const auto taken = turns(100);
  EXPECT_EQ(taken.at(0), 50);
  EXPECT_EQ(taken.at(1), 50);
}

TEST_P(RoundRobin, PathThatWasBlockedHasNoBacklogOfTurns) {
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(10))};
  fill_window(paths_[1]);
  static_cast<void>(turns(1000));
  paths_[1].bytes_in_flight = ByteCount{};
  const auto taken = turns(100);
  EXPECT_EQ(taken.at(0), 50);
}

TEST_P(RoundRobin, LeavingPathDoesNotUpsetTheOrder) {
  paths_ = {path_of(0, milliseconds(10)), path_of(1, milliseconds(10)), path_of(2, milliseconds(10))};
  static_cast<void>(turns(2));
  paths_.erase(paths_.begin() + 1);
  EXPECT_EQ(pick(), PathId{2});
}

TEST(MakeScheduler, UnknownNameGivesNothing) { EXPECT_EQ(make_scheduler("fastest"), nullptr); }

}  // namespace
}  // namespace mpquic
