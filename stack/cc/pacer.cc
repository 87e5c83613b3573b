#include "stack/cc/pacer.h"

#include <algorithm>

namespace mpquic {
namespace {

constexpr std::int64_t kCreditPerByte = 8 * 1'000'000'000LL;
static_assert(Pacer::kBurstDatagrams * kMaxDatagram < INT64_MAX / kCreditPerByte / 4, "credit fits with room to spare");

[[nodiscard]] constexpr std::int64_t credit_of(std::uint64_t bytes) {
  return static_cast<std::int64_t>(bytes) * kCreditPerByte;
}

/// What `rate` gives in `time`, at most `limit`.
[[nodiscard]] std::int64_t credit_in(Bandwidth rate, Duration time, std::int64_t limit) {
  const auto credit = static_cast<__int128>(rate.bits_per_second()) * std::max<std::int64_t>(time.count(), 0);
  return static_cast<std::int64_t>(std::min<__int128>(credit, limit));
}

}  // namespace

Pacer::Pacer(std::size_t max_datagram_size)
    : max_datagram_size_(max_datagram_size), credit_(credit_of(kBurstDatagrams * max_datagram_size)) {
  update_bucket();
}

void Pacer::update_bucket() {
  const std::uint64_t smallest = kBurstDatagrams * max_datagram_size_;
  // Two quanta, so that a timer that fires late loses nothing.
  const std::uint64_t wanted = rate_.bytes_in(2 * kQuantum).value();
  capacity_ = credit_of(std::clamp(wanted, smallest, std::max(smallest, kMaxBurstBytes)));
  quantum_ = std::clamp(credit_in(rate_, kQuantum, INT64_MAX), credit_of(max_datagram_size_), capacity_ / 2);
}

std::int64_t Pacer::required() const { return refilling_ ? quantum_ : credit_of(max_datagram_size_); }

std::int64_t Pacer::credit_at(Instant now) const {
  if (credit_ >= capacity_) return capacity_;
  return credit_ + credit_in(rate_, now - updated_, capacity_ - credit_);
}

void Pacer::set_rate(Bandwidth rate, Instant now) {
  if (rate == rate_) return;
  if (paced()) credit_ = credit_at(now);  // what was earned at the old rate
  updated_ = now;
  rate_ = rate;
  update_bucket();
}

void Pacer::set_max_datagram_size(std::size_t bytes, Instant now) {
  if (paced()) credit_ = credit_at(now);
  updated_ = now;
  max_datagram_size_ = bytes;
  update_bucket();
}

bool Pacer::can_send(Instant now) const { return !paced() || credit_at(now) >= required(); }

ByteCount Pacer::budget(Instant now) const {
  if (!paced()) return ByteCount{UINT64_MAX};
  const std::int64_t credit = credit_at(now);
  if (credit < required()) return ByteCount{};
  return ByteCount{static_cast<std::uint64_t>(credit / kCreditPerByte)};
}

Deadline Pacer::next_send(Instant now) const {
  if (can_send(now)) return std::nullopt;
  const auto missing = static_cast<__int128>(required()) - credit_;
  const auto rate = static_cast<__int128>(rate_.bits_per_second());
  return updated_ + Duration(static_cast<std::int64_t>((missing + rate - 1) / rate));
}

void Pacer::on_sent(ByteCount bytes, Instant now) {
  if (!paced()) return;
  // Debt is bounded, so that probes never silence the path for longer than a full bucket takes.
  const std::int64_t cost = credit_of(std::min<std::uint64_t>(bytes.value(), INT64_MAX / kCreditPerByte / 4));
  credit_ = std::max(credit_at(now) - cost, -capacity_);
  updated_ = now;
  refilling_ = credit_ < credit_of(max_datagram_size_);
}

}  // namespace mpquic
