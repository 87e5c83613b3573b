// Resets, stops and the state machines of RFC 9000 §3.
#include <gtest/gtest.h>

#include "tests/unit/stream/harness.h"

namespace mpquic {
namespace {

using namespace stream_test;
using enum Directionality;
using Kind = StreamEventKind;

TEST(StreamStatesTest, AResetReachesThePeerWithItsErrorAndFinalSize) {  // §3.1, §4.5
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 5000), false));
  EXPECT_TRUE(pair.pump(pair.client, pair.server));
  const std::uint64_t sent = pair.client.bytes_written_new();
  pair.client.reset(id, 77);
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  const auto frames = frames_of(*packet);
  ASSERT_EQ(frames.size(), 1U) << "no data after a reset";
  EXPECT_EQ(std::get<ResetStreamFrame>(frames[0]).final_size, sent);
  EXPECT_TRUE(deliver(pair.server, *packet));

  const auto events = events_of(pair.server);
  ASSERT_TRUE(saw(events, Kind::reset, id));
  EXPECT_EQ(events.back().error, 77U);
  EXPECT_EQ(pair.server.stream_count(), 0U) << "reset_recvd, told: reset_read";
  acknowledge(pair.client, *packet);
  EXPECT_EQ(pair.client.stream_count(), 0U) << "reset_recvd";
}

TEST(StreamStatesTest, ALostResetIsRepeatedUntilAcknowledged) {  // §13.3
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  pair.client.reset(id, 1);
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  lose(pair.client, *packet);
  EXPECT_EQ(pair.client.interest(), Interest::lost_data);
  const auto again = next_packet(pair.client);
  ASSERT_TRUE(again);
  EXPECT_EQ(frames_of_type<ResetStreamFrame>(*again).size(), 1U);
  acknowledge(pair.client, *packet);
  lose(pair.client, *again);
  EXPECT_EQ(pair.client.interest(), Interest::none);
}

TEST(StreamStatesTest, AnAcknowledgedResetIsNotRepeatedThoughItWaits) {
  Pair pair;
  const StreamId id = *pair.client.open(bidirectional);
  pair.client.reset(id, 1);
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  lose(pair.client, *packet);
  acknowledge(pair.client, *packet);
  EXPECT_EQ(pair.client.interest(), Interest::none);
  EXPECT_FALSE(next_packet(pair.client));
}

TEST(StreamStatesTest, ReadAndWriteAfterAResetSaySo) {
  Pair pair;
  const StreamId id = *pair.client.open(bidirectional);
  EXPECT_TRUE(pair.client.write(id, as_bytes("x"), false));
  pair.settle();
  pair.client.reset(id, 1);
  EXPECT_EQ(pair.client.write(id, as_bytes("x"), false).error(), StreamError::reset);
  pair.settle();
  EXPECT_EQ(pair.server.peek(id).error(), StreamError::reset);
}

TEST(StreamStatesTest, AResetAfterEverythingArrivedChangesNothing) {  // §3.2: data_recvd
  StreamMap server(Role::server, limits());
  EXPECT_TRUE(server.on_frame(StreamFrame{StreamId{2}, 0, as_bytes("all"), true}));
  EXPECT_TRUE(server.on_frame(ResetStreamFrame{StreamId{2}, 5, 3}));
  EXPECT_EQ(read_all(server, StreamId{2}), "all");
}

TEST(StreamStatesTest, AResetOverridesMissingData) {  // §3.2: size_known to reset_recvd
  StreamMap server(Role::server, limits());
  EXPECT_TRUE(server.on_frame(StreamFrame{StreamId{2}, 3, as_bytes("end"), true}));
  EXPECT_TRUE(server.on_frame(ResetStreamFrame{StreamId{2}, 5, 6}));
  EXPECT_TRUE(saw(events_of(server), Kind::reset, StreamId{2}));
  EXPECT_EQ(server.stream_count(), 0U);
}

TEST(StreamStatesTest, StopSendingIsAnsweredByAResetWithItsError) {  // §3.5
  Pair pair;
  const StreamId id = *pair.client.open(bidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 3000), false));
  EXPECT_TRUE(pair.pump(pair.client, pair.server));
  pair.server.stop_sending(id, 42);
  EXPECT_TRUE(pair.pump(pair.server, pair.client));
  const auto events = events_of(pair.client);
  ASSERT_TRUE(saw(events, Kind::stopped, id));
  EXPECT_EQ(events.back().error, 42U);
  EXPECT_EQ(pair.client.write(id, as_bytes("x"), false).error(), StreamError::stopped);
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  EXPECT_EQ(frames_of_type<ResetStreamFrame>(*packet).at(0).error, 42U);
  EXPECT_TRUE(deliver(pair.server, *packet));
  EXPECT_FALSE(saw(events_of(pair.server), Kind::reset, id)) << "it asked for it";
}

