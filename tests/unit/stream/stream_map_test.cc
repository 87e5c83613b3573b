#include "stack/stream/stream_map.h"

#include <gtest/gtest.h>

#include "tests/unit/stream/harness.h"

namespace mpquic {
namespace {

using namespace stream_test;
using enum Directionality;
using Kind = StreamEventKind;

TEST(StreamMapTest, CarriesBytesAndFin) {
  Pair pair;
  const StreamId id = *pair.client.open(bidirectional);
  EXPECT_EQ(id, StreamId{0});
  EXPECT_EQ(pair.client.write(id, as_bytes("hello"), true), 5U);
  pair.settle();
  const auto events = events_of(pair.server);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, Kind::opened);
  EXPECT_EQ(events[1].kind, Kind::readable);
  bool fin = false;
  EXPECT_EQ(read_all(pair.server, id, &fin), "hello");
  EXPECT_TRUE(fin);
  EXPECT_TRUE(saw(events_of(pair.client), Kind::finished, id));
}

TEST(StreamMapTest, NumbersStreamsByInitiatorAndDirection) {  // RFC 9000 §2.1
  Pair pair;
  EXPECT_EQ(pair.client.open(bidirectional), StreamId{0});
  EXPECT_EQ(pair.client.open(bidirectional), StreamId{4});
  EXPECT_EQ(pair.client.open(unidirectional), StreamId{2});
  EXPECT_EQ(pair.server.open(bidirectional), StreamId{1});
  EXPECT_EQ(pair.server.open(unidirectional), StreamId{3});
}

TEST(StreamMapTest, AnswersOnABidirectionalStream) {
  Pair pair;
  const StreamId id = *pair.client.open(bidirectional);
  EXPECT_TRUE(pair.client.write(id, as_bytes("ping"), true));
  pair.settle();
  EXPECT_EQ(read_all(pair.server, id), "ping");
  EXPECT_TRUE(pair.server.write(id, as_bytes("pong"), true));
  pair.settle();
  EXPECT_EQ(read_all(pair.client, id), "pong");
  static_cast<void>(events_of(pair.client));
  static_cast<void>(events_of(pair.server));
  EXPECT_EQ(pair.client.stream_count(), 0U);
  EXPECT_EQ(pair.server.stream_count(), 0U);
}

TEST(StreamMapTest, KnowsWhetherDataIsInFlight) {
  Pair pair;
  EXPECT_FALSE(pair.client.has_unacked());
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, as_bytes("data"), false));
  EXPECT_FALSE(pair.client.has_unacked());  // nothing was sent yet
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(pair.client.has_unacked());
  for (const DeliveryToken& token : packet->tokens.view()) pair.client.on_acked(token);
  EXPECT_FALSE(pair.client.has_unacked());
  EXPECT_FALSE(pair.server.has_unacked());
}

TEST(StreamMapTest, DataOfAResetStreamIsNoLongerInFlight) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, as_bytes("data"), false));
  ASSERT_TRUE(next_packet(pair.client));
  pair.client.reset(id, 1);
  EXPECT_FALSE(pair.client.has_unacked());
}

TEST(StreamMapTest, DeliversAnEmptyStream) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, {}, true));
  EXPECT_EQ(pair.client.interest(), Interest::new_data);
  pair.settle();
  bool fin = false;
  EXPECT_EQ(read_all(pair.server, id, &fin), "");
  EXPECT_TRUE(fin);
}

TEST(StreamMapTest, SendsABareFinWithoutConnectionCredit) {
  Pair pair(limits(), limits(1000, 500));
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 500), false));
  pair.settle();
  EXPECT_TRUE(pair.client.write(id, {}, true));
  EXPECT_EQ(pair.client.interest(), Interest::new_data);
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  const auto frames = frames_of_type<StreamFrame>(*packet);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(frames[0].fin);
  EXPECT_EQ(frames[0].offset, 500U);
}

TEST(StreamMapTest, HoldsEarlyDataUntilThePeersLimitsAreKnown) {
  StreamMap client(Role::client, limits());
  const StreamId first = *client.open(bidirectional);
  const StreamId second = *client.open(bidirectional);
  EXPECT_EQ(client.write(first, as_bytes("a"), true), 1U);
  EXPECT_EQ(client.write(second, as_bytes("b"), true), 1U);
  EXPECT_EQ(client.interest(), Interest::none);
  EXPECT_FALSE(next_packet(client));

  client.on_peer_limits(limits(1000, 1000, 1));
  auto packet = next_packet(client);
  ASSERT_TRUE(packet);
  auto frames = frames_of_type<StreamFrame>(*packet);
  ASSERT_EQ(frames.size(), 1U) << "only one stream is allowed";
  EXPECT_EQ(frames[0].id, first);

  EXPECT_TRUE(client.on_frame(MaxStreamsFrame{bidirectional, 2}));
  packet = next_packet(client);
  ASSERT_TRUE(packet);
  frames = frames_of_type<StreamFrame>(*packet);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].id, second);
}

