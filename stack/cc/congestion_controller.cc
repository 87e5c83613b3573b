#include "stack/cc/congestion_controller.h"

#include <array>

#include "stack/cc/cubic.h"
#include "stack/cc/new_reno.h"

namespace mpquic {
namespace {

constexpr std::array kNames{Cubic::kName, NewReno::kName};

}  // namespace

std::unique_ptr<CongestionController> make_congestion_controller(std::string_view name, std::size_t max_datagram_size) {
  if (name == Cubic::kName) return std::make_unique<Cubic>(max_datagram_size);
  if (name == NewReno::kName) return std::make_unique<NewReno>(max_datagram_size);
  return nullptr;
}

std::span<const std::string_view> congestion_controller_names() { return kNames; }

}  // namespace mpquic
