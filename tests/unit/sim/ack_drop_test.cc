// Dropping the n-th acknowledgement: who carries one is told by the sender's trace.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "sim/network/ack_watch.h"
#include "sim/network/meddler.h"
#include "stack/trace/event.h"
#include "stack/wire/frame_writer.h"

namespace mpquic::sim {
namespace {

class AckDropTest : public testing::Test {
 protected:
  /// What the client builds: one packet of these frames.
  template <class... Frames>
  void build(EncryptionLevel level, const Frames&... frames) {
    std::array<std::byte, 200> bytes{};
    TokenList tokens;
    FrameWriter writer(bytes, level, PathId{1}, tokens);
    EXPECT_TRUE((writer.write(frames) && ...));
    const trace::PacketSent sent{.level = level, .payload = Bytes(bytes).first(writer.size())};
    sink_->on_event(&sent, Instant{});
  }
  AckWatch watch_{nullptr};
  std::unique_ptr<trace::Sink> sink_ = watch_.make_sink(Role::client, {});
};

constexpr AckFrame kPathAck{.path = PathId{1}, .largest = PacketNumber{7}, .first_range = 2};

TEST_F(AckDropTest, EachShortPacketHasAFlagUntilItsTrainIsTaken) {
  EXPECT_TRUE(sink_->wants_payload());
  build(EncryptionLevel::one_rtt, PingFrame{});
  build(EncryptionLevel::one_rtt, PingFrame{}, kPathAck);
  build(EncryptionLevel::handshake, PingFrame{});
  build(EncryptionLevel::one_rtt, MaxDataFrame{1000});
  EXPECT_TRUE(watch_.take(Role::server).empty());
  EXPECT_EQ(watch_.take(Role::client), (std::vector<bool>{false, true, false}));
  EXPECT_TRUE(watch_.take(Role::client).empty());
}

std::string judged(Meddler& meddler, const std::string& datagrams) {
  std::string verdicts;
  for (const char kind : datagrams) {
    Packet packet;
    packet.acks = kind == 'a';
    verdicts += meddler.judge(0, packet, {}, {}) == Meddler::Verdict::drop ? 'x' : kind;
  }
  return verdicts;
}

TEST(Meddler, OnlyAcknowledgementsCountWhereTheyAreMeant) {
  Meddler meddler(1);
  meddler.drop(0, {.nth = 2, .count = 2, .acks = true});
  EXPECT_EQ(judged(meddler, "dadadada"), "dadxdxda");
}

TEST(Meddler, DropsCountSideBySide) {
  Meddler meddler(1);
  meddler.drop(0, {.nth = 3, .count = 1});
  meddler.drop(0, {.nth = 1, .count = 1, .acks = true});
  EXPECT_EQ(judged(meddler, "adda"), "xdxa");
  meddler.drop(0, {.nth = 1, .count = 5});
  meddler.heal(0);
  EXPECT_EQ(judged(meddler, "ad"), "ad");
}

}  // namespace
}  // namespace mpquic::sim
