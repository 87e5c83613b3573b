// Random sends, ACKs, timeouts against a naive model: every token comes back exactly once, bytes in flight are exact.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "stack/base/rng.h"
#include "stack/recovery/packet_number_space.h"
#include "stack/wire/cursor.h"

namespace mpquic {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct SpaceModel {
  struct Packet {
    std::uint32_t bytes = 0;
    std::vector<std::uint64_t> tokens;
    bool in_flight = false;
    bool ack_eliciting = false;
  };
  std::map<std::uint64_t, Packet> outstanding;
  std::set<std::uint64_t> sent;     // all numbers ever
  std::set<std::uint64_t> settled;  // tokens that came back
};

class Run {
 public:
  explicit Run(std::uint64_t seed) : rng_(seed), space_(PathId{1}, SpaceId::application, AckPolicy{}, rng_) {}

  void step() {
    now_ += microseconds(rng_.below(3000));
    switch (rng_.below(8)) {
      case 0: acknowledge(); break;
      case 1: acknowledge(); break;
      case 2: time_out(); break;
      case 3:
        if (rng_.below(50) == 0) forget();
        break;
      default: send(); break;
    }
    check_totals();
  }
  void finish() {
    forget();
    RC_ASSERT(model_.outstanding.empty());
    RC_ASSERT(space_.bytes_in_flight() == ByteCount{});
    RC_ASSERT(model_.settled.size() == next_token_);
  }

 private:
  void send() {
    const PacketNumber number = space_.next_number();
    SpaceModel::Packet packet{.bytes = static_cast<std::uint32_t>(1 + rng_.below(1500)), .tokens = {}};
    packet.ack_eliciting = rng_.below(4) > 0;
    packet.in_flight = packet.ack_eliciting || rng_.below(2) == 0;
    std::vector<DeliveryToken> tokens;
    for (std::uint64_t i = rng_.below(5); i > 0; --i) {
      packet.tokens.push_back(next_token_);
      tokens.push_back(DatagramToken{next_token_++});
    }
    space_.on_sent({.number = number,
                    .time_sent = now_,
                    .bytes = packet.bytes,
                    .ack_eliciting = packet.ack_eliciting,
                    .in_flight = packet.in_flight,
                    .mtu_probe = rng_.below(20) == 0},
                   tokens);
    model_.sent.insert(number.value());
    model_.outstanding[number.value()] = std::move(packet);
  }

  /// Acknowledges a random subset of a random window of what was ever sent: reordered, repeated, late.
  void acknowledge() {
    if (model_.sent.empty()) return;
    const std::uint64_t newest = *model_.sent.rbegin();
    const std::uint64_t top = newest - rng_.below(std::min<std::uint64_t>(newest + 1, 20));
    const std::uint64_t bottom = top - rng_.below(std::min<std::uint64_t>(top + 1, 60));
    const std::uint64_t density = 1 + rng_.below(8);
    std::set<std::uint64_t> chosen;
    for (auto it = model_.sent.lower_bound(bottom); it != model_.sent.end() && *it <= top; ++it) {
      if (rng_.below(8) < density) chosen.insert(*it);
    }
    if (chosen.empty()) return;
    std::vector<std::byte> bytes;
    const AckFrame frame = frame_of(chosen, bytes);
    out_.clear();
    RC_ASSERT(space_.on_ack(frame, context(), now_, out_).has_value());

    std::set<std::uint64_t> expected;
    std::uint64_t acked_bytes = 0;
    for (const std::uint64_t number : chosen) {
      const auto it = model_.outstanding.find(number);
      if (it == model_.outstanding.end()) continue;
      expected.insert(it->second.tokens.begin(), it->second.tokens.end());
      if (it->second.in_flight) acked_bytes += it->second.bytes;
      model_.outstanding.erase(it);
    }
    RC_ASSERT(labels(out_.acked) == expected);
    RC_ASSERT(out_.acked_bytes == ByteCount{acked_bytes});
    settle(out_.acked);
    take_losses();
  }
  void time_out() {
    if (space_.loss_time()) now_ = std::max(now_, *space_.loss_time());
    out_.clear();
    space_.detect_lost(context(), now_, out_);
    RC_ASSERT(out_.acked.empty());
    RC_ASSERT(!expired(space_.loss_time(), now_));
    take_losses();
  }
  void forget() {
    out_.clear();
    space_.forget_all(out_);
    take_losses();
    RC_ASSERT(model_.outstanding.empty());
  }

