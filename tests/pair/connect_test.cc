// A connection from ClientHello to CONNECTION_CLOSE, on one path and on several.
#include <gtest/gtest.h>

#include "tests/pair/pair.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;

TEST(Connect, HandshakeIsConfirmedOnBothSides) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  const auto completed = pair.events_of<HandshakeCompleted>(false);
  ASSERT_EQ(completed.size(), 1U);
  EXPECT_EQ(completed[0].alpn, "test");
  EXPECT_TRUE(completed[0].multipath);
  EXPECT_EQ(pair.unexpected_drops(), "");
}

TEST(Connect, EveryCipherSuiteCarriesData) {
  for (const CipherSuite suite :
       {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) {
    Pair pair({.client = {}, .server = {}, .suites = {suite}});
    ASSERT_TRUE(pair.connect());
    EXPECT_TRUE(pair.transfer(false, 100'000));
    EXPECT_TRUE(pair.transfer(true, 100'000));
  }
}

TEST(Connect, CloseReachesThePeerWithCodeAndReason) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.client->close(pair.client_handle, 42, "done", pair.now);
  ASSERT_TRUE(pair.run_until([&] { return !pair.events_of<ConnectionClosed>(true).empty(); }));
  const auto closed = pair.events_of<ConnectionClosed>(true)[0];
  EXPECT_EQ(closed.source, CloseSource::peer);
  EXPECT_TRUE(closed.application);
  EXPECT_EQ(closed.error, 42U);
  EXPECT_EQ(closed.reason, "done");
  pair.run_for(10s);
  EXPECT_EQ(pair.client->connection_count(), 0U);
  EXPECT_EQ(pair.server->connection_count(), 0U);
}

TEST(Connect, SixPathsOpenAndAllCarryData) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  for (std::uint8_t i = 1; i < 6; ++i)
    ASSERT_TRUE(pair.client->open_path(pair.client_handle, Pair::tuple(i), pair.now));
  ASSERT_TRUE(pair.run_until([&] {
    const auto paths = pair.paths(false);
    return paths.size() == 6 && std::ranges::all_of(paths, &PathStats::validated);
  }));
  EXPECT_TRUE(pair.transfer(false, 5'000'000));
  for (const PathStats& path : pair.paths(false)) EXPECT_GT(path.stream_bytes_sent, 0U) << path.id.value();
  for (const PathStats& path : pair.paths(true)) EXPECT_GT(path.stream_bytes_received, 0U) << path.id.value();
  EXPECT_EQ(pair.unexpected_drops(), "");
}

}  // namespace
}  // namespace mpquic::test
