#include "stack/sched/scheduler.h"

#include <array>

#include "stack/sched/min_rtt.h"
#include "stack/sched/round_robin.h"

namespace mpquic {
namespace {

constexpr std::array kNames{MinRttScheduler::kName, RoundRobinScheduler::kName};

}  // namespace

std::unique_ptr<Scheduler> make_scheduler(std::string_view name) {
  if (name == MinRttScheduler::kName) return std::make_unique<MinRttScheduler>();
  if (name == RoundRobinScheduler::kName) return std::make_unique<RoundRobinScheduler>();
  return nullptr;
}

std::span<const std::string_view> scheduler_names() { return kNames; }

}  // namespace mpquic