TEST(StreamMapTest, ResetsOfEarlyStreamsWaitForTheLimitToo) {
  StreamMap client(Role::client, limits());
  const StreamId id = *client.open(unidirectional);
  client.reset(id, 7);
  EXPECT_EQ(client.interest(), Interest::none);
  client.on_peer_limits(limits());
  const auto packet = next_packet(client);
  ASSERT_TRUE(packet);
  EXPECT_EQ(frames_of_type<ResetStreamFrame>(*packet).size(), 1U);
}

TEST(StreamMapTest, RefusesToOpenBeyondThePeersLimitAndSaysWhenItRises) {  // RFC 9000 §4.6
  Pair pair(limits(), limits(1000, 1000, 1));
  ASSERT_TRUE(pair.client.open(bidirectional));
  EXPECT_EQ(pair.client.open(bidirectional).error(), StreamError::limit);
  auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  const auto blocked = frames_of_type<StreamsBlockedFrame>(*packet);
  ASSERT_EQ(blocked.size(), 1U);
  EXPECT_EQ(blocked[0].limit, 1U);
  EXPECT_EQ(pair.client.interest(), Interest::none) << "said once per limit";
  lose(pair.client, *packet);
  EXPECT_NE(pair.client.interest(), Interest::none) << "still true, so worth repeating";

  EXPECT_TRUE(pair.client.on_frame(MaxStreamsFrame{bidirectional, 2}));
  const auto events = events_of(pair.client);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::streams_available);
  EXPECT_EQ(events[0].dir, bidirectional);
  EXPECT_TRUE(pair.client.open(bidirectional));
}

TEST(StreamMapTest, GivesThePeerNewStreamsAsItsOldOnesFinish) {
  Pair pair(limits(), limits(1000, 1000, 4));
  for (int i = 0; i < 100; ++i) {
    const auto id = pair.client.open(unidirectional);
    ASSERT_TRUE(id) << i;
    EXPECT_TRUE(pair.client.write(*id, as_bytes("x"), true));
    pair.settle();
    EXPECT_EQ(read_all(pair.server, *id), "x");
    static_cast<void>(events_of(pair.server));
    static_cast<void>(events_of(pair.client));
    pair.settle();
  }
  EXPECT_EQ(pair.server.stream_count(), 0U);
  EXPECT_EQ(pair.client.stream_count(), 0U);
}

TEST(StreamMapTest, AStreamStaysUntilItsEventsWerePolled) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, as_bytes("x"), true));
  pair.settle();
  EXPECT_EQ(pair.client.stream_count(), 1U);
  EXPECT_TRUE(saw(events_of(pair.client), Kind::finished, id));
  EXPECT_EQ(pair.client.stream_count(), 0U);
  EXPECT_EQ(pair.client.write(id, as_bytes("x"), false).error(), StreamError::unknown_stream);
}

TEST(StreamMapTest, EventsAreEdgesAndNotRepeated) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(pair.client.write(id, as_bytes("x"), false));
    pair.settle();
  }
  const auto events = events_of(pair.server);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].kind, Kind::readable);
  EXPECT_FALSE(pair.server.has_events());
  EXPECT_EQ(read_all(pair.server, id), "xxxxx");
}

TEST(StreamMapTest, WriteTakesWhatFitsAndSaysWhenThereIsRoom) {
  StreamLimits small = limits();
  small.send_buffer = 1000;
  Pair pair(small, limits());
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_EQ(pair.client.write(id, pattern(0, 1500), true), 1000U);
  EXPECT_EQ(pair.client.write(id, pattern(1000, 500), true), 0U);
  pair.settle();
  EXPECT_TRUE(saw(events_of(pair.client), Kind::writable, id));
  EXPECT_EQ(pair.client.write(id, pattern(1000, 500), true), 500U);
  pair.settle();
  bool fin = false;
  EXPECT_EQ(read_all(pair.server, id, &fin), as_text(pattern(0, 1500)));
  EXPECT_TRUE(fin);
}