TEST(StreamStatesTest, AStoppedReceiverReturnsCreditWithoutReading) {
  Pair pair(limits(), limits(100000, 4000));
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 3900), false));
  pair.settle();
  pair.server.stop_sending(id, 1);
  EXPECT_EQ(pair.server.peek(id).error(), StreamError::stopped);
  pair.settle();
  const StreamId other = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(other, pattern(0, 3900), true));
  pair.settle();
  EXPECT_EQ(read_all(pair.server, other).size(), 3900U);
}

TEST(StreamStatesTest, StopSendingIsRepeatedWhileThePeerMaySend) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, as_bytes("x"), false));
  pair.settle();
  pair.server.stop_sending(id, 1);
  const auto packet = next_packet(pair.server);
  ASSERT_TRUE(packet);
  EXPECT_EQ(frames_of_type<StopSendingFrame>(*packet).size(), 1U);
  lose(pair.server, *packet);
  EXPECT_EQ(pair.server.interest(), Interest::lost_data);
  EXPECT_TRUE(pair.server.on_frame(ResetStreamFrame{id, 3, 1}));
  EXPECT_EQ(pair.server.interest(), Interest::none);
}

TEST(StreamStatesTest, NoStopSendingOnceAllDataIsHere) {  // §3.5
  StreamMap server(Role::server, limits());
  server.on_peer_limits(limits());
  EXPECT_TRUE(server.on_frame(StreamFrame{StreamId{2}, 0, as_bytes("all"), true}));
  server.stop_sending(StreamId{2}, 1);
  EXPECT_FALSE(next_packet(server));
  static_cast<void>(events_of(server));
  EXPECT_EQ(server.stream_count(), 0U);
}

TEST(StreamStatesTest, AStopWithTheSizeKnownEndsWhenItIsAcknowledged) {
  StreamMap server(Role::server, limits());
  server.on_peer_limits(limits());
  EXPECT_TRUE(server.on_frame(StreamFrame{StreamId{2}, 3, as_bytes("end"), true}));
  server.stop_sending(StreamId{2}, 1);
  static_cast<void>(events_of(server));
  const auto packet = next_packet(server);
  ASSERT_TRUE(packet);
  EXPECT_EQ(server.stream_count(), 1U);
  acknowledge(server, *packet);
  EXPECT_EQ(server.stream_count(), 0U);
}

TEST(StreamStatesTest, AStoppedStreamEndsWithTheFinalSizeAlone) {
  StreamMap server(Role::server, limits());
  server.on_peer_limits(limits());
  EXPECT_TRUE(server.on_frame(StreamFrame{StreamId{2}, 0, as_bytes("abc"), false}));
  server.stop_sending(StreamId{2}, 1);
  static_cast<void>(events_of(server));
  EXPECT_EQ(server.stream_count(), 1U);
  EXPECT_TRUE(server.on_frame(StreamFrame{StreamId{2}, 9, as_bytes("z"), true}));
  EXPECT_EQ(server.stream_count(), 0U);
}

TEST(StreamStatesTest, StopSendingAfterEverythingWasAcknowledgedIsIgnored) {
  Pair pair;
  const StreamId id = *pair.client.open(bidirectional);
  EXPECT_TRUE(pair.client.write(id, as_bytes("x"), true));
  pair.settle();
  EXPECT_TRUE(pair.client.on_frame(StopSendingFrame{id, 1}));
  EXPECT_EQ(pair.client.interest(), Interest::none);
  EXPECT_FALSE(saw(events_of(pair.client), Kind::stopped, id));
}

TEST(StreamStatesTest, ALostFinIsRepeatedAlone) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, as_bytes("abc"), false));
  pair.settle();
  EXPECT_TRUE(pair.client.write(id, {}, true));
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  lose(pair.client, *packet);
  EXPECT_EQ(pair.client.interest(), Interest::lost_data);
  const auto again = next_packet(pair.client);
  ASSERT_TRUE(again);
  const auto frames = frames_of_type<StreamFrame>(*again);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(frames[0].fin);
  EXPECT_EQ(frames[0].offset, 3U);
}

TEST(StreamStatesTest, FinIsOnlySentWithTheLastByte) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 3000), true));
  std::uint64_t end = 0;
  while (const auto packet = next_packet(pair.client)) {
    for (const auto& frame : frames_of_type<StreamFrame>(*packet)) {
      end = frame.offset + frame.data.size();
      EXPECT_EQ(frame.fin, end == 3000) << end;
    }
  }
  EXPECT_EQ(end, 3000U);
}

TEST(StreamStatesTest, FinishedIsToldOnceWhenTheLastByteIsAcknowledged) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 2000), true));
  const auto first = next_packet(pair.client);
  const auto second = next_packet(pair.client);
  ASSERT_TRUE(first && second);
  acknowledge(pair.client, *second);
  EXPECT_FALSE(pair.client.has_events());
  acknowledge(pair.client, *first);
  const auto events = events_of(pair.client);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::finished);
}

}  // namespace
}  // namespace mpquic
