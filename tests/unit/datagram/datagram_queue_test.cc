#include "stack/datagram/datagram_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "stack/wire/frame_decode.h"

namespace mpquic {
namespace {

using namespace std::chrono_literals;

std::string to_text(Bytes bytes, const FrameWriter& writer) { return std::string(as_text(bytes.first(writer.size()))); }

constexpr DatagramLimits kLimits{.send_queue_bytes = 1000, .receive_queue_bytes = 1000, .max_frame_size = 65535};

class DatagramQueueTest : public ::testing::Test {
 protected:
  DatagramQueueTest() { queue.set_max_payload(1100); }

  /// What one packet of `size` carries.
  std::vector<std::string> packet(std::size_t size = 1200, Instant at = {}, std::size_t path_limit = SIZE_MAX) {
    bytes.assign(size, std::byte{});
    FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
    queue.write_frames(writer, at, 0, path_limit);
    std::vector<std::string> payloads;
    if (writer.size() == 0) return payloads;
    FrameDecoder decoder(Bytes(bytes).first(writer.size()), EncryptionLevel::one_rtt, {.datagram = true});
    while (auto frame = decoder.next()) payloads.emplace_back(as_text(std::get<DatagramFrame>(**frame).data));
    return payloads;
  }
  /// ... on a path whose packets take no more than `most`.
  std::vector<std::string> packet_of(std::size_t most, Instant at = {}) { return packet(1200, at, most); }
  std::optional<std::uint64_t> push(std::string_view text, Deadline deadline = {}, Instant at = {}) {
    return queue.push(as_bytes(text), deadline, at);
  }
  [[nodiscard]] Result<void> receive(std::string_view text) { return queue.on_frame(DatagramFrame{as_bytes(text)}); }
  std::optional<std::string> pop(std::size_t room = 2000) {
    std::vector<std::byte> out(room);
    const auto size = queue.pop(out);
    if (!size) return std::nullopt;
    return std::string(as_text(Bytes(out).first(*size)));
  }

