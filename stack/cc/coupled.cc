#include "stack/cc/coupled.h"

#include <algorithm>
#include <utility>

namespace mpquic {

Coupled::Coupled(const CouplingRule& rule, std::size_t max_datagram_size, CouplingGroup& group)
    : rule_(rule), group_(group), max_datagram_size_(max_datagram_size) {
  path_.window = initial_window(max_datagram_size);
  group_.join(path_);
}

void Coupled::on_sent(ByteCount, ByteCount, Instant) {}

void Coupled::on_acked(const AckSummary& ack) {
  path_.rtt = ack.rtt.smoothed;
  path_.acked_since_loss += ack.acked.value();
  // RFC 9002 §7.8 and §7.3.2.
  if (ack.application_limited || recovery_.covers(ack.largest_sent_time)) return;
  if (in_slow_start()) {
    grow_in_slow_start(ack);
  } else {
    grow_in_avoidance(ack.acked);
  }
}

void Coupled::grow_in_slow_start(const AckSummary& ack) {
  const auto growth = hystart_.growth(ack, threshold_ == kUnlimitedWindow);
  if (!growth) threshold_ = path_.window;
  path_.window = std::min(path_.window + growth.value_or(0), kMaxWindow);
}

void Coupled::grow_in_avoidance(ByteCount acked) {
  const Ratio gain = path_.takes_part() ? rule_.gain(group_, path_) : kRatioOne;
  // RFC 9002 §7.3.3: one datagram for each window acknowledged, times the gain.
  const std::int64_t change = growth_.add_signed(gain * static_cast<Ratio>(max_datagram_size_) * acked.value(),
                                                 kRatioOne * static_cast<Ratio>(path_.window));
  path_.window = static_cast<std::uint64_t>(std::clamp(static_cast<std::int64_t>(path_.window) + change,
                                                       static_cast<std::int64_t>(minimum_window(max_datagram_size_)),
                                                       static_cast<std::int64_t>(kMaxWindow)));
  // A window that shrinks must not find itself below the threshold, in slow start.
  threshold_ = std::min(threshold_, path_.window);
}

void Coupled::on_congestion(Instant newest_sent, ByteCount, bool, Instant now) {
  if (recovery_.covers(newest_sent)) return;
  recovery_.start(now);
  const std::uint64_t reduced = path_.takes_part() ? rule_.reduced(group_, path_) : halved(group_, path_);
  threshold_ = std::max(reduced, minimum_window(max_datagram_size_));
  path_.window = threshold_;
  // An epoch counts as one loss: l_1r and l_2r measure what passes between reductions.
  path_.acked_between_losses = std::exchange(path_.acked_since_loss, 0);
  growth_.clear();
}

void Coupled::on_persistent_congestion(Instant) {
  path_.window = minimum_window(max_datagram_size_);
  recovery_.clear();
  growth_.clear();
}

void Coupled::on_spurious_congestion(Instant) {}  // as NewReno: RFC 9002 has no undo

void Coupled::on_max_datagram_size(std::size_t bytes) {
  max_datagram_size_ = bytes;
  path_.window = std::max(path_.window, minimum_window(bytes));
}

void Coupled::reset() {
  // The new network has no RTT and no history; whether the path is active is not the network's affair.
  path_ = CoupledPath{.window = initial_window(max_datagram_size_), .active = path_.active};
  threshold_ = kUnlimitedWindow;
  hystart_.reset();
  recovery_.clear();
  growth_.clear();
}

Bandwidth Coupled::pacing_rate(const RttSample& rtt) const {
  return window_pacing_rate(path_.window, in_slow_start(), rtt);
}

std::optional<Coupling> Coupled::coupling() const {
  if (!path_.takes_part()) return std::nullopt;
  return Coupling{rule_.alpha_millionths(group_, path_), ByteCount{group_.total_window()}};
}

}  // namespace mpquic
