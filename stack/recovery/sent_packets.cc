#include "stack/recovery/sent_packets.h"

#include "stack/base/check.h"

namespace mpquic {

void SentPackets::add(const SentPacket& packet, std::span<const DeliveryToken> tokens) {
  const std::uint64_t number = packet.number.value();
  if (slots_.empty()) begin_ = number;
  MPQUIC_CHECK(number >= end_number() && tokens.size() <= UINT8_MAX);
  while (end_number() < number) slots_.append() = Slot{};
  Slot& slot = slots_.append();
  slot.packet = packet;
  slot.first_token = tokens_begin_ + tokens_.size();
  slot.token_count = static_cast<std::uint8_t>(tokens.size());
  slot.outstanding = true;
  for (const DeliveryToken& token : tokens) tokens_.push_back(token);
  if (packet.in_flight) bytes_in_flight_ += ByteCount{packet.bytes};
  if (packet.ack_eliciting) ++ack_eliciting_;
}

const SentPacket* SentPackets::find(PacketNumber number) const {
  if (number.value() < begin_ || number.value() >= end_number()) return nullptr;
  const Slot& slot = slots_[static_cast<std::size_t>(number.value() - begin_)];
  return slot.outstanding ? &slot.packet : nullptr;
}

const SentPacket* SentPackets::oldest_eliciting(PacketNumber first) const {
  if (ack_eliciting_ == 0) return nullptr;
  for (std::size_t i = slot_from(first); i < slots_.size(); ++i) {
    if (slots_[i].outstanding && slots_[i].packet.ack_eliciting) return &slots_[i].packet;
  }
  return nullptr;
}

SentPacket SentPackets::take(PacketNumber number, std::vector<DeliveryToken>& tokens) {
  MPQUIC_CHECK(find(number) != nullptr);
  Slot& slot = slots_[static_cast<std::size_t>(number.value() - begin_)];
  slot.outstanding = false;
  for (std::size_t t = 0; t < slot.token_count; ++t) tokens.push_back(token_at(slot.first_token + t));
  const SentPacket packet = slot.packet;
  if (packet.in_flight) bytes_in_flight_ -= ByteCount{packet.bytes};
  if (packet.ack_eliciting) --ack_eliciting_;
  drop_resolved();
  return packet;
}

void SentPackets::drop_resolved() {
  while (!slots_.empty() && !slots_.front().outstanding) {
    for (std::size_t t = slots_.front().token_count; t > 0; --t) {
      static_cast<void>(tokens_.pop_front());
      ++tokens_begin_;
    }
    static_cast<void>(slots_.pop_front());
    ++begin_;
  }
}

}  // namespace mpquic
