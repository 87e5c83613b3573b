#include "tunnel/perf/content.h"

#include <gtest/gtest.h>

#include "tunnel/perf/protocol.h"

namespace mpquic::perf {
namespace {

TEST(Content, FollowsFromItsPositionAlone) {
  std::vector<std::byte> whole(200000);
  fill_content(0, whole);
  for (const std::size_t offset : {0U, 1U, 65520U, 65521U, 65522U, 131041U, 199999U}) {
    std::vector<std::byte> part(std::min<std::size_t>(70000, whole.size() - offset));
    fill_content(offset, part);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(offset))) << offset;
  }
}

TEST(Content, SizesHaveSuffixes) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("1000"), 1000U);
  EXPECT_EQ(parse_size("64K"), 65536U);
  EXPECT_EQ(parse_size("10m"), 10U << 20);
  EXPECT_EQ(parse_size("2G"), 2ULL << 30);
  EXPECT_EQ(parse_size("4611686018427387903"), kMaxVarint);
  for (const auto* text :
       {"", "K", "-1", "+1", "1.5M", "1KB", "4611686018427387904", "4294967296G", "99999999999999999999", " 1"})
    EXPECT_FALSE(parse_size(text)) << text;
}

// FIPS 180-2 appendix B.1.
TEST(Content, IsHashedWithSha256) {
  Sha256 hash;
  hash.update(as_bytes("a"));
  hash.update(as_bytes("bc"));
  EXPECT_EQ(hash.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Protocol, PerfHeadersAreBigEndian) {
  EXPECT_EQ(as_text(perf_request(0x0102030405060708)), std::string_view("\x01\x02\x03\x04\x05\x06\x07\x08"));
  EXPECT_EQ(parse_perf_request(perf_request(UINT64_MAX)), UINT64_MAX);
}

TEST(Protocol, ErrorsAreNamed) {
  EXPECT_EQ(describe({.source = CloseSource::peer, .application = true, .error = kNotFound, .reason = ""}),
            "the peer closed the connection: application error 2 (not found)");
  EXPECT_EQ(describe({.source = CloseSource::local, .application = false, .error = 0xa, .reason = "bad frame"}),
            "the connection failed: PROTOCOL_VIOLATION 0xa: bad frame");
}

TEST(Protocol, AnIdleTimeoutOrAStatelessResetIsNoCleanEnd) {
  const ConnectionClosed idle{
      .source = CloseSource::idle_timeout, .application = false, .error = 0, .reason = "idle timeout"};
  EXPECT_FALSE(is_clean(idle));
  EXPECT_EQ(describe(idle), "the connection was lost: idle timeout");
  const ConnectionClosed forgotten{.source = CloseSource::stateless_reset, .reason = "stateless reset"};
  EXPECT_FALSE(is_clean(forgotten));
  EXPECT_EQ(describe(forgotten),
            "the connection was lost: stateless reset, the peer no longer knows it (was it restarted?)");
  EXPECT_TRUE(is_clean({.source = CloseSource::peer, .application = true, .error = 0, .reason = ""}));
  EXPECT_FALSE(is_clean({.source = CloseSource::peer, .application = true, .error = kCancelled, .reason = ""}));
}

}  // namespace
}  // namespace mpquic::perf
