#include "sim/network/packet_pool.h"

#include <algorithm>

#include "stack/base/check.h"

namespace mpquic::sim {

PacketPool::PacketPool(std::size_t capacity) : capacity_((capacity + 63) / 64 * 64) {}

PacketRef PacketPool::acquire() {
  if (free_.empty()) grow();
  const PacketRef ref(free_.back());
  free_.pop_back();
  ++in_use_;
  return ref;
}

void PacketPool::release(PacketRef ref) {
  MPQUIC_DCHECK(in_use_ > 0);
  --in_use_;
  free_.push_back(ref.value());
}

PacketRef PacketPool::clone(PacketRef ref) {
  const PacketRef copy = acquire();
  (*this)[copy] = (*this)[ref];
  fill(copy, bytes(ref));
  return copy;
}

MutableBytes PacketPool::bytes(PacketRef ref) {
  Slab& slab = slab_of(ref);
  const std::size_t index = ref.value() % kSlabPackets;
  return {slab.bytes.get() + index * capacity_, slab.packets[index].size};
}

void PacketPool::flip_bit(PacketRef ref, std::uint64_t random) {
  const MutableBytes payload = bytes(ref);
  if (payload.empty()) return;
  const std::uint64_t bit = random % (payload.size() * 8);
  payload[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
}

std::uint32_t PacketPool::truncate(PacketRef ref, std::uint64_t random) {
  Packet& packet = (*this)[ref];
  if (packet.size > 1) packet.size = static_cast<std::uint32_t>(1 + random % (packet.size - 1));
  return static_cast<std::uint32_t>(packet.ip_size());
}

void PacketPool::prefetch(PacketRef ref, std::uint32_t bytes) const {
  constexpr std::size_t kCacheLine = 64;
  // More would wait for the memory here and now; who reads on is followed by the processor's own prefetch.
  constexpr std::size_t kMost = 1024;
  constexpr int kSecondLevel = 2;  // other packets come first, and would push it out of the first
  const Slab& slab = *slabs_[ref.value() / kSlabPackets];
  const std::size_t index = ref.value() % kSlabPackets;
  const std::byte* const payload = slab.bytes.get() + index * capacity_;
  __builtin_prefetch(&slab.packets[index]);
  const std::size_t ahead = std::min<std::size_t>(bytes - kIpUdpOverhead, kMost);
  for (std::size_t at = 0; at < ahead; at += kCacheLine) __builtin_prefetch(payload + at, 0, kSecondLevel);
}

void PacketPool::grow() {
  auto slab = std::make_unique<Slab>();
  slab->bytes = std::make_unique_for_overwrite<std::byte[]>(kSlabPackets * capacity_);
  const auto first = static_cast<std::uint32_t>(allocated());
  slabs_.push_back(std::move(slab));
  free_.reserve(allocated());
  for (std::uint32_t i = kSlabPackets; i-- > 0;) free_.push_back(first + i);
}

}  // namespace mpquic::sim
