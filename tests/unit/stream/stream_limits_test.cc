// Limits and errors: RFC 9000 §2.1, §3, §4.
#include <gtest/gtest.h>

#include "tests/unit/stream/harness.h"

namespace mpquic {
namespace {

using namespace stream_test;
using enum Directionality;
using Kind = StreamEventKind;

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { server.on_peer_limits(limits()); }
  [[nodiscard]] Result<void> stream(std::uint64_t id, std::uint64_t offset, std::size_t length, bool fin = false) {
    const auto data = pattern(offset, length);
    return server.on_frame(StreamFrame{StreamId{id}, offset, data, fin});
  }
  [[nodiscard]] Result<void> reset(std::uint64_t id, std::uint64_t final_size) {
    return server.on_frame(ResetStreamFrame{StreamId{id}, 9, final_size});
  }
  StreamMap server{Role::server, limits(1000, 1500, 4)};
};

TEST_F(ServerTest, StreamDataBeyondTheStreamsLimitIsAFlowControlError) {  // §4.1
  EXPECT_TRUE(stream(0, 0, 1000));
  EXPECT_EQ(code_of(stream(0, 1000, 1)), error::kFlowControlError);
}

TEST_F(ServerTest, DataBeyondTheConnectionsLimitIsAFlowControlError) {  // §4.1
  EXPECT_TRUE(stream(0, 0, 1000));
  EXPECT_TRUE(stream(4, 0, 500));
  EXPECT_EQ(code_of(stream(4, 500, 1)), error::kFlowControlError);
}

TEST_F(ServerTest, GapsCountAgainstTheLimits) {
  EXPECT_TRUE(stream(0, 999, 1));
  EXPECT_TRUE(stream(4, 499, 1));
  EXPECT_EQ(code_of(stream(8, 0, 1)), error::kFlowControlError);
  EXPECT_TRUE(stream(0, 0, 999)) << "inside what was counted";
}

TEST_F(ServerTest, RepeatedDataCountsOnce) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(stream(0, 0, 1000));
  EXPECT_TRUE(stream(4, 0, 500));
}

TEST_F(ServerTest, AFinalSizeOfResetStreamCountsToo) {  // §4.5
  EXPECT_TRUE(reset(0, 1000));
  EXPECT_EQ(code_of(reset(4, 1001)), error::kFlowControlError);
}

TEST_F(ServerTest, UnreadDataOfAResetStreamReturnsItsCredit) {
  EXPECT_TRUE(stream(0, 0, 1000));
  EXPECT_TRUE(reset(0, 1000));
  const auto packet = next_packet(server);
  ASSERT_TRUE(packet);
  const auto frames = frames_of_type<MaxDataFrame>(*packet);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].maximum, 2500U);
}

TEST_F(ServerTest, AStreamBeyondTheLimitIsAStreamLimitError) {  // §4.6
  EXPECT_TRUE(stream(4 * 3, 0, 1));
  EXPECT_EQ(code_of(stream(4 * 4, 0, 1)), error::kStreamLimitError);
  EXPECT_EQ(code_of(server.on_frame(StopSendingFrame{StreamId{4 * 4}, 0})), error::kStreamLimitError);
  EXPECT_EQ(code_of(stream(2 + 4 * 4, 0, 1)), error::kStreamLimitError);
}

TEST_F(ServerTest, FramesForStreamsThatWeNeverOpenedAreStreamStateErrors) {  // §19.8, §19.10
  EXPECT_EQ(code_of(stream(1, 0, 1)), error::kStreamStateError);
  EXPECT_EQ(code_of(server.on_frame(MaxStreamDataFrame{StreamId{1}, 10})), error::kStreamStateError);
  EXPECT_EQ(code_of(server.on_frame(StopSendingFrame{StreamId{1}, 10})), error::kStreamStateError);
}

TEST_F(ServerTest, FramesAgainstTheDirectionAreStreamStateErrors) {  // §19.4, §19.5, §19.8, §19.10, §19.13
  ASSERT_EQ(server.open(unidirectional), StreamId{3});
  EXPECT_EQ(code_of(stream(3, 0, 1)), error::kStreamStateError);
  EXPECT_EQ(code_of(reset(3, 0)), error::kStreamStateError);
  EXPECT_EQ(code_of(server.on_frame(StreamDataBlockedFrame{StreamId{3}, 0})), error::kStreamStateError);
  EXPECT_EQ(code_of(server.on_frame(StopSendingFrame{StreamId{2}, 0})), error::kStreamStateError);
  EXPECT_EQ(code_of(server.on_frame(MaxStreamDataFrame{StreamId{2}, 0})), error::kStreamStateError);
}

TEST_F(ServerTest, ErrorsNameTheFrameType) {
  EXPECT_EQ(stream(1, 0, 1).error().frame_type, frame_type::kStream);
  EXPECT_EQ(server.on_frame(StopSendingFrame{StreamId{2}, 0}).error().frame_type, frame_type::kStopSending);
}

TEST_F(ServerTest, AFinalSizeNeverChanges) {  // §4.5
  EXPECT_TRUE(stream(0, 0, 100, true));
  EXPECT_EQ(code_of(stream(0, 0, 99, true)), error::kFinalSizeError);
  EXPECT_EQ(code_of(stream(0, 100, 1)), error::kFinalSizeError);
  EXPECT_EQ(code_of(reset(0, 101)), error::kFinalSizeError);
  EXPECT_TRUE(reset(0, 100)) << "the same final size is no error";
}