TEST(StreamMapTest, NothingFollowsFin) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, as_bytes("x"), true));
  EXPECT_EQ(pair.client.write(id, as_bytes("y"), false).error(), StreamError::finished);
}

TEST(StreamMapTest, MoreUrgentStreamsGoFirst) {
  Pair pair;
  const StreamId usual = *pair.client.open(unidirectional);
  const StreamId urgent = *pair.client.open(unidirectional);
  const StreamId lazy = *pair.client.open(unidirectional);
  pair.client.set_priority(lazy, 200);
  EXPECT_TRUE(pair.client.write(lazy, pattern(0, 2000), false));
  EXPECT_TRUE(pair.client.write(usual, pattern(0, 2000), false));
  EXPECT_TRUE(pair.client.write(urgent, pattern(0, 2000), false));
  pair.client.set_priority(urgent, kMostUrgent);
  std::vector<StreamId> order;
  while (const auto packet = next_packet(pair.client)) {
    for (const auto& frame : frames_of_type<StreamFrame>(*packet)) {
      if (order.empty() || order.back() != frame.id) order.push_back(frame.id);
    }
  }
  EXPECT_EQ(order, (std::vector{urgent, usual, lazy}));
}

TEST(StreamMapTest, StreamsOfOneUrgencyTakeTurns) {
  Pair pair;
  std::vector<StreamId> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(*pair.client.open(unidirectional));
    EXPECT_TRUE(pair.client.write(ids.back(), pattern(0, 10000), false));
  }
  for (std::size_t i = 0; i < 9; ++i) {
    const auto packet = next_packet(pair.client);
    ASSERT_TRUE(packet);
    EXPECT_EQ(frames_of_type<StreamFrame>(*packet).front().id, ids[i % 3]) << i;
  }
}

TEST(StreamMapTest, RepeatsComeBeforeNewDataAndAreCounted) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 5000), false));
  const auto first = next_packet(pair.client);
  ASSERT_TRUE(first);
  const std::uint64_t sent = pair.client.bytes_written_new();
  EXPECT_EQ(pair.client.interest(), Interest::new_data);
  lose(pair.client, *first);
  EXPECT_EQ(pair.client.interest(), Interest::lost_data);
  const auto again = next_packet(pair.client);
  ASSERT_TRUE(again);
  EXPECT_EQ(frames_of_type<StreamFrame>(*again).front().offset, 0U);
  EXPECT_EQ(pair.client.bytes_written_again(), sent);
  EXPECT_EQ(pair.client.retransmitted_bytes(), sent);
  EXPECT_EQ(pair.client.interest(), Interest::new_data);
}

TEST(StreamMapTest, RepeatsNeedNoConnectionCredit) {
  Pair pair(limits(), limits(1000, 1000));
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 3000), false));
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  lose(pair.client, *packet);
  const auto again = next_packet(pair.client);
  ASSERT_TRUE(again);
  EXPECT_EQ(frames_of_type<StreamFrame>(*again).front().data.size(), 1000U);
}

/// One packet with as much of a copy as fits; `done`: nothing of it is left.
Packet copy_packet(StreamMap& map, StreamToken& rest, std::size_t size, bool& done) {
  Packet packet{std::vector<std::byte>(size), {}};
  FrameWriter writer(packet.bytes, EncryptionLevel::one_rtt, PathId{1}, packet.tokens);
  done = map.write_copy(writer, rest);
  packet.bytes.resize(writer.size());
  return packet;
}

TEST(StreamMapTest, ACopyCarriesTheSameRangeAndEnd) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 1000), true));
  const auto original = next_packet(pair.client);
  ASSERT_TRUE(original);
  StreamToken rest = std::get<StreamToken>(original->tokens.items[0]);
  bool done = false;
  const Packet first = copy_packet(pair.client, rest, 600, done);
  EXPECT_FALSE(done) << "the other path has smaller packets";
  const Packet second = copy_packet(pair.client, rest, 600, done);
  EXPECT_TRUE(done);
  EXPECT_EQ(pair.client.bytes_copied(), 1000U);
  EXPECT_EQ(pair.client.interest(), Interest::none) << "a copy is nothing that is owed";
  acknowledge(pair.client, first);
  acknowledge(pair.client, second);
  EXPECT_FALSE(pair.client.is_outstanding(std::get<StreamToken>(original->tokens.items[0])));
  const auto event = pair.client.poll_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, StreamEventKind::finished) << "the end was in the copy too";
}

