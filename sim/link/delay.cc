#include "sim/link/delay.h"

#include <algorithm>

namespace mpquic::sim {

DelayModel::DelayModel(const std::optional<JitterConfig>& jitter, std::shared_ptr<const DelayTrace> trace,
                       const RandomStream& random) {
  if (jitter) jitter_.emplace(*jitter, random);
  if (trace != nullptr) trace_.emplace(std::move(trace));
}

Duration DelayModel::at(Instant now, Duration base) {
  if (trace_) base = trace_->at(now);
  if (!jitter_) return base;
  for (; jitter_->next_step <= now; jitter_->next_step += jitter_->config.step) jitter_->process.advance();
  const double offset = static_cast<double>(jitter_->config.deviation.count()) * jitter_->process.value();
  return std::max(jitter_->config.least, base + Duration(static_cast<std::int64_t>(offset)));
}

}  // namespace mpquic::sim
