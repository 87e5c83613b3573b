// Loss detection as a pure function, RFC 9002 §6.1.
#pragma once

#include <cstdint>
#include <variant>

#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

/// RFC 9002 §6.1.1: kPacketThreshold, where a space starts.
inline constexpr std::uint64_t kPacketThreshold = 3;
/// A space that sees reordering raises its threshold up to this (RFC 9002 §6.1.1 permits adaptive thresholds).
inline constexpr std::uint64_t kMaxReorderingThreshold = 64;

enum class LossTrigger : std::uint8_t { packet_threshold, time_threshold, forgotten };

struct LossThresholds {
  std::uint64_t packets = kPacketThreshold;
  Duration time{};  // RttEstimator::loss_delay()
};

struct Lost {
  LossTrigger trigger = LossTrigger::packet_threshold;
};
/// `time`: when the time threshold will be crossed.
struct NotLostYet {
  Instant time;
};
using LossVerdict = std::variant<Lost, NotLostYet>;

/// Judges an unacknowledged packet with a number below `largest_acked`.
[[nodiscard]] constexpr LossVerdict judge_loss(PacketNumber number, Instant time_sent, PacketNumber largest_acked,
                                               const LossThresholds& thresholds, Instant now) {
  // RFC 9002 §6.1.1: "kPacketThreshold packets before an acknowledged packet".
  if (largest_acked.value() >= number.value() + thresholds.packets) return Lost{LossTrigger::packet_threshold};
  // RFC 9002 §6.1.2: "sent a threshold amount of time in the past".
  const Instant lost_at = time_sent + thresholds.time;
  if (lost_at <= now) return Lost{LossTrigger::time_threshold};
  return NotLostYet{lost_at};
}

}  // namespace mpquic
