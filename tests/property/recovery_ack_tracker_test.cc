// AckTracker against a std::set of everything ever received.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "stack/base/rng.h"
#include "stack/recovery/ack_tracker.h"
#include "stack/wire/frame_decode.h"

namespace mpquic {
namespace {

using Arrival = AckTracker::Arrival;

RC_GTEST_PROP(RecoveryAckTracker, NeverTakesAPacketTwiceNorReportsOneThatDidNotArrive, (std::uint64_t seed)) {
  SeededRng rng(seed);
  AckTracker acks(PathId{2}, SpaceId::application, AckPolicy{});
  std::set<std::uint64_t> received;
  std::uint64_t frontier = 0;
  Instant now;
  TokenList tokens;
  for (int step = 0; step < 3000; ++step) {
    now += std::chrono::microseconds(rng.below(1000));
    const std::uint64_t back = rng.below(3) == 0 ? rng.below(300) : 0;
    const std::uint64_t jump = rng.below(200) == 0 ? rng.below(2 * ReplayWindow::kSize) : rng.below(3);
    const std::uint64_t number = back > 0 ? frontier - std::min(back, frontier) : frontier + jump;
    frontier = std::max(frontier, number);

    const std::uint64_t end = received.empty() ? 0 : *received.rbegin() + 1;
    const std::uint64_t floor = end > ReplayWindow::kSize ? end - ReplayWindow::kSize : 0;
    const Arrival expected = number < floor              ? Arrival::too_old
                             : received.contains(number) ? Arrival::duplicate
                                                         : Arrival::fresh;
    RC_ASSERT(acks.classify(PacketNumber{number}) == expected);
    if (expected != Arrival::fresh) continue;

    const bool eliciting = rng.below(3) > 0;
    acks.on_received(PacketNumber{number}, now, eliciting, static_cast<Ecn>(rng.below(4)));
    received.insert(number);
    RC_ASSERT(acks.largest_received() == PacketNumber{*received.rbegin()});
    RC_ASSERT(acks.ranges().interval_count() <= kMaxAckRanges);
    if (eliciting) RC_ASSERT(acks.interest(now) != Interest::none);
    if (rng.below(3) == 0) {
      std::array<std::byte, 600> bytes;
      FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{2}, tokens);
      RC_ASSERT(acks.write(writer, PathId{2}, now, 3));
      RC_ASSERT(acks.interest(now + std::chrono::hours(1)) == Interest::none);
      FrameDecoder decoder(Bytes(bytes).first(writer.size()), EncryptionLevel::one_rtt, {.multipath = true});
      const auto frame = decoder.next();
      RC_ASSERT(frame && frame->has_value());
      const auto& ack = std::get<AckFrame>(**frame);
      RC_ASSERT(ack.largest == PacketNumber{*received.rbegin()});
      for_each_range(ack, [&](PacketNumber smallest, PacketNumber largest) {
        for (std::uint64_t n = smallest.value(); n <= largest.value(); ++n) RC_ASSERT(received.contains(n));
      });
      if (rng.below(2) == 0) acks.on_ack_acked(std::get<AckToken>(tokens.items[0]));
    }
  }
}

}  // namespace
}  // namespace mpquic
