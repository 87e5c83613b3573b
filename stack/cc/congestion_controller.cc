#include "stack/cc/congestion_controller.h"

#include <array>

#include "stack/cc/balia.h"
#include "stack/cc/coupled.h"
#include "stack/cc/cubic.h"
#include "stack/cc/lia.h"
#include "stack/cc/new_reno.h"
#include "stack/cc/olia.h"

namespace mpquic {
namespace {

constexpr std::array kCoupled{&balia::kRule, &lia::kRule, &olia::kRule};
constexpr std::array kNames{Cubic::kName, NewReno::kName, balia::kRule.name, lia::kRule.name, olia::kRule.name};

}  // namespace

std::unique_ptr<CongestionController> make_congestion_controller(std::string_view name, std::size_t max_datagram_size,
                                                                 CouplingGroup& group) {
  if (name == Cubic::kName) return std::make_unique<Cubic>(max_datagram_size);
  if (name == NewReno::kName) return std::make_unique<NewReno>(max_datagram_size);
  for (const CouplingRule* rule : kCoupled)
    if (name == rule->name) return std::make_unique<Coupled>(*rule, max_datagram_size, group);
  return nullptr;
}

std::span<const std::string_view> congestion_controller_names() { return kNames; }

}  // namespace mpquic
