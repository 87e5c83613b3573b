// When bytes may leave: a token bucket that spreads a congestion window over the round trip (RFC 9002 §7.7).
#pragma once

#include <chrono>
#include <cstdint>

#include "stack/base/bandwidth.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

/// Exact integers: credit is counted in billionths of a bit (rate in bit/s times time in ns), so that no rounding
/// depends on how often the pacer is asked.
class Pacer {
 public:
  /// RFC 9002 §7.7: bursts are limited to the initial window; a bucket holds this many datagrams at least.
  static constexpr std::uint64_t kBurstDatagrams = 10;
  /// ... and no more than one GSO train at most, unless datagrams are huge.
  static constexpr std::uint64_t kMaxBurstBytes = 65536;
  /// In between: what the rate gives in this time. Also how long an empty bucket fills before sending resumes, so that
  /// fast paths send trains instead of single datagrams.
  static constexpr Duration kQuantum = std::chrono::milliseconds(1);

  /// Starts with a full bucket and no rate: unpaced.
  explicit Pacer(std::size_t max_datagram_size);

  /// CongestionController::pacing_rate() of now. Zero switches pacing off.
  void set_rate(Bandwidth rate, Instant now);
  void set_max_datagram_size(std::size_t bytes, Instant now);

  [[nodiscard]] bool can_send(Instant now) const;
  /// Bytes that may leave at once, for sizing trains. Huge when unpaced, zero unless can_send().
  [[nodiscard]] ByteCount budget(Instant now) const;
  /// When can_send() becomes true; absent when it is true now.
  [[nodiscard]] Deadline next_send(Instant now) const;
  /// May overdraw: probes and ACKs are not stopped by the pacer, but are paid for.
  void on_sent(ByteCount bytes, Instant now);
  [[nodiscard]] Bandwidth rate() const { return rate_; }

 private:
  [[nodiscard]] bool paced() const { return rate_.bits_per_second() > 0; }
  void update_bucket();
  [[nodiscard]] std::int64_t required() const;
  [[nodiscard]] std::int64_t credit_at(Instant now) const;

  Bandwidth rate_;
  std::uint64_t max_datagram_size_;
  std::int64_t capacity_ = 0;  // this and the next: of rate and datagram size, as both change far less often than asked
  std::int64_t quantum_ = 0;
  std::int64_t credit_;  // at `updated_`; negative when overdrawn
  Instant updated_;
  bool refilling_ = false;  // ran dry: waits for a quantum
};

}  // namespace mpquic
