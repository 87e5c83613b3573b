// Packets of one space that were sent and are neither acknowledged nor lost, with the tokens of their frames.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/check.h"
#include "stack/base/ids.h"
#include "stack/base/ring_buffer.h"
#include "stack/base/time.h"
#include "stack/wire/delivery_token.h"

namespace mpquic {

struct SentPacket {
  PacketNumber number{};
  Instant time_sent{};
  std::uint32_t bytes = 0;  // of the packet, tag included; padding for the datagram counts to the packet
  bool ack_eliciting = false;
  bool in_flight = false;  // RFC 9002 §2: ack-eliciting or PADDING
  bool mtu_probe = false;  // its loss is no congestion signal (RFC 9000 §14.4)
  Ecn ecn = Ecn::not_ect;
};

/// A ring with one slot per packet number, from the oldest outstanding packet to the newest sent: O(1) look-up. The
/// tokens lie in a second ring, in the same order, so a warmed-up space allocates nothing.
///
/// Invariant: the front slot, if any, is outstanding.
class SentPackets {
 public:
  /// Numbers jumped over were never sent (RFC 9000 §21.4). Requires a number above all before.
  void add(const SentPacket& packet, std::span<const DeliveryToken> tokens);

  /// The packet if it is outstanding.
  [[nodiscard]] const SentPacket* find(PacketNumber number) const;
  /// Takes an outstanding packet out and appends its tokens to `tokens`.
  SentPacket take(PacketNumber number, std::vector<DeliveryToken>& tokens);

  /// The oldest outstanding packet. Requires !empty().
  [[nodiscard]] const SentPacket& oldest() const { return slots_.front().packet; }
  [[nodiscard]] bool empty() const { return slots_.empty(); }
  /// Slots in use: the span of numbers from the oldest outstanding packet to the newest sent.
  [[nodiscard]] std::size_t span() const { return slots_.size(); }
  /// The number of the first slot, and one above the last. Equal when empty.
  [[nodiscard]] std::uint64_t begin_number() const { return begin_; }
  [[nodiscard]] std::uint64_t end_number() const { return begin_ + slots_.size(); }

  /// fn(const SentPacket&, DeliveryToken&) for every token of every outstanding packet from `first` on, oldest first,
  /// until it gives false.
  template <class Fn>
  void for_each_token(Fn&& fn, PacketNumber first = {}) {
    for (std::size_t i = slot_from(first); i < slots_.size(); ++i) {
      const Slot& slot = slots_[i];
      if (!slot.outstanding) continue;
      for (std::size_t t = 0; t < slot.token_count; ++t) {
        if (!fn(slot.packet, tokens_[static_cast<std::size_t>(slot.first_token + t - tokens_begin_)])) return;
      }
    }
  }
  /// The oldest outstanding packet from `first` on that elicits an ACK; nullptr: there is none.
  [[nodiscard]] const SentPacket* oldest_eliciting(PacketNumber first) const;

  /// Gives back the memory that what is outstanding does not need.
  void trim() {
    slots_.trim();
    tokens_.trim();
  }
  [[nodiscard]] ByteCount bytes_in_flight() const { return bytes_in_flight_; }
  [[nodiscard]] std::size_t ack_eliciting_in_flight() const { return ack_eliciting_; }

 private:
  struct Slot {
    SentPacket packet;
    std::uint64_t first_token = 0;  // counted since the first token ever stored
    std::uint8_t token_count = 0;
    bool outstanding = false;
  };

  [[nodiscard]] const DeliveryToken& token_at(std::uint64_t index) const {
    return tokens_[static_cast<std::size_t>(index - tokens_begin_)];
  }
  [[nodiscard]] std::size_t slot_from(PacketNumber first) const {
    return static_cast<std::size_t>(first.value() > begin_ ? first.value() - begin_ : 0);
  }
  void drop_resolved();

  RingBuffer<Slot> slots_;
  RingBuffer<DeliveryToken> tokens_;
  std::uint64_t begin_ = 0;
  std::uint64_t tokens_begin_ = 0;
  ByteCount bytes_in_flight_;
  std::size_t ack_eliciting_ = 0;
};

}  // namespace mpquic
