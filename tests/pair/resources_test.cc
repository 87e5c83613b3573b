// What connections cost: no allocation per packet in steady state, and bounded memory (issue: bars on memory).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pair/pair.h"
#include "tests/support/heap.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

/// Moves trains straight from one endpoint to the other, without any queue of its own between them.
class Shuttle {
 public:
  explicit Shuttle(Pair& pair) : pair_(pair), buffer_(65536), data_(65536) {}

  /// Time to pass per turn, and whether everything in between is delivered.
  void turn() {
    pair_.now += 1ms;
    if (expired(pair_.client->next_deadline(), pair_.now)) pair_.client->on_deadline(pair_.now);
    if (expired(pair_.server->next_deadline(), pair_.now)) pair_.server->on_deadline(pair_.now);
    move(*pair_.client, *pair_.server);
    move(*pair_.server, *pair_.client);
  }
  void send(StreamId id) {
    while (const auto n = pair_.client->write(pair_.client_handle, id, data_, false)) {
      sent += *n;
      if (*n < data_.size()) break;
    }
    turn();
    for (;;) {
      const auto piece = pair_.server->peek(pair_.server_handle, id);
      if (!piece || piece->data.empty()) break;
      received += piece->data.size();
      pair_.server->consume(pair_.server_handle, id, piece->data.size());
    }
    while (pair_.client->poll_event()) {}
    while (pair_.server->poll_event()) {}
  }

  std::uint64_t sent = 0;
  std::uint64_t received = 0;

 private:
  void move(Endpoint& from, Endpoint& to) {
    while (const auto train = from.poll_transmit(buffer_, pair_.now)) {
      to.receive({{train->tuple.remote, train->tuple.local},
                  train->ecn,
                  MutableBytes(buffer_).first(train->size),
                  train->segment_size},
                 pair_.now);
    }
  }

  Pair& pair_;
  std::vector<std::byte> buffer_;
  std::vector<std::byte> data_;
};

PairOptions no_qlog() {
  PairOptions options;
  options.qlog = false;
  return options;
}

TEST(Resources, SteadyStateAllocatesNothing) {
  for (const std::uint8_t paths : {std::uint8_t{1}, std::uint8_t{6}}) {
    Pair pair(no_qlog());
    ASSERT_TRUE(pair.connect());
    ASSERT_TRUE(pair.open_paths(paths));
    const auto id = pair.client->open_stream(pair.client_handle, Directionality::unidirectional);
    ASSERT_TRUE(id);
    Shuttle shuttle(pair);
    while (shuttle.received < 60'000'000) shuttle.send(*id);
    const std::size_t before = allocation_count();
    const std::uint64_t from = shuttle.received;
    for (int i = 0; i < 500; ++i) shuttle.send(*id);
    EXPECT_GT(shuttle.received - from, 5'000'000U);
    EXPECT_EQ(allocation_count() - before, 0U) << int{paths} << " paths";
  }
}

TEST(Resources, AnIdleConnectionIsSmall) {
  constexpr std::size_t kConnections = 50;
  constexpr std::size_t kLimit = 100'000;
  Pair pair(no_qlog());
  ASSERT_TRUE(pair.connect());  // what is allocated once
  std::vector<ConnectionHandle> handles;
  const std::size_t before = heap_bytes();
  for (std::size_t i = 0; i < kConnections; ++i) {
    pair.client_events.clear();
    pair.server_events.clear();
    pair.connect_options.tuple = Pair::tuple(static_cast<std::uint8_t>(i + 1));
    ASSERT_TRUE(pair.connect());
  }
  pair.run_for(3s);
  std::vector<ConnectionEvent>().swap(pair.client_events);
  std::vector<ConnectionEvent>().swap(pair.server_events);
  const std::size_t each = (heap_bytes() - before) / (2 * kConnections);
  RecordProperty("bytes_per_idle_connection", static_cast<int>(each));
  EXPECT_LT(each, kLimit);
  EXPECT_EQ(pair.server->connection_count(), kConnections + 1);
}

TEST(Resources, ABurstIsForgottenOnceTheConnectionIsQuiet) {
  Pair pair(no_qlog());
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.transfer(false, 1000));
  pair.run_for(5s);
  const std::size_t before = heap_bytes();
  ASSERT_TRUE(pair.transfer(false, 10'000'000));
  pair.run_for(5s);
  std::vector<ConnectionEvent>().swap(pair.client_events);
  std::vector<ConnectionEvent>().swap(pair.server_events);
  EXPECT_LT(heap_bytes(), before + 200'000);
}

