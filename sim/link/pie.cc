#include "sim/link/pie.h"

#include <algorithm>
#include <array>

namespace mpquic::sim {
namespace {

constexpr Duration kTarget = std::chrono::milliseconds(15);  // QDELAY_REF, RFC 8033 §4.2
constexpr Duration kUpdate = std::chrono::milliseconds(15);  // T_UPDATE
constexpr Duration kMaxBurst = std::chrono::milliseconds(150);
constexpr double kAlpha = 0.125;  // per second of delay
constexpr double kBeta = 1.25;
constexpr double kMarkLimit = 0.1;  // MARK_ECNTH: beyond it even ECN-capable packets are dropped (§5.1)
constexpr double kIdleDecay = 0.98;
constexpr double kMaxIncrease = 0.02;  // of the probability in one update, once it is 10 % (§5.2)
constexpr double kSurelyNot = 0.85;    // accumulated probability, §5.1
constexpr double kSurely = 8.5;
constexpr std::uint64_t kFewBytes = 2 * 1500;
/// An empty queue's probability is below 1e-9 after so many updates; more of them change nothing.
constexpr int kMaxCatchUp = 1100;

/// §5.2: small probabilities move in small steps.
struct Scale {
  double below;
  double divisor;
};
constexpr std::array kScales = {Scale{0.000001, 2048}, Scale{0.00001, 512}, Scale{0.0001, 128},
                                Scale{0.001, 32},      Scale{0.01, 8},      Scale{0.1, 2}};

[[nodiscard]] double seconds_of(Duration time) { return static_cast<double>(time.count()) / 1e9; }

}  // namespace

PieQueue::PieQueue(const QueueConfig& config, const QueueLimits& limits, const RandomStream& random)
    : limits_(limits),
      rng_(random.seed, random.stream),
      target_(config.target.value_or(kTarget)),
      ecn_(config.ecn),
      burst_allowance_(kMaxBurst),
      next_update_(Instant{} + kUpdate) {}

void PieQueue::catch_up(Instant now) {
  if (now < next_update_) return;
  if (fifo_.empty() && now - next_update_ > kMaxCatchUp * kUpdate) {
    probability_ = 0;
    burst_allowance_ = kMaxBurst;
    delay_ = old_delay_ = Duration::zero();
    next_update_ += (now - next_update_) / kUpdate * kUpdate;
  }
  for (; next_update_ <= now; next_update_ += kUpdate) update(next_update_);
}

void PieQueue::update(Instant at) {
  delay_ = fifo_.empty() ? Duration::zero() : at - fifo_.front().queued_at;
  double change = kAlpha * seconds_of(delay_ - target_) + kBeta * seconds_of(delay_ - old_delay_);
  for (const Scale& scale : kScales) {
    if (probability_ >= scale.below) continue;
    change /= scale.divisor;
    break;
  }
  if (probability_ >= 0.1) change = std::min(change, kMaxIncrease);
  probability_ += change;
  if (delay_ == Duration::zero() && old_delay_ == Duration::zero()) probability_ *= kIdleDecay;
  probability_ = std::clamp(probability_, 0.0, 1.0);
  burst_allowance_ = std::max(Duration::zero(), burst_allowance_ - kUpdate);
  if (probability_ == 0 && delay_ < target_ / 2 && old_delay_ < target_ / 2) burst_allowance_ = kMaxBurst;
  old_delay_ = delay_;
}

bool PieQueue::wants_drop() {
  if (burst_allowance_ > Duration::zero()) return false;
  if ((old_delay_ < target_ / 2 && probability_ < 0.2) || fifo_.bytes() <= kFewBytes) return false;
  if (probability_ == 0) accumulated_ = 0;
  accumulated_ += probability_;
  if (accumulated_ < kSurelyNot) return false;
  if (accumulated_ < kSurely && rng_.unit() >= probability_) return false;
  accumulated_ = 0;
  return true;
}

void PieQueue::enqueue(const LinkPacket& packet, Instant now, DropSink& drops) {
  catch_up(now);
  if (!limits_.has_room(fifo_, packet.bytes)) return drops.drop(packet, LinkDrop::queue_full);
  LinkPacket taken = packet;
  if (wants_drop()) {
    if (!ecn_ || packet.ecn == Ecn::not_ect || probability_ > kMarkLimit) return drops.drop(packet, LinkDrop::aqm);
    taken.marked = true;
  }
  fifo_.push(taken);
}

std::optional<LinkPacket> PieQueue::dequeue(Instant now, DropSink& /*drops*/) {
  catch_up(now);
  if (fifo_.empty()) return std::nullopt;
  return fifo_.pop();
}

}  // namespace mpquic::sim