TEST(StreamMapTest, OnlyWhatIsUnacknowledgedIsCopied) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 1000), true));
  const auto original = next_packet(pair.client);
  ASSERT_TRUE(original);
  const StreamToken all = std::get<StreamToken>(original->tokens.items[0]);
  StreamToken rest = all;
  bool done = false;
  const Packet half = copy_packet(pair.client, rest, 500, done);
  acknowledge(pair.client, half);
  rest = all;
  const Packet other = copy_packet(pair.client, rest, kPayload, done);
  EXPECT_TRUE(done);
  EXPECT_EQ(pair.client.bytes_copied(), 1000U) << "the first half was not sent once more";
  acknowledge(pair.client, other);
  rest = all;
  EXPECT_TRUE(copy_packet(pair.client, rest, kPayload, done).bytes.empty());
  EXPECT_TRUE(done);
}

TEST(StreamMapTest, ACopyOfWhatWasLostIsItsRetransmission) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 1000), true));
  const auto original = next_packet(pair.client);
  ASSERT_TRUE(original);
  StreamToken rest = std::get<StreamToken>(original->tokens.items[0]);
  lose(pair.client, *original);
  EXPECT_EQ(pair.client.interest(), Interest::lost_data);
  bool done = false;
  const Packet copy = copy_packet(pair.client, rest, kPayload, done);
  EXPECT_TRUE(done);
  EXPECT_EQ(pair.client.interest(), Interest::none);
  lose(pair.client, copy);
  EXPECT_EQ(pair.client.interest(), Interest::lost_data);
}

TEST(StreamMapTest, AnAcknowledgedCopyNeedsNoRepeat) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 1000), true));
  const auto original = next_packet(pair.client);
  ASSERT_TRUE(original);
  lose(pair.client, *original);  // reinjection: still in flight on another path
  const auto copy = next_packet(pair.client);
  ASSERT_TRUE(copy);
  const auto& token = std::get<StreamToken>(original->tokens.items[0]);
  EXPECT_TRUE(pair.client.is_outstanding(token));
  acknowledge(pair.client, *copy);
  EXPECT_FALSE(pair.client.is_outstanding(token));
  lose(pair.client, *original);
  acknowledge(pair.client, *original);
  acknowledge(pair.client, *copy);
  EXPECT_EQ(pair.client.interest(), Interest::none);
  const auto events = events_of(pair.client);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::finished);
}

TEST(StreamMapTest, ALateAcknowledgementCancelsTheRepeat) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 1000), true));
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  lose(pair.client, *packet);
  acknowledge(pair.client, *packet);
  EXPECT_EQ(pair.client.interest(), Interest::none);
  EXPECT_FALSE(next_packet(pair.client));
}

TEST(StreamMapTest, OnlyTheUnacknowledgedPartOfALostRangeIsRepeated) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 300), false));
  ASSERT_TRUE(next_packet(pair.client));
  pair.client.on_acked(StreamToken{id, 100, 100, false});
  pair.client.on_lost(StreamToken{id, 0, 300, false});
  const auto packet = next_packet(pair.client);
  ASSERT_TRUE(packet);
  const auto frames = frames_of_type<StreamFrame>(*packet);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].offset, 0U);
  EXPECT_EQ(frames[0].data.size(), 100U);
  EXPECT_EQ(frames[1].offset, 200U);
  EXPECT_EQ(frames[1].data.size(), 100U);
}

TEST(StreamMapTest, IgnoresForeignTokens) {
  Pair pair;
  pair.client.on_acked(DeliveryToken{HandshakeDoneToken{}});
  pair.client.on_lost(DeliveryToken{PathAbandonToken{}});
  pair.client.on_lost(DeliveryToken{StreamToken{StreamId{400}, 0, 10, true}});
  EXPECT_EQ(pair.client.interest(), Interest::none);
}

TEST(StreamMapTest, AnIdleMapHoldsLittleMemory) {
  Pair pair;
  const StreamId id = *pair.client.open(unidirectional);
  EXPECT_TRUE(pair.client.write(id, pattern(0, 64 << 10), false));
  pair.settle();
  EXPECT_EQ(read_all(pair.server, id), as_text(pattern(0, 64 << 10)));
  pair.client.trim();
  pair.server.trim();
  EXPECT_LT(pair.client.buffer_memory(), 40'000U);
  EXPECT_LT(pair.server.buffer_memory(), 40'000U);
}

}  // namespace
}  // namespace mpquic
