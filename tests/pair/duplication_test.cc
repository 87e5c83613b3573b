// What goes out on two paths at once, end to end: docs/adr/0011.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

PairOptions duplicating(std::string_view policy, std::uint16_t copies = 1) {
  PairOptions options;
  for (EndpointConfig* side : {&options.client, &options.server}) {
    side->connection.duplication = policy;
    side->connection.duplicate_copies = copies;
  }
  return options;
}

/// Sends a datagram that says `i`, and gives it time to arrive.
void send_datagram(Pair& pair, std::uint8_t i) {
  const std::array data{std::byte{i}, std::byte{0xdd}};
  EXPECT_TRUE(pair.client->send_datagram(pair.client_handle, data, std::nullopt));
  pair.run_for(30ms);
}

/// How often each arrived at the server.
std::map<std::uint8_t, int> received(Pair& pair) {
  std::map<std::uint8_t, int> out;
  std::array<std::byte, 100> buffer;
  while (pair.server->receive_datagram(pair.server_handle, buffer)) ++out[std::to_integer<std::uint8_t>(buffer[0])];
  return out;
}

std::uint64_t duplicated(const std::vector<PathStats>& paths) {
  std::uint64_t sum = 0;
  for (const PathStats& path : paths) sum += path.bytes_duplicated;
  return sum;
}

TEST(Duplication, ADatagramIsDeliveredOnceThoughTwoPathsCarryIt) {
  Pair pair(duplicating("datagrams"));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.run_for(200ms);
  for (std::uint8_t i = 0; i < 50; ++i) send_datagram(pair, i);
  const auto got = received(pair);
  EXPECT_EQ(got.size(), 50U);
  EXPECT_TRUE(std::ranges::all_of(got, [](const auto& each) { return each.second == 1; }));
  EXPECT_EQ(duplicated(pair.paths(false)), 100U) << "two bytes each";
}

TEST(Duplication, NothingIsLostWhenAPathLosesEverything) {
  Pair pair(duplicating("datagrams"));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.run_for(200ms);
  for (const std::uint8_t deaf : {std::uint8_t{0}, std::uint8_t{1}}) {
    pair.filter = [deaf](InFlight& datagram) { return datagram.tuple.remote != Pair::client_address(deaf); };
    for (std::uint8_t i = 0; i < 10; ++i) send_datagram(pair, i);
    const auto got = received(pair);
    EXPECT_EQ(got.size(), 10U) << "path " << int{deaf} << " is deaf";
    pair.filter = nullptr;
    pair.run_for(5s);
  }
  EXPECT_TRUE(pair.events_of<DatagramLost>(false).empty()) << "one of two copies is no loss";
}

TEST(Duplication, CopiesOfAllSizesLeave) {  // a train's later datagrams are as short as its first
  Pair pair(duplicating("datagrams"));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.run_for(200ms);
  std::uint64_t bytes = 0;
  for (int round = 0; round < 20; ++round) {
    for (const std::size_t size : {std::size_t{950}, std::size_t{1000}, std::size_t{1100}}) {
      EXPECT_TRUE(pair.client->send_datagram(pair.client_handle, std::vector<std::byte>(size), std::nullopt));
      bytes += size;
    }
    pair.run_for(50ms);
  }
  EXPECT_EQ(duplicated(pair.paths(false)), bytes);
}

TEST(Duplication, AsManyPathsAsAskedForCarryIt) {
  Pair pair(duplicating("datagrams", 2));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(4));
  pair.run_for(200ms);
  for (std::uint8_t i = 0; i < 20; ++i) send_datagram(pair, i);
  EXPECT_EQ(received(pair).size(), 20U);
  EXPECT_EQ(duplicated(pair.paths(false)), 80U);
}

TEST(Duplication, OnePathHasNothingToCopyTo) {
  Pair pair(duplicating("all"));
  ASSERT_TRUE(pair.connect());
  send_datagram(pair, 1);
  EXPECT_TRUE(pair.transfer(false, 100'000));
  EXPECT_EQ(duplicated(pair.paths(false)), 0U);
  EXPECT_EQ(received(pair).size(), 1U);
}

TEST(Duplication, APeerThatDoesNotNumberDatagramsGetsThemOnce) {
  PairOptions options = duplicating("all");
  options.server.connection.multipath = false;  // then it does not announce the extension either
  Pair pair(options);
  ASSERT_TRUE(pair.connect());
  for (std::uint8_t i = 0; i < 5; ++i) send_datagram(pair, i);
  EXPECT_EQ(received(pair).size(), 5U);
}

TEST(Duplication, StreamDataArrivesIntactAndTwice) {
  Pair pair(duplicating("all"));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.run_for(200ms);
  EXPECT_TRUE(pair.transfer(false, 300'000));
  EXPECT_TRUE(pair.transfer(true, 300'000));
  EXPECT_GT(duplicated(pair.paths(false)), 150'000U);
  EXPECT_GT(duplicated(pair.paths(true)), 150'000U);
}

TEST(Duplication, OnlyRepeatsAreCopiedWhereThatIsAskedFor) {
  Pair pair(duplicating("retransmissions"));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.run_for(200ms);
  EXPECT_TRUE(pair.transfer(false, 200'000));
  EXPECT_EQ(duplicated(pair.paths(false)), 0U) << "nothing was lost";
  std::size_t count = 0;
  pair.filter = [&count](InFlight& datagram) { return !datagram.to_server || ++count % 20 != 0; };
  EXPECT_TRUE(pair.transfer(false, 200'000));
  EXPECT_GT(duplicated(pair.paths(false)), 0U);
  EXPECT_LT(duplicated(pair.paths(false)), 100'000U);
}

TEST(Duplication, WhatIsReinjectedIsOnTwoPathsAlready) {
  Pair pair(duplicating("retransmissions"));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.filter = [](InFlight& datagram) {
    if (datagram.tuple.remote == Pair::client_address(1) || datagram.tuple.local == Pair::client_address(1))
      datagram.arrives += 150ms;
    return true;
  };
  EXPECT_TRUE(pair.transfer(false, 100'000));
  EXPECT_TRUE(pair.transfer(false, 400'000));
  std::uint64_t repeated = 0;
  for (const PathStats& path : pair.paths(false)) repeated += path.bytes_retransmitted;
  EXPECT_GT(repeated, 0U) << "the slow path's tail";
  EXPECT_EQ(duplicated(pair.paths(false)), 0U);
}

TEST(Duplication, CopiesAreTraced) {
  Pair pair(duplicating("datagrams"));
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.open_paths(2));
  pair.run_for(200ms);
  send_datagram(pair, 1);
  const auto log = std::ranges::find_if(pair.qlogs, [](const auto& each) { return each.first.contains("client"); });
  ASSERT_NE(log, pair.qlogs.end());
  EXPECT_NE(log->second.find("mpquic:duplicated"), std::string::npos);
  EXPECT_NE(log->second.find("\"frame_type\":\"numbered_datagram\",\"datagram_number\":0"), std::string::npos);
}

}  // namespace
}  // namespace mpquic::test
