// Datagrams over paths whose packets differ in size (RFC 9221 §5).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLarge = 1350;        // more than the smallest packets take
constexpr std::size_t kSmallestMtu = 1200;  // of UDP payload
constexpr PathId kNarrow{1};

bool goes_by(const InFlight& datagram, std::uint8_t i) {
  return datagram.tuple.remote == Pair::client_address(i) || datagram.tuple.local == Pair::client_address(i);
}

/// Paths 0 and 1, of which path 1 lets only the smallest packets pass; MTU discovery is over.
class DatagramPaths : public ::testing::Test {
 protected:
  explicit DatagramPaths(PairOptions options = {}) : pair_(std::move(options)) {}
  void SetUp() override {
    pair_.filter = [this](InFlight& d) {
      if (goes_by(d, 1)) return !narrow_dead_ && d.bytes.size() <= kSmallestMtu;
      ++wide_;
      return !wide_dead_;
    };
    ASSERT_TRUE(pair_.connect());
    ASSERT_TRUE(pair_.open_paths(2));
    ASSERT_TRUE(pair_.run_until([&] { return pair_.paths(false)[0].max_datagram_size > kLarge; }));
    pair_.run_for(5s);
  }
  [[nodiscard]] std::size_t limit() const { return pair_.client->max_datagram_payload(pair_.client_handle); }
  /// A datagram of that size which says `i`.
  bool send(std::uint8_t i, std::size_t size) {
    const std::vector<std::byte> data(size, std::byte{i});
    return pair_.client->send_datagram(pair_.client_handle, data, std::nullopt).has_value();
  }
  std::set<std::uint8_t> received() {
    std::set<std::uint8_t> out;
    std::array<std::byte, 2000> buffer;
    while (pair_.server->receive_datagram(pair_.server_handle, buffer))
      out.insert(std::to_integer<std::uint8_t>(buffer[0]));
    return out;
  }

  Pair pair_;
  bool narrow_dead_ = false;
  bool wide_dead_ = false;
  std::size_t wide_ = 0;
};

TEST_F(DatagramPaths, TheLimitIsThatOfTheWidestUsablePath) {
  ASSERT_EQ(pair_.paths(false)[1].max_datagram_size, kSmallestMtu);
  EXPECT_GT(limit(), kLarge);
  for (std::uint8_t i = 0; i < 50; ++i) {
    EXPECT_TRUE(send(i, i % 2 == 0 ? kLarge : 100));
    pair_.run_for(3ms);
  }
  pair_.run_for(100ms);
  EXPECT_EQ(received().size(), 50U);
}

TEST_F(DatagramPaths, APathThatCarriesNothingCountsForNothing) {
  const std::size_t both = limit();
  narrow_dead_ = true;
  EXPECT_TRUE(pair_.transfer(false, 300'000));
  EXPECT_EQ(limit(), both) << "the narrow one has failed";
  narrow_dead_ = false;
  pair_.run_for(20s);
  pair_.client->set_path_status(pair_.client_handle, kNarrow, false);
  EXPECT_EQ(limit(), both) << "the narrow one is a backup";
  pair_.client->set_path_status(pair_.client_handle, kNarrow, true);
  pair_.client->set_path_status(pair_.client_handle, kInitialPath, false);
  EXPECT_LT(limit(), kSmallestMtu) << "the wide one is a backup";
  narrow_dead_ = true;
  EXPECT_TRUE(send(1, 100));
  pair_.run_for(1s);
  EXPECT_EQ(limit(), both) << "and takes over";
}

TEST_F(DatagramPaths, ALargeOneBlocksNeitherSmallOnesNorStreams) {
  // The wide path's window is full of what nobody acknowledges.
  wide_dead_ = true;
  const auto stream = pair_.client->open_stream(pair_.client_handle, Directionality::unidirectional);
  ASSERT_TRUE(stream);
  for (std::uint8_t i = 0; i < 200; ++i) ASSERT_TRUE(send(i, kLarge));
  ASSERT_TRUE(send(201, 100));
  const std::vector<std::byte> data(20'000);
  ASSERT_EQ(pair_.client->write(pair_.client_handle, *stream, data, true), data.size());
  pair_.run_for(20ms);  // no PTO yet
  EXPECT_TRUE(received().contains(201));
  EXPECT_GT(pair_.paths(false)[1].stream_bytes_sent, 5'000U) << "what fits beside the large ones takes the wide path";
}

TEST_F(DatagramPaths, WhatNoPathTakesAnyMoreIsReportedAsLost) {
  wide_dead_ = true;
  for (std::uint8_t i = 0; i < 200; ++i) ASSERT_TRUE(send(i, kLarge));
  pair_.run_for(3s);  // the wide one fails
  EXPECT_LT(limit(), kSmallestMtu);
  EXPECT_FALSE(send(200, kLarge));
  EXPECT_TRUE(send(201, 100));
  pair_.run_for(100ms);
  EXPECT_EQ(received(), (std::set<std::uint8_t>{201}));
  // Those that were sent are known to be lost when the path is given up.
  pair_.client->abandon_path(pair_.client_handle, kInitialPath, 0, pair_.now);
  pair_.run_for(5s);
  EXPECT_EQ(pair_.events_of<DatagramLost>(false).size(), 200U);
}

class DuplicatedDatagramPaths : public DatagramPaths {
 protected:
  static PairOptions duplicating() {
    PairOptions options;
    options.client.connection.duplication = "datagrams";
    return options;
  }
  DuplicatedDatagramPaths() : DatagramPaths(duplicating()) {}
};

TEST_F(DuplicatedDatagramPaths, CopiesGoWhereTheyFit) {
  ASSERT_TRUE(pair_.client->open_path(pair_.client_handle, Pair::tuple(2), pair_.now));
  ASSERT_TRUE(pair_.run_until([&] { return pair_.paths(false).size() == 3 && pair_.paths(false)[2].validated; }));
  pair_.run_for(5s);
  const std::uint64_t narrow = pair_.paths(false)[1].bytes_duplicated;
  for (std::uint8_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(send(i, 1300));
    pair_.run_for(10ms);
  }
  std::uint64_t copied = 0;
  for (const PathStats& path : pair_.paths(false)) copied += path.bytes_duplicated;
  EXPECT_EQ(pair_.paths(false)[1].bytes_duplicated, narrow);
  EXPECT_EQ(copied, 50U * 1300U) << "each on the other wide path";
  EXPECT_EQ(received().size(), 50U);
}

}  // namespace
}  // namespace mpquic::test
