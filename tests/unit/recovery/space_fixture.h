// One packet number space with its path's estimator: sends labelled packets, takes ACKs.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/recovery/recovery_fixtures.h"

namespace mpquic::recovery_test {

/// What is not the usual: an ack-eliciting, in-flight packet of 1200 bytes.
struct PacketOptions {
  bool ack_eliciting = true;
  bool in_flight = true;
  bool mtu_probe = false;
  Ecn ecn = Ecn::not_ect;
  std::uint32_t bytes = 1200;
};
inline constexpr PacketOptions kAckOnly{.ack_eliciting = false, .in_flight = false, .bytes = 40};

class SpaceTest : public testing::Test {
 protected:
  std::uint64_t send(const PacketOptions& options = {}) {
    const std::uint64_t number = space.next_number().value();
    const std::array<DeliveryToken, 1> tokens{DatagramToken{number}};
    space.on_sent({.number = PacketNumber{number},
                   .time_sent = now,
                   .bytes = options.bytes,
                   .ack_eliciting = options.ack_eliciting,
                   .in_flight = options.in_flight,
                   .mtu_probe = options.mtu_probe,
                   .ecn = options.ecn},
                  tokens);
    return number;
  }
  void send_many(int count, Duration spacing = {}) {
    for (int i = 0; i < count; ++i) {
      send();
      now += spacing;
    }
  }
  [[nodiscard]] RttContext context() { return {.rtt = rtt, .max_ack_delay = milliseconds(25)}; }
  [[nodiscard]] Result<void> ack(const AckFrame& frame) {
    out.clear();
    return space.on_ack(frame, context(), now, out);
  }
  void detect_lost() {
    out.clear();
    space.detect_lost(context(), now, out);
  }

  Instant now = kStart;
  ConstantRng rng{0xff};  // skips nothing before packet 256
  RttEstimator rtt;
  AckOutcome out;
  PacketNumberSpace space{PathId{1}, SpaceId::application, AckPolicy{}, rng};
};

}  // namespace mpquic::recovery_test
