#include "io/event_loop.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>

#include "io/signals.h"
#include "io/system_clock.h"
#include "tests/unit/io/fakes.h"

namespace mpquic::io {
namespace {

using fakes::at;
using fakes::FakeCore;
using fakes::FakeSocket;
using namespace std::chrono_literals;

FakeCore::Outgoing outgoing(const FourTuple& tuple, std::string_view text, std::size_t segment) {
  const Bytes bytes = as_bytes(text);
  return {tuple, {bytes.begin(), bytes.end()}, segment, Ecn::not_ect};
}

class EventLoopTest : public testing::Test {
 protected:
  void SetUp() override {
    auto created = EventLoop::create(core_);
    ASSERT_TRUE(created) << created.error().message;
    loop_ = std::move(*created);
  }
  FakeSocket& add_fake(const SocketAddress& local) {
    auto socket = std::make_unique<FakeSocket>(local);
    FakeSocket& reference = *socket;
    EXPECT_TRUE(loop_->add_socket(std::move(socket)));
    return reference;
  }
  void run_for(Duration time) { ASSERT_TRUE(loop_->run_until(SystemClock::now() + time)); }

  FakeCore core_;
  std::unique_ptr<EventLoop> loop_;
};

TEST_F(EventLoopTest, CarriesTrainsBetweenTwoOfItsSockets) {
  const auto a = loop_->add_socket({.local = at(1)});
  const auto b = loop_->add_socket({.local = at(2)});
  ASSERT_TRUE(a && b);
  core_.to_send.push_back(outgoing({*a, *b}, std::string(2500, 'x'), 1000));
  std::size_t bytes = 0;
  core_.on_receive = [&](const ReceivedTrain& train, Instant) {
    bytes += train.bytes.size();
    if (bytes == 2500) loop_->stop();
  };
  run_for(5s);
  EXPECT_EQ(bytes, 2500U);
  EXPECT_EQ(core_.received.front().tuple, (FourTuple{*b, *a}));
  EXPECT_EQ(loop_->counters().bytes_sent, 2500U);
  EXPECT_EQ(loop_->counters().bytes_received, 2500U);
}

TEST_F(EventLoopTest, SendsWhatTheHandlerMadeTheCoreWantToSend) {
  const auto a = loop_->add_socket({.local = at(1)});
  const auto b = loop_->add_socket({.local = at(2)});
  ASSERT_TRUE(a && b);
  std::size_t answers = 0;
  loop_->set_handler([&](Instant) {
    for (; answers < core_.received.size(); ++answers)  // ping pong
      core_.to_send.push_back(outgoing(core_.received[answers].tuple, "ping", 4));
    if (answers >= 10) loop_->stop();
  });
  core_.to_send.push_back(outgoing({*a, *b}, "ping", 4));
  run_for(5s);
  EXPECT_GE(answers, 10U);
}

TEST_F(EventLoopTest, FiresTheDeadlineInTimeAndNotBefore) {
  const Instant due = SystemClock::now() + 30ms;
  core_.deadline = due;
  loop_->set_handler([&](Instant) {
    if (!core_.fired.empty()) loop_->stop();
  });
  run_for(5s);
  ASSERT_EQ(core_.fired.size(), 1U);
  EXPECT_GE(core_.fired[0], due);
  EXPECT_LT(core_.fired[0], due + 250ms);  // a loaded machine is late, but not that late
}

TEST_F(EventLoopTest, RunsTheHandlerWhenTheApplicationDeadlinePasses) {
  const Instant due = SystemClock::now() + 20ms;
  loop_->set_application_deadline(due);
  Instant seen{};
  loop_->set_handler([&](Instant now) {
    if (now < due) return;
    seen = now;
    loop_->stop();
  });
  run_for(5s);
  EXPECT_GE(seen, due);
}

TEST_F(EventLoopTest, SleepsWhileThereIsNothingToDo) {
  run_for(50ms);
  EXPECT_LE(loop_->counters().turns, 4U);
}

TEST_F(EventLoopTest, AFullSocketKeepsTheRestOfItsTrainAndBlocksNoOther) {
  FakeSocket& full = add_fake(at(1, 1000));
  FakeSocket& free = add_fake(at(2, 1000));
  full.room = 25;  // two segments of ten, and a half
  const FourTuple over_full{at(1, 1000), at(9, 9)};
  const FourTuple over_free{at(2, 1000), at(9, 9)};
  core_.to_send.push_back(outgoing(over_full, std::string(40, 'a'), 10));
  core_.to_send.push_back(outgoing(over_free, std::string(40, 'b'), 10));
  core_.to_send.push_back(outgoing(over_full, std::string(20, 'c'), 10));  // already on its way when the core was told
  loop_->set_handler([&](Instant) {
    if (full.sent.size() == 20 && core_.writability.size() == 1) full.room = 15;  // writable again: one more segment
    if (full.sent.size() == 30) full.room = SIZE_MAX;
    if (core_.writability.size() == 2) loop_->stop();
  });
  run_for(5s);
  EXPECT_EQ(full.sent, std::string(40, 'a') + std::string(20, 'c'));
  EXPECT_EQ(free.sent, std::string(40, 'b'));
  const std::vector<std::pair<SocketAddress, bool>> expected{{at(1, 1000), false}, {at(1, 1000), true}};
  EXPECT_EQ(core_.writability, expected);
  EXPECT_TRUE(core_.failures.empty());
}

TEST_F(EventLoopTest, TellsTheCoreAboutEveryLocalAddressOfAFullWildcard) {
  FakeSocket& socket = add_fake({IpAddress::v4({0, 0, 0, 0}), 1000});
  socket.room = 0;
  core_.to_send.push_back(outgoing({at(1, 1000), at(9, 9)}, "aaaa", 4));
  core_.to_send.push_back(outgoing({at(2, 1000), at(9, 9)}, "bbbb", 4));
  loop_->set_handler([&](Instant) {
    if (core_.writability.size() == 2) socket.room = SIZE_MAX;
    if (core_.writability.size() == 4) loop_->stop();
  });
  run_for(5s);
  EXPECT_EQ(socket.sent, "aaaabbbb");
  const std::vector<std::pair<SocketAddress, bool>> expected{
      {at(1, 1000), false}, {at(2, 1000), false}, {at(1, 1000), true}, {at(2, 1000), true}};
  EXPECT_EQ(core_.writability, expected);
}

TEST_F(EventLoopTest, DropsWhatACoreSendsOnAndOnIntoAFullSocket) {
  add_fake(at(1, 1000)).room = 0;
  for (int i = 0; i < 200; ++i)
    core_.to_send.push_back(outgoing({at(1, 1000), at(9, 9)}, std::string(60000, 'x'), 1200));
  loop_->set_handler([&](Instant) {
    if (loop_->counters().trains_dropped > 100) loop_->stop();
  });
  run_for(5s);
  EXPECT_GT(loop_->counters().trains_dropped, 100U);
}

TEST_F(EventLoopTest, ReportsFailuresOfTheSocket) {
  add_fake(at(1, 1000)).failure = TransmitFailure::too_big;
  const FourTuple tuple{at(1, 1000), at(9, 9)};
  core_.to_send.push_back(outgoing(tuple, "x", 1));
  run_for(10ms);
  ASSERT_EQ(core_.failures.size(), 1U);
  EXPECT_EQ(core_.failures[0], (std::pair{tuple, TransmitFailure::too_big}));
}

TEST_F(EventLoopTest, ATrainForAnUnknownLocalAddressIsUnreachable) {
  core_.to_send.push_back(outgoing({at(1, 1000), at(9, 9)}, "x", 1));
  run_for(10ms);
  ASSERT_EQ(core_.failures.size(), 1U);
  EXPECT_EQ(core_.failures[0].second, TransmitFailure::unreachable);
}

TEST_F(EventLoopTest, ARemovedSocketIsForgotten) {
  add_fake(at(1, 1000)).room = 0;
  core_.to_send.push_back(outgoing({at(1, 1000), at(9, 9)}, "x", 1));
  run_for(10ms);
  loop_->remove_socket(at(1, 1000));
  EXPECT_EQ(core_.writability.back(), (std::pair{at(1, 1000), true}));
  core_.to_send.push_back(outgoing({at(1, 1000), at(9, 9)}, "x", 1));
  run_for(10ms);
  EXPECT_EQ(core_.failures.size(), 1U);
}

TEST_F(EventLoopTest, StopsFromAnotherThread) {
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    loop_->stop();
  });
  const Instant start = SystemClock::now();
  ASSERT_TRUE(loop_->run());
  EXPECT_GE(SystemClock::now() - start, 15ms);
}

