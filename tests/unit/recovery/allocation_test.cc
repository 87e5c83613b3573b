// Steady state allocates nothing.
#include <gtest/gtest.h>

#include "tests/support/heap.h"
#include "tests/unit/recovery/space_fixture.h"

namespace mpquic {
namespace {

using namespace recovery_test;

class AllocationTest : public SpaceTest {
 protected:
  AllocationTest() { ack_bytes_.resize(1200); }
  /// A round trip: a window of packets out, received but for a few, acknowledged from the tracker's ranges.
  void round_trip(AckTracker& peer) {
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t number = space.next_number().value();
      space.on_sent(
          {.number = PacketNumber{number}, .time_sent = now, .bytes = 1200, .ack_eliciting = true, .in_flight = true},
          tokens_);
      now += microseconds(10);
      if (number % 37 == 0) continue;  // lost
      peer.on_received(PacketNumber{number}, now, true, Ecn::ect0);
      if (peer.interest(now) != Interest::forced) continue;
      FrameWriter writer(ack_bytes_, EncryptionLevel::one_rtt, PathId{1}, token_list_);
      ASSERT_TRUE(peer.write(writer, std::nullopt, now, 3));
      acknowledge(peer);
      peer.on_ack_acked(std::get<AckToken>(token_list_.items[0]));
    }
  }
  void acknowledge(const AckTracker& peer) {
    const Interval& newest = peer.ranges().intervals().back();
    const AckFrame frame{.path = std::nullopt,
                         .largest = PacketNumber{newest.end - 1},
                         .delay = 0,
                         .first_range = newest.end - 1 - newest.begin,
                         .range_count = 0,
                         .ranges = {},
                         .ecn = std::nullopt};
    out.clear();
    ASSERT_TRUE(space.on_ack(frame, context(), now, out));
  }

  std::vector<std::byte> ack_bytes_;
  TokenList token_list_;
  std::array<DeliveryToken, 3> tokens_{StreamToken{}, MaxDataToken{}, DatagramToken{}};
};

TEST_F(AllocationTest, NothingPerPacketOnceWarm) {
  AckTracker peer(PathId{1}, SpaceId::application, AckPolicy{});
  for (int i = 0; i < 50; ++i) round_trip(peer);
  const std::size_t before = test::allocation_count();
  for (int i = 0; i < 200; ++i) round_trip(peer);
  EXPECT_EQ(test::allocation_count(), before);
  EXPECT_GT(before, 0U) << "the counter counts";
}

}  // namespace
}  // namespace mpquic