  void take_losses() {
    std::set<std::uint64_t> expected;
    for (const LostPacket& lost : out_.lost_packets) {
      const auto it = model_.outstanding.find(lost.number.value());
      RC_ASSERT(it != model_.outstanding.end());
      if (lost.trigger != LossTrigger::forgotten) RC_ASSERT(lost.number < *space_.largest_acked());
      expected.insert(it->second.tokens.begin(), it->second.tokens.end());
      model_.outstanding.erase(it);
    }
    RC_ASSERT(labels(out_.lost) == expected);
    settle(out_.lost);
  }
  void settle(const std::vector<DeliveryToken>& tokens) {
    for (const DeliveryToken& token : tokens) {
      RC_ASSERT(model_.settled.insert(std::get<DatagramToken>(token).sequence).second);
    }
  }
  void check_totals() {
    std::uint64_t bytes = 0;
    bool eliciting = false;
    std::vector<std::uint64_t> tokens;
    for (const auto& [number, packet] : model_.outstanding) {
      if (packet.in_flight) bytes += packet.bytes;
      eliciting = eliciting || packet.ack_eliciting;
      tokens.insert(tokens.end(), packet.tokens.begin(), packet.tokens.end());
    }
    RC_ASSERT(space_.bytes_in_flight() == ByteCount{bytes});
    RC_ASSERT(space_.has_ack_eliciting_in_flight() == eliciting);
    std::vector<std::uint64_t> visited;
    space_.for_each_unacked([&](const SentPacket& packet, const DeliveryToken& token) {
      RC_ASSERT(model_.outstanding.contains(packet.number.value()));
      visited.push_back(std::get<DatagramToken>(token).sequence);
      return true;
    });
    RC_ASSERT(visited == tokens);
  }

  [[nodiscard]] RttContext context() { return {.rtt = rtt_, .max_ack_delay = milliseconds(25)}; }
  static std::set<std::uint64_t> labels(const std::vector<DeliveryToken>& tokens) {
    std::set<std::uint64_t> result;
    for (const DeliveryToken& token : tokens) result.insert(std::get<DatagramToken>(token).sequence);
    return result;
  }
  static AckFrame frame_of(const std::set<std::uint64_t>& numbers, std::vector<std::byte>& bytes) {
    IntervalSet set;
    for (const std::uint64_t number : numbers) static_cast<void>(set.insert(number, number + 1));
    const auto ranges = set.intervals();
    bytes.resize(ranges.size() * 16);
    ByteWriter writer(bytes);
    AckFrame frame;
    frame.largest = PacketNumber{ranges.back().end - 1};
    frame.first_range = ranges.back().end - 1 - ranges.back().begin;
    frame.range_count = ranges.size() - 1;
    for (std::size_t i = ranges.size() - 1; i > 0; --i) {
      RC_ASSERT(writer.write_varint(ranges[i].begin - ranges[i - 1].end - 1));
      RC_ASSERT(writer.write_varint(ranges[i - 1].end - ranges[i - 1].begin - 1));
    }
    frame.ranges = writer.written();
    return frame;
  }

  SeededRng rng_;
  Instant now_{std::chrono::seconds(1)};
  RttEstimator rtt_;
  PacketNumberSpace space_;
  AckOutcome out_;
  SpaceModel model_;
  std::uint64_t next_token_ = 0;
};

RC_GTEST_PROP(RecoverySpace, EveryTokenComesBackExactlyOnce, ()) {
  Run run(*rc::gen::arbitrary<std::uint64_t>());
  const int steps = *rc::gen::inRange(1, 1500);
  for (int i = 0; i < steps; ++i) run.step();
  run.finish();
}

/// Any ranges at all, as a hostile peer would send: an error or a sane outcome, never a crash.
RC_GTEST_PROP(RecoverySpace, HostileAcksAreErrorsOrHarmless, (std::uint64_t seed)) {
  SeededRng rng(seed);
  PacketNumberSpace space(PathId{0}, SpaceId::application, AckPolicy{}, rng);
  RttEstimator rtt;
  AckOutcome out;
  std::set<std::uint64_t> sent;
  for (std::uint64_t i = rng.below(400); i > 0; --i) {
    sent.insert(space.next_number().value());
    space.on_sent({.number = space.next_number(), .bytes = 1, .ack_eliciting = true, .in_flight = true}, {});
  }
  for (int i = 0; i < 50; ++i) {
    AckFrame frame;
    frame.largest = PacketNumber{rng.below(2) == 0 ? rng.below(500) : rng.below(kMaxVarint)};
    frame.first_range = rng.below(2) == 0 ? frame.largest.value() : rng.below(frame.largest.value() + 1);
    frame.delay = rng.below(kMaxVarint);
    if (rng.below(2) == 0) frame.ecn = EcnCounts{rng.next(), rng.next(), rng.next()};
    bool all_sent = true;
    if (frame.largest.value() > 1000) {
      all_sent = false;
    } else {
      for (std::uint64_t n = frame.largest.value() - frame.first_range; n <= frame.largest.value(); ++n) {
        all_sent = all_sent && sent.contains(n);
      }
    }
    out.clear();
    const auto result = space.on_ack(frame, {.rtt = rtt}, Instant(std::chrono::seconds(i)), out);
    RC_ASSERT(result.has_value() == all_sent);
  }
}

}  // namespace
}  // namespace mpquic
