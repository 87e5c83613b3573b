// Datagrams on their way. Buffers come from a free list that grows in slabs: in steady state nothing is allocated.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "sim/link/packet.h"
#include "stack/base/address.h"
#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic::sim {

/// IPv4 and UDP headers: links count IP packets, endpoints UDP payloads.
inline constexpr std::size_t kIpUdpOverhead = 28;

struct Packet {
  FourTuple tuple;  // as the receiver will see it
  Instant sent_at;
  std::uint64_t serial = 0;  // unique in a run
  std::uint32_t size = 0;    // UDP payload
  Ecn ecn = Ecn::not_ect;
  bool acks = false;  // carries acknowledgements, where an AckWatch looks
  [[nodiscard]] std::size_t ip_size() const { return size + kIpUdpOverhead; }
};

class PacketPool final : public PacketStore {
 public:
  /// Packets of up to `capacity` bytes of UDP payload.
  explicit PacketPool(std::size_t capacity);
  [[nodiscard]] PacketRef acquire();
  void release(PacketRef ref);
  [[nodiscard]] Packet& operator[](PacketRef ref) { return slab_of(ref).packets[ref.value() % kSlabPackets]; }
  /// The buffer's first `size` bytes, `size` as in the packet.
  [[nodiscard]] MutableBytes bytes(PacketRef ref);
  /// Copies into the buffer what is as long as the packet.
  void fill(PacketRef ref, Bytes content) { std::memcpy(bytes(ref).data(), content.data(), content.size()); }

  // --- PacketStore
  [[nodiscard]] PacketRef clone(PacketRef ref) override;
  void set_ecn(PacketRef ref, Ecn ecn) override { (*this)[ref].ecn = ecn; }
  void flip_bit(PacketRef ref, std::uint64_t random) override;
  [[nodiscard]] std::uint32_t truncate(PacketRef ref, std::uint64_t random) override;
  void prefetch(PacketRef ref, std::uint32_t bytes) const override;

  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t in_use() const { return in_use_; }
  [[nodiscard]] std::size_t allocated() const { return slabs_.size() * kSlabPackets; }

 private:
  static constexpr std::size_t kSlabPackets = 256;
  struct Slab {
    std::array<Packet, kSlabPackets> packets;
    std::unique_ptr<std::byte[]> bytes;
  };
  [[nodiscard]] Slab& slab_of(PacketRef ref) { return *slabs_[ref.value() / kSlabPackets]; }
  void grow();

  std::size_t capacity_;
  std::vector<std::unique_ptr<Slab>> slabs_;
  std::vector<std::uint32_t> free_;
  std::size_t in_use_ = 0;
};

}  // namespace mpquic::sim
