// A socket that is really full. Loopback hands datagrams over at once, so this needs a slow loopback: a network
// namespace of its own (root) with a token bucket on it. Skipped elsewhere; event_loop_test.cc has the fake.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "io/event_loop.h"
#include "io/system_clock.h"
#include "tests/support/namespace.h"
#include "tests/unit/io/fakes.h"

namespace mpquic::io {
namespace {

using namespace std::chrono_literals;
using test::enter_namespace;
using test::runs;

constexpr std::size_t kTrains = 20;
constexpr std::size_t kSegment = 1200;

/// Moves the calling thread into a namespace whose loopback carries 20 Mbit/s.
[[nodiscard]] bool enter_slow_namespace() {
  return enter_namespace() && runs("tc qdisc add dev lo root tbf rate 20mbit burst 70k limit 4m");
}

struct Outcome {
  bool possible = false;
  std::string received;
  EventLoop::Counters counters;
  std::vector<std::pair<SocketAddress, bool>> writability;
};

Outcome send_over_slow_loopback(bool gso) {
  Outcome outcome;
  std::jthread([&] {
    if (!enter_slow_namespace()) return;
    fakes::FakeCore core;
    auto loop = EventLoop::create(core);
    if (!loop) return;
    const auto from =
        (*loop)->add_socket({.local = {IpAddress::v4({127, 0, 0, 1}), 0}, .send_buffer = 4096, .gso = gso});
    const auto to = (*loop)->add_socket({.local = {IpAddress::v4({127, 0, 0, 2}), 0}});
    if (!from || !to) return;
    outcome.possible = true;
    for (std::size_t i = 0; i < kTrains; ++i) {
      const std::vector<std::byte> bytes(20 * kSegment, static_cast<std::byte>('a' + i));
      core.to_send.push_back({{*from, *to}, bytes, kSegment});
    }
    core.on_receive = [&](const ReceivedTrain& train, Instant) {
      outcome.received += as_text(train.bytes);
      if (outcome.received.size() == kTrains * 20 * kSegment) (*loop)->stop();
    };
    EXPECT_TRUE((*loop)->run_until(SystemClock::now() + 10s));
    outcome.counters = (*loop)->counters();
    outcome.writability = core.writability;
  }).join();
  return outcome;
}

class FullSocket : public testing::TestWithParam<bool> {};

TEST_P(FullSocket, LosesAndReordersNothing) {
  const Outcome outcome = send_over_slow_loopback(GetParam());
  if (!outcome.possible) GTEST_SKIP() << "needs root and tc";
  std::string expected;
  for (std::size_t i = 0; i < kTrains; ++i) expected += std::string(20 * kSegment, static_cast<char>('a' + i));
  EXPECT_EQ(outcome.received.size(), expected.size());
  EXPECT_TRUE(outcome.received == expected);
  EXPECT_GT(outcome.counters.sends_blocked, 0U);
  EXPECT_EQ(outcome.counters.sends_failed, 0U);
  ASSERT_GE(outcome.writability.size(), 2U);
  EXPECT_FALSE(outcome.writability.front().second);
  EXPECT_TRUE(outcome.writability.back().second);
  // While it waits it sleeps: 3.8 Mbit at 20 Mbit/s take 0.17 s, in which a busy loop would turn ten thousands of
  // times.
  EXPECT_LT(outcome.counters.turns, 3000U);
}

INSTANTIATE_TEST_SUITE_P(Offload, FullSocket, testing::Bool());

}  // namespace
}  // namespace mpquic::io