TEST_F(ServerTest, AFinalSizeBelowWhatArrivedIsAFinalSizeError) {
  EXPECT_TRUE(stream(0, 50, 50));
  EXPECT_EQ(code_of(stream(0, 0, 99, true)), error::kFinalSizeError);
  EXPECT_EQ(code_of(reset(0, 10)), error::kFinalSizeError);
}

TEST_F(ServerTest, AnOffsetBeyondTheVarintSpaceIsAnEncodingError) {  // §19.8
  EXPECT_EQ(code_of(stream(0, kMaxVarint, 1)), error::kFrameEncodingError);
  EXPECT_EQ(code_of(stream(0, kMaxVarint - 1, 1)), error::kFlowControlError);
}

TEST_F(ServerTest, StreamCountsAbove2To60AreEncodingErrors) {  // §4.6, §19.14
  EXPECT_TRUE(server.on_frame(MaxStreamsFrame{bidirectional, kMaxStreamCount}));
  EXPECT_EQ(code_of(server.on_frame(MaxStreamsFrame{bidirectional, kMaxStreamCount + 1})), error::kFrameEncodingError);
  EXPECT_EQ(code_of(server.on_frame(StreamsBlockedFrame{unidirectional, kMaxStreamCount + 1})),
            error::kFrameEncodingError);
}

TEST_F(ServerTest, AStreamOpensTheLowerOnesWithoutStateForThem) {  // §2.1
  EXPECT_TRUE(stream(4 * 3, 0, 1));
  EXPECT_EQ(server.stream_count(), 1U);
  EXPECT_TRUE(stream(4, 0, 1));
  EXPECT_EQ(server.stream_count(), 2U);
  const auto events = events_of(server);
  EXPECT_TRUE(saw(events, Kind::opened, StreamId{12}));
  EXPECT_TRUE(saw(events, Kind::opened, StreamId{4}));
  EXPECT_FALSE(saw(events, Kind::opened, StreamId{0}));
}

TEST_F(ServerTest, FramesForForgottenStreamsAreIgnored) {
  EXPECT_TRUE(stream(2, 0, 10, true));
  EXPECT_EQ(read_all(server, StreamId{2}).size(), 10U);
  static_cast<void>(events_of(server));
  ASSERT_EQ(server.stream_count(), 0U);
  EXPECT_TRUE(stream(2, 0, 10, true));
  EXPECT_TRUE(stream(2, 5, 500));
  EXPECT_TRUE(reset(2, 3));
  EXPECT_EQ(server.stream_count(), 0U);
  EXPECT_FALSE(server.has_events());
}

TEST(StreamFlowControlTest, ExtendsTheStreamsWindowWhenHalfIsRead) {  // §4.2
  Pair pair(limits(), limits(1000, 100000));
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 500), false));
  EXPECT_TRUE(pair.pump(pair.client, pair.server));
  EXPECT_EQ(pair.server.peek(id)->data.size(), 500U);
  pair.server.consume(id, 499);
  EXPECT_FALSE(next_packet(pair.server));
  EXPECT_EQ(pair.server.peek(id)->data.size(), 1U);
  pair.server.consume(id, 1);
  const auto packet = next_packet(pair.server);
  ASSERT_TRUE(packet);
  const auto frames = frames_of_type<MaxStreamDataFrame>(*packet);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].maximum, 1500U);
  lose(pair.server, *packet);
  EXPECT_EQ(pair.server.interest(), Interest::lost_data);
  const auto again = next_packet(pair.server);
  ASSERT_TRUE(again);
  EXPECT_EQ(frames_of_type<MaxStreamDataFrame>(*again).at(0).maximum, 1500U);
}

TEST(StreamFlowControlTest, SaysOnceThatItIsBlocked) {  // §4.1
  Pair pair(limits(), limits(300, 100000));
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 301), false));
  auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  const auto blocked = frames_of_type<StreamDataBlockedFrame>(*packet);
  ASSERT_EQ(blocked.size(), 1U);
  EXPECT_EQ(blocked[0].limit, 300U);
  EXPECT_EQ(pair.client.interest(), Interest::none);
  lose(pair.client, *packet);
  EXPECT_EQ(pair.client.interest(), Interest::new_data);
  EXPECT_TRUE(pair.client.on_frame(MaxStreamDataFrame{id, 400}));
  packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(frames_of_type<StreamDataBlockedFrame>(*packet).empty()) << "no longer true";
  EXPECT_EQ(frames_of_type<StreamFrame>(*packet).at(0).offset, 300U);
}

TEST(StreamFlowControlTest, SaysOnceThatTheConnectionIsBlocked) {
  Pair pair(limits(), limits(10000, 300));
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 400), false));
  ASSERT_TRUE(next_packet(pair.client));
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  EXPECT_EQ(frames_of_type<DataBlockedFrame>(*packet).at(0).limit, 300U);
  EXPECT_EQ(pair.client.interest(), Interest::none);
  EXPECT_TRUE(pair.client.on_frame(MaxDataFrame{400}));
  EXPECT_EQ(pair.client.interest(), Interest::new_data);
}

TEST(StreamFlowControlTest, AFullStreamDoesNotStopTheOthers) {
  Pair pair(limits(), limits(1000, 10000));
  const StreamId full = *pair.client.open(unidirectional);
  const StreamId other = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(full, pattern(0, 3000), false));
  EXPECT_TRUE(pair.client.write(other, pattern(0, 900), false));
  pair.settle();
  EXPECT_EQ(read_all(pair.server, other).size(), 900U);
}

}  // namespace
}  // namespace mpquic