TEST(Resources, SixBusyPathsFitIn16Megabytes) {
  constexpr std::size_t kLimit = 16U << 20;
  PairOptions options = no_qlog();
  options.delay = 10ms;
  Pair pair(options);
  const std::size_t before = heap_bytes();
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(6));
  const auto id = pair.client->open_stream(pair.client_handle, Directionality::unidirectional);
  ASSERT_TRUE(id);
  std::vector<std::byte> data(65536);
  std::uint64_t received = 0;
  std::size_t most = 0;
  while (received < 40'000'000) {
    while (pair.client->write(pair.client_handle, *id, data, false).value_or(0) > 0) {}
    ASSERT_TRUE(pair.step());
    for (;;) {
      const auto piece = pair.server->peek(pair.server_handle, *id);
      if (!piece || piece->data.empty()) break;
      received += piece->data.size();
      pair.server->consume(pair.server_handle, *id, piece->data.size());
    }
    most = std::max(most, heap_bytes() - before);
    pair.client_events.clear();
    pair.server_events.clear();
  }
  RecordProperty("most_bytes_both_connections", static_cast<int>(most));
  // Both ends and everything on the wire between them.
  EXPECT_LT(most, 2 * kLimit);
}

/// A seed for which nothing but `early_ack` happens: one count whenever an established connection is polled.
std::uint64_t polls_only() {
  for (std::uint64_t seed = 0;; ++seed) {
    Buggify trial(seed, 0, 1.0);
    bool only = true;
    for (std::size_t i = 0; i < kBuggifyPointCount; ++i) {
      const auto point = static_cast<BuggifyPoint>(i);
      only &= trial.happens(point) == (point == BuggifyPoint::early_ack);
    }
    if (only) return seed;
  }
}

TEST(Resources, WhatHappensToOneSendConcernsItsConnectionOnly) {
  constexpr std::uint8_t kConnections = 40;
  Buggify polls(polls_only(), 0, 1.0);
  PairOptions options = no_qlog();
  options.client.connection.discover_mtu = options.server.connection.discover_mtu = false;
  options.server.connection.buggify = &polls;
  Pair pair(options);
  for (std::uint8_t i = 0; i < kConnections; ++i) {
    pair.client_events.clear();
    pair.server_events.clear();
    pair.connect_options.tuple = Pair::tuple(i);
    ASSERT_TRUE(pair.connect());
  }
  pair.run_for(5s);
  std::vector<std::byte> out(65536);
  const auto touched = [&](auto&& happens) {
    const std::uint64_t before = polls.count();
    happens();
    while (pair.server->poll_transmit(out, pair.now)) {}
    return polls.count() - before;
  };
  for (const auto failure : {TransmitFailure::too_big, TransmitFailure::unreachable}) {
    Transmit answer{.tuple = {Pair::server_address(), Pair::client_address(200)}};
    EXPECT_EQ(touched([&] { pair.server->on_transmit_failed(answer, failure, pair.now); }), 0U);
    answer.tuple.remote = Pair::client_address(3);  // where a connection is, but this was not its datagram
    EXPECT_EQ(touched([&] { pair.server->on_transmit_failed(answer, failure, pair.now); }), 0U);
  }
  std::optional<Transmit> train;
  const auto id = pair.server->open_stream(pair.server_handle, Directionality::unidirectional);
  ASSERT_TRUE(id && pair.server->write(pair.server_handle, *id, std::vector<std::byte>(100), true));
  ASSERT_TRUE(train = pair.server->poll_transmit(out, pair.now));
  while (pair.server->poll_transmit(out, pair.now)) {}
  EXPECT_EQ(touched([&] { pair.server->on_transmit_failed(*train, TransmitFailure::too_big, pair.now); }), 1U);
  // A full socket that nobody wanted to use is nobody's business, and otherwise theirs who did.
  EXPECT_EQ(touched([&] {
              pair.server->set_writable(Pair::server_address(), false);
              pair.server->set_writable(Pair::server_address(), true);
            }),
            0U);
  const auto other = pair.server->open_stream(pair.server_handle, Directionality::unidirectional);
  ASSERT_TRUE(other);
  pair.server->set_writable(Pair::server_address(), false);
  ASSERT_TRUE(pair.server->write(pair.server_handle, *other, std::vector<std::byte>(100), true));
  EXPECT_FALSE(pair.server->poll_transmit(out, pair.now));
  EXPECT_LE(touched([&] { pair.server->set_writable(Pair::server_address(), true); }), 2U);
  EXPECT_TRUE(pair.run_until([&] { return !pair.events_of<StreamReadable>(false).empty(); }));
}

}  // namespace
}  // namespace mpquic::test
