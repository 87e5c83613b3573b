// What the kernel may say to a send besides yes: each error is a path's misfortune, none ends the program or makes it
// spin. This binary's sendmsg() and sendmmsg() come before the C library's, and fail as the test wants.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <string>

#include "io/event_loop.h"
#include "io/system_clock.h"
#include "tests/unit/io/fakes.h"

namespace {

int injected_error = 0;       // of every send; 0: none
bool only_segmented = false;  // fails only sends that ask for UDP_SEGMENT
std::size_t injected_count = 0;

[[nodiscard]] bool fails(const msghdr& message) {
  constexpr int kUdpSegment = 103;
  const cmsghdr* last = nullptr;
  for (const cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(c)))
    last = c;
  const bool segmented = last != nullptr && last->cmsg_level == IPPROTO_UDP && last->cmsg_type == kUdpSegment;
  if (injected_error == 0 || (only_segmented && !segmented)) return false;
  ++injected_count;
  errno = injected_error;
  return true;
}

}  // namespace

extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return fails(*message) ? -1 : syscall(SYS_sendmsg, fd, message, flags);
}

extern "C" int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return fails(messages->msg_hdr) ? -1 : static_cast<int>(syscall(SYS_sendmmsg, fd, messages, count, flags));
}

namespace mpquic::io {
namespace {

using fakes::at;
using namespace std::chrono_literals;

constexpr std::size_t kDatagram = 1200;
constexpr std::size_t kTrain = 10 * kDatagram;

class FailingSends : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    auto loop = EventLoop::create(core_);
    ASSERT_TRUE(loop) << loop.error().message;
    loop_ = std::move(*loop);
    const auto from = loop_->add_socket({.local = at(1), .icmp_errors = true});
    const auto to = loop_->add_socket({.local = at(2)});
    ASSERT_TRUE(from && to);
    tuple_ = {*from, *to};
    injected_count = 0;
  }
  void TearDown() override {
    injected_error = 0;
    only_segmented = false;
  }
  void send_trains(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      core_.to_send.push_back({tuple_, std::vector<std::byte>(kTrain), kDatagram, Ecn::not_ect});
    ASSERT_TRUE(loop_->run_until(SystemClock::now() + 50ms));
  }
  [[nodiscard]] std::size_t bytes_received() const {
    std::size_t sum = 0;
    for (const auto& train : core_.received) sum += train.bytes.size();
    return sum;
  }

  fakes::FakeCore core_;
  std::unique_ptr<EventLoop> loop_;
  FourTuple tuple_;
};

TEST_P(FailingSends, AreReportedOncePerTrainAndPass) {
  injected_error = GetParam();
  send_trains(3);
  ASSERT_EQ(core_.failures.size(), 3U);
  for (const auto& [tuple, failure] : core_.failures) {
    EXPECT_EQ(tuple, tuple_);
    EXPECT_EQ(failure, TransmitFailure::unreachable);
  }
  EXPECT_TRUE(core_.writability.empty());
  EXPECT_LE(injected_count, 9U);  // each at most: segmented, once more, one by one
  EXPECT_LT(loop_->counters().turns, 10U);
  injected_error = 0;
  send_trains(1);
  EXPECT_EQ(core_.failures.size(), 3U);
  EXPECT_EQ(bytes_received(), kTrain);
}

INSTANTIATE_TEST_SUITE_P(Errors, FailingSends,
                         testing::Values(ENODEV, ENETDOWN, ENETUNREACH, EHOSTUNREACH, EPERM, EACCES, EIO, EINVAL,
                                         EADDRNOTAVAIL));

// The queue of the device is full and there is nothing to poll for: as good as lost on the wire.
class LostSends : public FailingSends {};

TEST_P(LostSends, CountAsSentAndAreNotTriedAgain) {
  injected_error = GetParam();
  send_trains(5);
  EXPECT_TRUE(core_.failures.empty());
  EXPECT_TRUE(core_.writability.empty());
  EXPECT_EQ(loop_->counters().bytes_sent, 5 * kTrain);
  EXPECT_LE(injected_count, 50U);
  EXPECT_LT(loop_->counters().turns, 10U);
  EXPECT_EQ(bytes_received(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Errors, LostSends, testing::Values(ENOBUFS, ENOMEM));

// A device that cannot checksum what it would segment says EIO; from then on datagrams go one by one.
class RefusedSegmentation : public FailingSends {};

TEST_P(RefusedSegmentation, FallsBackToSingleDatagramsForGood) {
  injected_error = GetParam();
  only_segmented = true;
  send_trains(3);
  EXPECT_TRUE(core_.failures.empty());
  EXPECT_EQ(bytes_received(), 3 * kTrain);
  EXPECT_EQ(injected_count, 1U);
}

INSTANTIATE_TEST_SUITE_P(Errors, RefusedSegmentation, testing::Values(EIO, EINVAL));

}  // namespace
}  // namespace mpquic::io
