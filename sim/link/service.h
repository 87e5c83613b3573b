// How long the transmitter works on each packet.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "sim/link/reproducible_math.h"
#include "sim/link/token_bucket.h"
#include "sim/link/trace.h"
#include "stack/base/bandwidth.h"

namespace mpquic::sim {

class Service {
 public:
  Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  virtual ~Service() = default;
  /// When a packet is through whose transmission may begin at `start`. Calls are in order of time. Each `start` is at
  /// or after the last result, unless that packet was flushed: then it may be earlier, but not before that one's start.
  [[nodiscard]] virtual Instant finish(std::uint32_t bytes, Instant start) = 0;
  /// As the last packet found it, where it changes by itself; nothing before the first, or where no rate says it.
  [[nodiscard]] virtual std::optional<Bandwidth> rate() const { return std::nullopt; }
};

struct FixedRate {};  // at the link's rate
struct BucketRate {   // up to `burst` at once, the link's rate in the long run
  ByteCount burst;
};
/// A rate that wanders: median * e^(spread * x), where x is an AR(1) process of variance 1 that takes a step each
/// `step` and forgets within `memory`. The link's rate is the median. So p5 and p95 are median * e^(-+1.645 spread).
struct WanderingRate {
  double spread = 0;
  Duration step = std::chrono::seconds(1);
  Duration memory = std::chrono::seconds(5);
  Bandwidth least = Bandwidth::from_bits_per_second(100'000);
  Bandwidth most = Bandwidth::from_bits_per_second(10'000'000'000);
};
using ServiceConfig = std::variant<FixedRate, BucketRate, WanderingRate, std::shared_ptr<const RateTrace>,
                                   std::shared_ptr<const Opportunities>>;
/// `rate` is the link's.
[[nodiscard]] std::unique_ptr<Service> make_service(const ServiceConfig& config, Bandwidth rate,
                                                    const RandomSource& random);

class FixedRateService final : public Service {
 public:
  explicit FixedRateService(Bandwidth rate) : rate_(rate) {}
  [[nodiscard]] Instant finish(std::uint32_t bytes, Instant start) override {
    if (bytes != timed_bytes_) {
      timed_bytes_ = bytes;
      timed_ = rate_.transfer_time(ByteCount(bytes));
    }
    return start + timed_;
  }
  [[nodiscard]] std::optional<Bandwidth> rate() const override { return rate_; }

 private:
  Bandwidth rate_;
  std::uint32_t timed_bytes_ = 0;  // the last answer: most packets have one size
  Duration timed_{};
};

class BucketService final : public Service {
 public:
  BucketService(Bandwidth rate, ByteCount burst) : bucket_(rate, burst) {}
  [[nodiscard]] Instant finish(std::uint32_t bytes, Instant start) override {
    const Instant at = bucket_.ready_at(bytes, start);
    bucket_.spend(bytes, at);
    return at;
  }

 private:
  TokenBucket bucket_;
};

/// Rates one after another, from a trace or a process. A packet that spans a change takes its time from both.
class VariableRateService : public Service {
 public:
  [[nodiscard]] Instant finish(std::uint32_t bytes, Instant start) final;
  [[nodiscard]] std::optional<Bandwidth> rate() const final { return rate_; }

 private:
  struct Span {
    Instant ends;
    Bandwidth rate;
  };
  [[nodiscard]] virtual Step<Bandwidth> next_step() = 0;
  void forget_before(Instant start);
  std::vector<Span> spans_;  // from the one in which the last packet began to that in which it ends
  Instant known_until_{};
  std::optional<Bandwidth> rate_;
};

class TraceService final : public VariableRateService {
 public:
  explicit TraceService(std::shared_ptr<const RateTrace> trace) : trace_(std::move(trace)) {}

 private:
  [[nodiscard]] Step<Bandwidth> next_step() override { return (*trace_)[index_++ % trace_->size()]; }
  std::shared_ptr<const RateTrace> trace_;
  std::size_t index_ = 0;
};

/// The steps of a wandering rate: whatever the traffic, they come at the same times.
class RateWalk {
 public:
  RateWalk(const WanderingRate& config, Bandwidth median, const RandomStream& random)
      : config_(config),
        median_(static_cast<double>(median.bits_per_second())),
        process_(config.step, config.memory, random) {}
  [[nodiscard]] Step<Bandwidth> next();

 private:
  WanderingRate config_;
  double median_;
  Ar1 process_;
};

class WanderingService final : public VariableRateService {
 public:
  WanderingService(const WanderingRate& config, Bandwidth median, const RandomStream& random)
      : walk_(config, median, random) {}

 private:
  [[nodiscard]] Step<Bandwidth> next_step() override { return walk_.next(); }
  RateWalk walk_;
};

/// mahimahi's link: an opportunity carries 1504 bytes of what waits at its time, be it several packets or a part of
/// one; what it does not use is gone.
class OpportunityService final : public Service {
 public:
  explicit OpportunityService(std::shared_ptr<const Opportunities> opportunities)
      : opportunities_(std::move(opportunities)) {}
  [[nodiscard]] Instant finish(std::uint32_t bytes, Instant start) override;

 private:
  void advance(Instant start);
  std::shared_ptr<const Opportunities> opportunities_;
  Instant period_start_{};
  std::size_t next_ = 0;  // the opportunity after the current one
  Instant current_ = Instant::min();
  std::uint32_t left_ = 0;  // bytes of the current one
};

}  // namespace mpquic::sim
