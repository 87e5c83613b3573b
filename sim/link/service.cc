#include "sim/link/service.h"

#include <algorithm>

#include "stack/base/check.h"
#include "stack/base/overloaded.h"

namespace mpquic::sim {
namespace {

constexpr std::uint64_t kBitNanosecondsPerByte = 8ULL * 1'000'000'000;
/// e^700 still is a double; a wandering rate is clamped long before.
constexpr double kMaxExponent = 700;

}  // namespace

std::unique_ptr<Service> make_service(const ServiceConfig& config, Bandwidth rate, const RandomSource& random) {
  using Made = std::unique_ptr<Service>;
  return std::visit(
      overloaded{
          [&](const FixedRate&) -> Made { return std::make_unique<FixedRateService>(rate); },
          [&](const BucketRate& bucket) -> Made { return std::make_unique<BucketService>(rate, bucket.burst); },
          [&](const WanderingRate& wandering) -> Made {
            return std::make_unique<WanderingService>(wandering, rate, random.of(Purpose::rate));
          },
          [](const std::shared_ptr<const RateTrace>& trace) -> Made { return std::make_unique<TraceService>(trace); },
          [](const std::shared_ptr<const Opportunities>& opportunities) -> Made {
            return std::make_unique<OpportunityService>(opportunities);
          },
      },
      config);
}

void VariableRateService::forget_before(Instant start) {
  const auto now = std::ranges::find_if(spans_, [&](const Span& span) { return span.ends > start; });
  spans_.erase(spans_.begin(), now);
  while (known_until_ <= start) {
    const Step<Bandwidth> step = next_step();
    known_until_ += step.lasts;
    if (known_until_ > start) spans_.push_back({.ends = known_until_, .rate = step.value});
  }
}

Instant VariableRateService::finish(std::uint32_t bytes, Instant start) {
  forget_before(start);
  unsigned __int128 left = static_cast<unsigned __int128>(bytes) * kBitNanosecondsPerByte;
  Instant at = start;
  for (std::size_t i = 0;; ++i) {
    if (i == spans_.size()) {
      const Step<Bandwidth> step = next_step();
      known_until_ += step.lasts;
      spans_.push_back({.ends = known_until_, .rate = step.value});
    }
    const Span& span = spans_[i];
    rate_ = span.rate;
    const unsigned __int128 rate = span.rate.bits_per_second();
    const unsigned __int128 room = rate * static_cast<unsigned __int128>((span.ends - at).count());
    if (left <= room && rate > 0) return at + Duration(static_cast<std::int64_t>((left + rate - 1) / rate));
    left -= room;
    at = span.ends;
  }
}

Step<Bandwidth> RateWalk::next() {
  const double exponent = std::clamp(config_.spread * process_.value(), -kMaxExponent, kMaxExponent);
  process_.advance();
  const double bps = std::clamp(median_ * natural_exp(exponent), static_cast<double>(config_.least.bits_per_second()),
                                static_cast<double>(config_.most.bits_per_second()));
  return {.lasts = config_.step, .value = Bandwidth::from_bits_per_second(static_cast<std::uint64_t>(bps))};
}

Instant OpportunityService::finish(std::uint32_t bytes, Instant start) {
  if (current_ < start) left_ = 0;
  while (bytes > left_) {
    bytes -= left_;
    advance(start);
  }
  left_ -= bytes;
  return current_;
}

void OpportunityService::advance(Instant start) {
  const auto& at = opportunities_->at;
  if (const Duration idle = start - period_start_; idle >= 2 * opportunities_->period) {
    period_start_ += (idle / opportunities_->period - 1) * opportunities_->period;
    next_ = 0;
  }
  while (true) {
    if (next_ == at.size()) {
      next_ = 0;
      period_start_ += opportunities_->period;
    }
    current_ = period_start_ + at[next_++];
    if (current_ >= start) break;
  }
  left_ = kOpportunityBytes;
}

}  // namespace mpquic::sim