TEST_F(EventLoopTest, StopBeforeRunEndsTheNextRun) {
  loop_->stop();
  ASSERT_TRUE(loop_->run());
}

TEST_F(EventLoopTest, SignalsArriveAsEvents) {
  auto signals = SignalWatch::create({SIGUSR1});
  ASSERT_TRUE(signals) << signals.error().message;
  std::optional<int> seen;
  ASSERT_TRUE(loop_->watch(signals->fd(), [&](Instant) {
    seen = signals->take();
    loop_->unwatch(signals->fd());
    loop_->stop();
  }));
  pthread_kill(pthread_self(), SIGUSR1);
  run_for(5s);
  EXPECT_EQ(seen, SIGUSR1);
  EXPECT_FALSE(signals->take());
}

TEST_F(EventLoopTest, DrainEndsWhenTheCoreWaitsForNothing) {
  core_.deadline = SystemClock::now() + 20ms;  // the closing period
  const Instant start = SystemClock::now();
  ASSERT_TRUE(loop_->drain(5s));
  EXPECT_EQ(core_.fired.size(), 1U);
  EXPECT_LT(SystemClock::now() - start, 2s);
}

TEST_F(EventLoopTest, DrainIsBounded) {
  core_.deadline = SystemClock::now() + 1h;
  const Instant start = SystemClock::now();
  ASSERT_TRUE(loop_->drain(20ms));
  EXPECT_LT(SystemClock::now() - start, 2s);
  EXPECT_TRUE(core_.fired.empty());
}

// A core that always has something to send must not starve the receive side.
TEST_F(EventLoopTest, ReceivesBetweenSends) {
  const auto a = loop_->add_socket({.local = at(1)});
  const auto b = loop_->add_socket({.local = at(2)});
  ASSERT_TRUE(a && b);
  for (int i = 0; i < 1000; ++i) core_.to_send.push_back(outgoing({*a, *b}, std::string(1200, 'x'), 1200));
  std::size_t left_at_first_receive = 0;
  core_.on_receive = [&](const ReceivedTrain&, Instant) {
    if (core_.received.size() == 1) left_at_first_receive = core_.to_send.size();
  };
  run_for(100ms);
  EXPECT_GT(left_at_first_receive, 800U);
}

}  // namespace
}  // namespace mpquic::io