  DatagramQueue queue{kLimits};
  std::vector<std::byte> bytes;
  TokenList tokens;
};

TEST_F(DatagramQueueTest, SendsInOrderWithTokens) {
  EXPECT_EQ(queue.interest(), Interest::none);
  EXPECT_EQ(push("a"), 0U);
  EXPECT_EQ(push(""), 1U);
  EXPECT_EQ(push("ccc"), 2U);
  EXPECT_EQ(queue.interest(), Interest::new_data);
  EXPECT_EQ(packet(), (std::vector<std::string>{"a", "", "ccc"}));
  ASSERT_EQ(tokens.count, 3U);
  EXPECT_EQ(std::get<DatagramToken>(tokens.items[2]).sequence, 2U);
  EXPECT_EQ(queue.interest(), Interest::none);
  EXPECT_EQ(queue.stats().sent, 3U);
  EXPECT_EQ(queue.stats().bytes_sent, 4U);
}

TEST_F(DatagramQueueTest, ADatagramIsNeverSplit) {  // RFC 9221 §5
  EXPECT_TRUE(push(std::string(300, 'a')));
  EXPECT_TRUE(push(std::string(300, 'b')));
  EXPECT_EQ(packet(400).size(), 1U);
  EXPECT_EQ(packet(200).size(), 0U);
  EXPECT_EQ(packet(400), std::vector{std::string(300, 'b')});
}

TEST_F(DatagramQueueTest, RefusesWhatIsTooLargeOrWouldOverfill) {
  EXPECT_FALSE(push(std::string(1101, 'x')));
  EXPECT_TRUE(push(std::string(900, 'x')));
  EXPECT_FALSE(push(std::string(60, 'x'))) << "900 + 60 + 2 * 32 > 1000";
  EXPECT_TRUE(push(std::string(36, 'x')));
  EXPECT_EQ(queue.stats().refused, 2U);
}

TEST_F(DatagramQueueTest, RefusesEverythingUntilTheSizeIsKnown) {
  DatagramQueue fresh(kLimits);
  EXPECT_FALSE(fresh.push(as_bytes("x"), {}, {}));
}

TEST_F(DatagramQueueTest, EmptyDatagramsAreBoundedToo) {
  while (push("")) {}
  EXPECT_LE(queue.send_queue_count(), kLimits.send_queue_bytes / kDatagramOverhead);
}

TEST_F(DatagramQueueTest, DropsExpiredOnesUnsentAndCountsThem) {
  const Instant start{};
  EXPECT_TRUE(push("soon", start + 10ms));
  EXPECT_TRUE(push("late", start + 50ms));
  EXPECT_TRUE(push("never"));
  EXPECT_EQ(packet(1200, start + 10ms), (std::vector<std::string>{"late", "never"}));
  EXPECT_EQ(queue.stats().expired, 1U);
}

TEST_F(DatagramQueueTest, ExpiryMakesRoom) {
  const Instant start{};
  EXPECT_TRUE(push(std::string(900, 'x'), start + 10ms));
  EXPECT_FALSE(push(std::string(900, 'y'), {}, start + 9ms));
  EXPECT_TRUE(push(std::string(900, 'y'), {}, start + 10ms));
}

TEST_F(DatagramQueueTest, ExpireLeavesNoInterestBehind) {
  EXPECT_TRUE(push("x", Instant{} + 1ms));
  queue.expire(Instant{} + 2ms);
  EXPECT_EQ(queue.interest(), Interest::none);
}

TEST_F(DatagramQueueTest, WhatBecameTooLargeDoesNotBlockTheRest) {
  EXPECT_TRUE(push(std::string(700, 'x')));
  EXPECT_TRUE(push("small"));
  queue.set_max_payload(600);
  EXPECT_EQ(packet(), std::vector<std::string>{"small"});
  EXPECT_EQ(queue.stats().too_large, 1U);
  EXPECT_EQ(queue.poll_lost(), 0U) << "the application hears of it";
}

TEST_F(DatagramQueueTest, WithNoPathForTheTimeBeingWhatWaitsIsKept) {
  EXPECT_TRUE(push(std::string(700, 'x')));
  queue.set_max_payload(0);
  queue.expire({});
  EXPECT_FALSE(push("more"));
  EXPECT_FALSE(push(""));
  queue.set_max_payload(1100);
  EXPECT_EQ(packet().size(), 1U);
}

TEST_F(DatagramQueueTest, WhatAPathCannotTakeWaitsForAnotherAndBlocksNothing) {
  const std::string large(300, 'L');
  EXPECT_TRUE(push("first"));
  EXPECT_TRUE(push(large));
  EXPECT_TRUE(push("second"));
  EXPECT_TRUE(push(std::string(250, 'M')));
  EXPECT_TRUE(push("third"));
  EXPECT_EQ(packet_of(200), (std::vector<std::string>{"first", "second", "third"}));
  EXPECT_EQ(packet_of(200).size(), 0U);
  EXPECT_EQ(queue.interest(), Interest::new_data);
  EXPECT_EQ(queue.send_queue_count(), 2U);
  EXPECT_EQ(queue.front_size(), large.size());
  EXPECT_TRUE(push("fourth"));
  EXPECT_EQ(packet_of(1000), (std::vector<std::string>{large, std::string(250, 'M'), "fourth"})) << "the oldest first";
  EXPECT_EQ(queue.interest(), Interest::none);
}

TEST_F(DatagramQueueTest, WhatWaitsForAnotherPathIsStillChargedAndExpires) {
  EXPECT_TRUE(push(std::string(900, 'x'), Instant{} + 10ms));
  EXPECT_EQ(packet_of(500).size(), 0U);
  EXPECT_FALSE(push(std::string(60, 'y')));
  queue.set_max_payload(600);
  EXPECT_TRUE(push(std::string(60, 'y'))) << "no path is left that the first one fits";
  EXPECT_EQ(queue.poll_lost(), 0U);
  queue.set_max_payload(1100);
  EXPECT_EQ(packet_of(50).size(), 0U);
  EXPECT_EQ(packet_of(500, Instant{} + 10ms), std::vector{std::string(60, 'y')});
  EXPECT_TRUE(push(std::string(800, 'z'), Instant{} + 10ms));
  EXPECT_EQ(packet_of(500).size(), 0U);
  queue.expire(Instant{} + 10ms);
  EXPECT_EQ(queue.interest(), Interest::none);
  EXPECT_EQ(queue.stats().expired, 1U);
}

TEST_F(DatagramQueueTest, StopsAtTheTokenLimitOfAPacket) {
  DatagramQueue big({.send_queue_bytes = 10000, .receive_queue_bytes = 0, .max_frame_size = 0});
  big.set_max_payload(100);
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(big.push(as_bytes("x"), {}, {}));
  bytes.assign(1200, std::byte{});
  FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
  big.write_frames(writer, {});
  EXPECT_EQ(tokens.count, kMaxTokensPacket);
  EXPECT_EQ(big.send_queue_count(), 30 - kMaxTokensPacket);
}

TEST_F(DatagramQueueTest, LossIsReportedAndNeverRepeated) {  // RFC 9221 §5.2
  EXPECT_EQ(push("a"), 0U);
  EXPECT_EQ(push("b"), 1U);
  EXPECT_EQ(packet().size(), 2U);
  queue.on_acked(tokens.items[0]);
  queue.on_lost(tokens.items[1]);
  queue.on_lost(DeliveryToken{HandshakeDoneToken{}});
  EXPECT_EQ(queue.interest(), Interest::none);
  EXPECT_EQ(queue.poll_lost(), 1U);
  EXPECT_FALSE(queue.poll_lost());
  EXPECT_EQ(queue.stats().acked, 1U);
  EXPECT_EQ(queue.stats().lost, 1U);
}

TEST_F(DatagramQueueTest, LossReportsAreBounded) {
  for (std::uint64_t i = 0; i < 5000; ++i) queue.on_lost(DatagramToken{i});
  std::size_t reports = 0;
  std::uint64_t last = 0;
  while (const auto sequence = queue.poll_lost()) {
    ++reports;
    last = *sequence;
  }
  EXPECT_EQ(last, 4999U);
  EXPECT_EQ(reports + queue.stats().lost_unreported, 5000U);
  EXPECT_LT(reports, 5000U);
}

TEST_F(DatagramQueueTest, ReceivesInOrderWithOneEdge) {
  EXPECT_FALSE(queue.poll_readable());
  EXPECT_TRUE(receive("one"));
  EXPECT_TRUE(receive(""));
  EXPECT_TRUE(queue.poll_readable());
  EXPECT_FALSE(queue.poll_readable());
  EXPECT_EQ(pop(), "one");
  EXPECT_EQ(pop(), "");
  EXPECT_EQ(pop(), std::nullopt);
}

TEST_F(DatagramQueueTest, CutsWhatIsLongerThanTheReadersBuffer) {
  EXPECT_TRUE(receive("abcdef"));
  EXPECT_TRUE(receive("next"));
  EXPECT_EQ(pop(3), "abc");
  EXPECT_EQ(pop(), "next");
}

TEST_F(DatagramQueueTest, DropsTheOldestWhenTheReaderIsSlow) {
  for (char c = 'a'; c <= 'e'; ++c) EXPECT_TRUE(receive(std::string(200, c)));
  EXPECT_EQ(queue.stats().receive_dropped, 1U);
  EXPECT_EQ(pop(), std::string(200, 'b'));
  EXPECT_TRUE(receive(std::string(2000, 'x'))) << "more than the whole queue: dropped, no error";
  EXPECT_EQ(queue.stats().receive_dropped, 2U);
  EXPECT_EQ(pop(), std::string(200, 'c'));
}

TEST_F(DatagramQueueTest, AnUnnegotiatedDatagramIsAProtocolViolation) {  // RFC 9221 §3
  DatagramQueue none({.send_queue_bytes = 10, .receive_queue_bytes = 10, .max_frame_size = 0});
  EXPECT_EQ(none.on_frame(DatagramFrame{}).error().code, error::kProtocolViolation);
}

TEST_F(DatagramQueueTest, ADatagramBeyondOurLimitIsAProtocolViolation) {  // RFC 9221 §3
  DatagramQueue small({.send_queue_bytes = 10, .receive_queue_bytes = 1000, .max_frame_size = 100});
  EXPECT_TRUE(small.on_frame(DatagramFrame{as_bytes(std::string(99, 'x'))}));
  EXPECT_EQ(small.on_frame(DatagramFrame{as_bytes(std::string(100, 'x'))}).error().code, error::kProtocolViolation);
}

TEST_F(DatagramQueueTest, CopiesCarryTheSameNumber) {
  EXPECT_EQ(push("alone"), 0U);
  EXPECT_EQ(packet(), std::vector<std::string>{"alone"});
  EXPECT_EQ(push("both"), 1U);
  bytes.assign(100, std::byte{});
  FrameWriter first(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
  queue.write_frames(first, {}, 1);
  EXPECT_EQ(to_text(bytes, first), std::string("\x40\x43\x01\x04"
                                               "both"));
  const auto token = std::get<DatagramToken>(tokens.items[0]);
  ASSERT_TRUE(queue.awaits_copy(token));
  std::vector<std::byte> small(7);
  FrameWriter full(small, EncryptionLevel::one_rtt, PathId{1}, tokens);
  EXPECT_FALSE(queue.write_copy(full, token)) << "no room";
  std::vector<std::byte> other(100);
  FrameWriter second(other, EncryptionLevel::one_rtt, PathId{1}, tokens);
  EXPECT_TRUE(queue.write_copy(second, token));
  EXPECT_EQ(to_text(other, second), to_text(bytes, first));
  EXPECT_EQ(tokens.count, 1U);
  EXPECT_FALSE(queue.awaits_copy(token));
  queue.on_lost(token);
  EXPECT_FALSE(queue.poll_lost());
  queue.on_lost(token);
  EXPECT_EQ(queue.poll_lost(), 1U);
  EXPECT_EQ(queue.stats().copies_sent, 1U);
  EXPECT_EQ(queue.stats().copy_bytes_sent, 4U);
}

TEST_F(DatagramQueueTest, ACopyThatIsNeverSentMayHaveBeenTheLastHope) {
  EXPECT_EQ(push("x"), 0U);
  bytes.assign(100, std::byte{});
  FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
  queue.write_frames(writer, {}, 1);
  queue.on_lost(DatagramToken{0, true});
  EXPECT_FALSE(queue.poll_lost());
  queue.drop_copy(DatagramToken{0, true});
  EXPECT_EQ(queue.poll_lost(), 0U);
  EXPECT_EQ(queue.stats().copies_dropped, 1U);
}

TEST_F(DatagramQueueTest, BeyondTheLimitDatagramsGoOutOnce) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(push(std::string(400, 'x')));
    bytes.assign(1200, std::byte{});
    FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
    queue.write_frames(writer, {}, 1);
    EXPECT_EQ(tokens.count, 1U);
  }
  EXPECT_TRUE(queue.awaits_copy(DatagramToken{1}));
  EXPECT_FALSE(queue.awaits_copy(DatagramToken{2}));
  EXPECT_EQ(queue.stats().uncopied, 1U);
}

TEST_F(DatagramQueueTest, ANumberIsDeliveredOnce) {
  const auto arrive = [this](std::uint64_t number, std::string_view text) {
    EXPECT_TRUE(queue.on_frame(DatagramFrame{as_bytes(text), number}));
  };
  arrive(5, "five");
  arrive(5, "five");
  arrive(4, "late");
  EXPECT_TRUE(receive("plain"));
  EXPECT_TRUE(receive("plain")) << "without a number nobody can tell";
  arrive((std::uint64_t{1} << 62) - 1, "far");
  arrive(6, "too old to tell");
  EXPECT_EQ(pop(), "five");
  EXPECT_EQ(pop(), "late");
  EXPECT_EQ(pop(), "plain");
  EXPECT_EQ(pop(), "plain");
  EXPECT_EQ(pop(), "far");
  EXPECT_EQ(pop(), std::nullopt);
  EXPECT_EQ(queue.stats().duplicates, 2U);
  EXPECT_EQ(queue.stats().received, 5U);
}

TEST_F(DatagramQueueTest, TrimGivesMemoryOfEmptyQueuesBack) {
  EXPECT_TRUE(receive("x"));
  queue.trim();
  EXPECT_EQ(pop(), "x") << "not while something is queued";
  queue.trim();
  EXPECT_TRUE(receive("y"));
  EXPECT_EQ(pop(), "y");
}

TEST(ByteRingTest, WrapsAndGrowsWithoutLosingOrder) {
  ByteRing ring;
  std::vector<std::byte> expected;
  std::size_t next = 0;
  std::size_t checked = 0;
  for (std::size_t round = 0; round < 2000; ++round) {
    std::vector<std::byte> data((round * 37) % 900);
    for (auto& byte : data) byte = static_cast<std::byte>(next++ * 31 >> 2);
    ring.push(data);
    expected.insert(expected.end(), data.begin(), data.end());
    std::vector<std::byte> out(std::min(ring.size(), (round * 53) % 950));
    ring.peek(out);
    ring.drop(out.size());
    ASSERT_TRUE(std::equal(out.begin(), out.end(), expected.begin() + static_cast<std::ptrdiff_t>(checked))) << round;
    checked += out.size();
  }
  EXPECT_LE(ring.capacity(), 1U << 17);
}

}  // namespace
}  // namespace mpquic
