#include "stack/cc/new_reno.h"

namespace mpquic {

NewReno::NewReno(std::size_t max_datagram_size)
    : max_datagram_size_(max_datagram_size), window_(initial_window(max_datagram_size)) {}

void NewReno::on_sent(ByteCount, ByteCount, Instant) {}

void NewReno::on_acked(const AckSummary& ack) {
  // RFC 9002 §7.8 and §7.3.2.
  if (ack.application_limited || recovery_.covers(ack.largest_sent_time)) return;
  if (in_slow_start()) {
    window_ += ack.acked.value();
  } else {
    // RFC 9002 §7.3.3: one datagram for each window acknowledged.
    window_ += growth_.add(Wide{max_datagram_size_} * ack.acked.value(), window_);
  }
  window_ = std::min(window_, kMaxWindow);
}

void NewReno::on_congestion(Instant newest_sent, ByteCount, bool, Instant now) {
  if (recovery_.covers(newest_sent)) return;
  recovery_.start(now);
  threshold_ = std::max(window_ / 2, minimum_window(max_datagram_size_));  // RFC 9002 §B.1: kLossReductionFactor
  window_ = threshold_;
  growth_.clear();
}

void NewReno::on_persistent_congestion(Instant) {
  window_ = minimum_window(max_datagram_size_);
  recovery_.clear();
  growth_.clear();
}

void NewReno::on_spurious_congestion(Instant) {}  // RFC 9002 has no undo

void NewReno::on_max_datagram_size(std::size_t bytes) {
  max_datagram_size_ = bytes;
  window_ = std::max(window_, minimum_window(bytes));
}

void NewReno::reset() {
  window_ = initial_window(max_datagram_size_);
  threshold_ = kUnlimitedWindow;
  recovery_.clear();
  growth_.clear();
}

Bandwidth NewReno::pacing_rate(const RttSample& rtt) const { return window_pacing_rate(window_, in_slow_start(), rtt); }

}  // namespace mpquic
