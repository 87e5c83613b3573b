#include "sim/link/cross_traffic.h"

namespace mpquic::sim {
namespace {

/// Flow numbers of others start here, so that they are not those of a host's own flows.
constexpr std::uint32_t kFirstFlow = 0x80000000;

}  // namespace

CrossTraffic::CrossTraffic(const CrossTrafficConfig& config, const RandomStream& random)
    : config_(config), rng_(random.seed, random.stream), spacing_(config.rate.transfer_time(ByteCount(config.bytes))) {
  if (!on_off()) {
    next_ += exponential_time(rng_, spacing_);
    return;
  }
  next_ += exponential_time(rng_, config_.mean_off);
  on_until_ = next_ + exponential_time(rng_, config_.mean_on);
}

LinkPacket CrossTraffic::emit() {
  LinkPacket packet{.ref = {}, .bytes = config_.bytes, .flow = kFirstFlow + flow_};
  flow_ = (flow_ + 1) % config_.flows;
  if (!on_off()) {
    next_ += exponential_time(rng_, spacing_);
    return packet;
  }
  next_ += spacing_;
  if (next_ >= on_until_) {
    next_ = on_until_ + exponential_time(rng_, config_.mean_off);
    on_until_ = next_ + exponential_time(rng_, config_.mean_on);
  }
  return packet;
}

}  // namespace mpquic::sim
