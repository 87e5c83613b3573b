// Values that change in steps, over and over: recorded rates and delays, and the delivery opportunities of mahimahi.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bandwidth.h"

namespace mpquic::sim {

template <class Value>
struct Step {
  Duration lasts{};
  Value value{};
};
/// Repeats for ever. Not empty; no step lasts for nothing.
using RateTrace = std::vector<Step<Bandwidth>>;
using DelayTrace = std::vector<Step<Duration>>;

/// When a packet's worth of bytes may leave: mahimahi's packet delivery traces. Repeats after `period`.
struct Opportunities {
  std::vector<Duration> at;  // ascending, at most `period`; several may share a time
  Duration period{};         // above zero
};
/// What one opportunity carries (mahimahi's PACKET_SIZE).
inline constexpr std::uint32_t kOpportunityBytes = 1504;

/// Over one period, rounded down.
[[nodiscard]] Bandwidth mean_rate(const RateTrace& trace);
[[nodiscard]] Bandwidth mean_rate(const Opportunities& opportunities);
[[nodiscard]] Duration mean_delay(const DelayTrace& trace);

// --- Importers. Errors say "line N: what".
/// Lines "SECONDS,MBIT_PER_SECOND": the rate from that time on. The first time is 0; the last step lasts as long as the
/// one before it. Empty lines and lines that start with # are skipped, and so is a first line of words.
[[nodiscard]] std::expected<RateTrace, std::string> parse_rate_csv(std::string_view text);
/// The same with one-way delays: "SECONDS,MILLISECONDS".
[[nodiscard]] std::expected<DelayTrace, std::string> parse_delay_csv(std::string_view text);
/// One millisecond per line, ascending; the last one is the period.
[[nodiscard]] std::expected<Opportunities, std::string> parse_mahimahi(std::string_view text);

/// Walks a trace. Time may only move forward.
template <class Value>
class TraceCursor {
 public:
  explicit TraceCursor(std::shared_ptr<const std::vector<Step<Value>>> trace)
      : trace_(std::move(trace)), ends_(Instant{} + trace_->front().lasts) {}
  [[nodiscard]] Value at(Instant now) {
    while (now >= ends_) {
      index_ = (index_ + 1) % trace_->size();
      ends_ += (*trace_)[index_].lasts;
    }
    return (*trace_)[index_].value;
  }
  [[nodiscard]] Instant ends() const { return ends_; }

 private:
  std::shared_ptr<const std::vector<Step<Value>>> trace_;
  std::size_t index_ = 0;
  Instant ends_;
};

}  // namespace mpquic::sim
