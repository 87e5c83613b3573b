#include "stack/base/ids.h"

#include <gtest/gtest.h>

#include "stack/base/connection_id.h"
#include "stack/base/drop_reason.h"
#include "stack/base/result.h"

namespace mpquic {
namespace {

TEST(StreamIds, FollowTable1) {  // RFC 9000 §2.1
  struct Row {
    std::uint64_t low;
    Role initiator;
    Directionality dir;
  };
  for (const Row& row :
       {Row{0, Role::client, Directionality::bidirectional}, Row{1, Role::server, Directionality::bidirectional},
        Row{2, Role::client, Directionality::unidirectional}, Row{3, Role::server, Directionality::unidirectional}}) {
    const StreamId id = make_stream_id(row.initiator, row.dir, 17);
    EXPECT_EQ(id.value(), 17 * 4 + row.low);
    EXPECT_EQ(initiator_of(id), row.initiator);
    EXPECT_EQ(directionality_of(id), row.dir);
    EXPECT_EQ(ordinal_of(id), 17U);
  }
}

TEST(StreamIds, TheLastOneIsAVarint) {  // RFC 9000 §4.6: 2^60 streams of each kind
  const auto last = make_stream_id(Role::server, Directionality::unidirectional, (std::uint64_t{1} << 60) - 1);
  EXPECT_EQ(last.value(), kMaxVarint);
}

TEST(Spaces, ZeroRttSharesTheApplicationSpace) {  // RFC 9000 §12.3
  EXPECT_EQ(space_of(EncryptionLevel::initial), SpaceId::initial);
  EXPECT_EQ(space_of(EncryptionLevel::handshake), SpaceId::handshake);
  EXPECT_EQ(space_of(EncryptionLevel::zero_rtt), SpaceId::application);
  EXPECT_EQ(space_of(EncryptionLevel::one_rtt), SpaceId::application);
  EXPECT_EQ(level_of(SpaceId::initial), EncryptionLevel::initial);
  EXPECT_EQ(level_of(SpaceId::handshake), EncryptionLevel::handshake);
  EXPECT_EQ(level_of(SpaceId::application), EncryptionLevel::one_rtt);
}

TEST(Roles, HaveAPeer) {
  EXPECT_EQ(peer_of(Role::client), Role::server);
  EXPECT_EQ(peer_of(Role::server), Role::client);
}

TEST(ConnectionIds, CompareByBytesAndLength) {
  const std::array<std::byte, 3> bytes = {std::byte{1}, std::byte{2}, std::byte{0}};
  const ConnectionId three{bytes};
  const ConnectionId two{Bytes(bytes).first(2)};
  EXPECT_EQ(three.size(), 3U);
  EXPECT_NE(three, two) << "a trailing zero counts";
  EXPECT_EQ(two, ConnectionId{Bytes(bytes).first(2)});
  EXPECT_TRUE(ConnectionId{}.empty());
  EXPECT_EQ(ConnectionId{}, ConnectionId{Bytes{}});
}

TEST(ConnectionIds, HoldTwentyBytesAndNoMore) {  // RFC 9000 §17.2
  const std::array<std::byte, 21> bytes{};
  EXPECT_EQ(ConnectionId{Bytes(bytes).first(20)}.bytes().size(), 20U);
  EXPECT_DEATH(ConnectionId{Bytes(bytes)}, "CHECK failed");
}

TEST(DropReasons, AllHaveDistinctNames) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kDropReasonCount; ++i) names.push_back(name_of(static_cast<DropReason>(i)));
  for (const auto name : names) EXPECT_FALSE(name.empty());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_EQ(name_of(DropReason::malformed_header), "malformed_header");
  EXPECT_EQ(name_of(DropReason::unknown_address), "unknown_address");
  EXPECT_EQ(name_of(DropReason::count_), "unknown");
}

[[nodiscard]] Result<int> half(int value) {
  if (value % 2 != 0) return fail(error::kProtocolViolation, "odd", 0x1c);
  return value / 2;
}
[[nodiscard]] Result<int> quarter(int value) {
  MPQUIC_TRY_ASSIGN(once, half(value));
  MPQUIC_TRY(half(once));
  return once / 2;
}

TEST(Results, CarryTheErrorOutOfTheFunction) {
  EXPECT_EQ(quarter(12), 3);
  const auto failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), (TransportError{error::kProtocolViolation, "odd", 0x1c}));
}

}  // namespace
}  // namespace mpquic
