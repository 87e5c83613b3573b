#include "sim/checks/invariants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/crypto/nonce.h"

namespace mpquic::sim {
namespace {

using testing::HasSubstr;

class PacketNumberWatchTest : public testing::Test {
 protected:
  void sent(EncryptionLevel level, std::uint32_t path, std::uint64_t number, bool key_phase = false) {
    const trace::PacketSent event{
        .level = level,
        .path = PathId(path),
        .number = PacketNumber(number),
        .size = 100,
        .payload = {},
        .key_phase = key_phase,
        .nonce = make_nonce(std::array<std::uint8_t, 12>{}, PathId(path), PacketNumber(number))};
    sink->on_event(&event, Instant{});
  }
  Violations violations;
  PacketNumberWatch watch{violations, nullptr};
  std::unique_ptr<trace::Sink> sink = watch.make_sink(Role::client, ConnectionId());
};

TEST_F(PacketNumberWatchTest, SpacesAndPathsCountSeparately) {
  sent(EncryptionLevel::initial, 0, 0);
  sent(EncryptionLevel::handshake, 0, 0);
  for (const std::uint32_t path : {0u, 1u, 7u}) sent(EncryptionLevel::one_rtt, path, 0);
  sent(EncryptionLevel::one_rtt, 1, 1);
  sent(EncryptionLevel::one_rtt, 1, 100);  // gaps are allowed
  EXPECT_EQ(violations.total(), 0u);
}

TEST_F(PacketNumberWatchTest, ARepeatedNumberIsAViolationInAnyKeyPhase) {
  sent(EncryptionLevel::one_rtt, 2, 5, false);
  sent(EncryptionLevel::one_rtt, 2, 5, true);
  ASSERT_EQ(violations.total(), 1u);
  EXPECT_THAT(violations.list()[0].what, HasSubstr("a nonce repeats"));
}

TEST_F(PacketNumberWatchTest, ZeroRttSharesTheSpaceOfOneRtt) {
  sent(EncryptionLevel::zero_rtt, 0, 3);
  sent(EncryptionLevel::one_rtt, 0, 3);
  EXPECT_GT(violations.total(), 0u);
}

TEST_F(PacketNumberWatchTest, EachConnectionStartsAfresh) {
  sent(EncryptionLevel::one_rtt, 0, 5);
  sink = watch.make_sink(Role::client, ConnectionId());
  sent(EncryptionLevel::one_rtt, 0, 0);
  EXPECT_EQ(violations.total(), 0u);
}

class AmplificationTest : public testing::Test {
 protected:
  AmplificationTest() { tuple.remote = {.ip = IpAddress::v4({10, 1, 0, 2}), .port = 1}; }
  void server_sends(std::uint32_t size) {
    last = {.tuple = {}, .sent_at = Instant{}, .serial = serial++, .size = size};
    invariants.on_sent(Role::server, tuple, last);
  }
  void server_receives(std::uint32_t size, Instant sent_at = Instant{}) {
    invariants.on_received(Role::server, {.tuple = tuple, .sent_at = sent_at, .serial = serial++, .size = size}, {});
  }
  FourTuple tuple;
  Packet last;
  std::uint64_t serial = 0;
  World world{std::vector<PathConfig>(1), 1};
  Ledger ledger{{}};
  Violations violations;
  Invariants invariants{
      {.world = world, .ledger = ledger, .violations = violations, .max_stall = std::chrono::seconds(1)}};
};

TEST_F(AmplificationTest, ThreeTimesWhatCameIsAllowed) {  // RFC 9000 §8.1
  server_receives(1200);
  for (int i = 0; i < 3; ++i) server_sends(1200);
  EXPECT_EQ(violations.total(), 0u);
  server_sends(1);
  EXPECT_EQ(violations.total(), 1u);
}

TEST_F(AmplificationTest, APacketThatProvesNothingKeepsTheLimit) {
  server_receives(1200);
  server_sends(3000);
  server_receives(100);  // sent before the client heard anything
  server_sends(1000);
  EXPECT_EQ(violations.total(), 1u);
}

TEST_F(AmplificationTest, AnAnswerLiftsTheLimit) {
  server_receives(1200);
  server_sends(1200);
  invariants.on_received(Role::client, last, {});
  server_receives(50, world.now());
  server_sends(60'000);
  EXPECT_EQ(violations.total(), 0u);
}

}  // namespace
}  // namespace mpquic::sim
