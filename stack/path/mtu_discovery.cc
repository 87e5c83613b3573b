#include "stack/path/mtu_discovery.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic {

MtuDiscovery::MtuDiscovery(const MtuConfig& config)
    : discover_(config.discover),
      current_(std::max(config.initial, kMinInitialDatagram)),
      maximum_(std::max(config.maximum, current_)),
      ceiling_(maximum_) {}

void MtuDiscovery::set_peer_limit(std::size_t max_udp_payload_size) {
  maximum_ = std::min(maximum_, std::max(max_udp_payload_size, kMinInitialDatagram));
  ceiling_ = std::min(ceiling_, maximum_);
  current_ = std::min(current_, maximum_);
}

void MtuDiscovery::on_probe_sent(std::size_t size) { probing_ = size; }

bool MtuDiscovery::on_probe_acked(std::size_t size, Instant now) {
  if (probing_ != size) return false;
  probing_.reset();
  failures_ = 0;
  first_probe_ = false;
  if (size <= current_) return false;
  current_ = size;
  big_losses_ = 0;
  finish_if_complete(now);
  return true;
}

void MtuDiscovery::on_probe_lost(std::size_t size, Instant now) {
  if (probing_ != size) return;
  probing_.reset();
  if (++failures_ < kMaxProbes) return;
  failures_ = 0;
  first_probe_ = false;
  ceiling_ = size - 1;
  finish_if_complete(now);
}

void MtuDiscovery::on_acked(std::size_t biggest, PacketNumber newest) {
  if (biggest <= kMinInitialDatagram) return;
  big_losses_ = 0;
  newest_acked_ = std::max(newest_acked_.value_or(newest), newest);
}

bool MtuDiscovery::on_packet_lost(PacketNumber number, std::size_t size) {
  if (size <= kMinInitialDatagram || size > current_ || number < newest_acked_.value_or(PacketNumber{0})) return false;
  if (++big_losses_ < kBlackHoleLosses) return false;
  return fall_back();
}

bool MtuDiscovery::fall_back() {
  big_losses_ = 0;
  failures_ = 0;
  probing_.reset();
  raise_at_.reset();
  first_probe_ = true;
  ceiling_ = maximum_;
  if (current_ == kMinInitialDatagram) return false;
  current_ = kMinInitialDatagram;
  return true;
}

bool MtuDiscovery::on_too_big(Instant now) {
  if (probing_) {  // it was the probe: no use in repeating it
    failures_ = kMaxProbes;
    on_probe_lost(*probing_, now);
    return false;
  }
  const std::size_t refused = current_;
  const bool fell = fall_back();
  ceiling_ = std::max(refused - 1, current_);
  finish_if_complete(now);
  return fell;
}

void MtuDiscovery::on_deadline(Instant now) {
  if (!expired(raise_at_, now)) return;
  raise_at_.reset();
  first_probe_ = true;
  ceiling_ = maximum_;
}

std::size_t MtuDiscovery::next_size() const {
  // Most paths carry the maximum, so that is tried first; after that, halves.
  if (first_probe_) return ceiling_;
  return current_ + (ceiling_ - current_ + 1) / 2;
}

void MtuDiscovery::finish_if_complete(Instant now) {
  if (discover_ && complete() && current_ < maximum_) raise_at_ = now + kRaiseInterval;
}

}  // namespace mpquic
