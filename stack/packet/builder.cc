#include "stack/packet/builder.h"

#include <algorithm>

#include "stack/base/check.h"
#include "stack/crypto/suite.h"
#include "stack/wire/cursor.h"
#include "stack/wire/packet_number.h"

namespace mpquic {
namespace {

/// What the 2-byte Length of a long header counts (RFC 9000 §16, §17.2): packet number, payload and tag.
constexpr std::size_t kMaxLengthField = (1U << 14) - 1;
/// RFC 9001 §5.4.2: packet number and payload have at least four bytes, so that the tag completes the sample.
constexpr std::size_t kMinNumberAndPayload = kHeaderProtectionSampleOffset;

std::optional<HeaderLayout> write_header(const PacketPlan& plan, bool key_phase, ByteWriter& out) {
  const std::size_t length = packet_number_length(plan.number, plan.largest_acked);
  const TruncatedPacketNumber number{truncate(plan.number, length), length};
  if (plan.level == EncryptionLevel::one_rtt) {
    const ShortHeader header{plan.dcid, plan.spin, key_phase, plan.fixed_bit};
    return write_short_header(out, header, number);
  }
  const LongHeader header{packet_type_of(plan.level), plan.dcid, plan.scid, plan.token, plan.fixed_bit, plan.version};
  return write_long_header(out, header, number);
}

}  // namespace

PacketBuilder::PacketBuilder(const PacketPlan& plan, KeyRing& keys, DatagramWriter& writer)
    : plan_(plan), keys_(keys), writer_(writer), packet_(writer.room()) {
  if (!writer.can_commit()) return;
  ByteWriter out(packet_);
  const auto layout = write_header(plan, keys.write_key_phase(), out);
  if (!layout) return;
  layout_ = *layout;
  std::size_t end = packet_.size();
  if (layout_.length_offset != 0) end = std::min(end, layout_.packet_number_offset + kMaxLengthField);
  const std::size_t smallest = layout_.packet_number_offset + kMinNumberAndPayload + kAeadTagSize;
  if (end < smallest) return;
  room_ = packet_.subspan(layout_.size, end - kAeadTagSize - layout_.size);
}

BuiltPacket PacketBuilder::finish(std::size_t payload_size, std::size_t pad_datagram_to) {
  MPQUIC_CHECK(payload_size <= room_.size());
  const std::size_t number_length = layout_.size - layout_.packet_number_offset;
  const std::size_t overhead = writer_.datagram_size() + layout_.size + kAeadTagSize;
  const std::size_t for_datagram = pad_datagram_to > overhead ? pad_datagram_to - overhead : 0;
  const std::size_t for_sample = kMinNumberAndPayload - std::min(kMinNumberAndPayload, number_length);
  const std::size_t padded = std::min(std::max({payload_size, for_datagram, for_sample}), room_.size());
  MPQUIC_CHECK(padded > 0);
  std::fill_n(room_.begin() + static_cast<std::ptrdiff_t>(payload_size), padded - payload_size, std::byte{0});

  const BuiltPacket built{.size = layout_.size + padded + kAeadTagSize, .padding = padded - payload_size};
  const MutableBytes packet = packet_.first(built.size);
  if (layout_.length_offset != 0) patch_length(packet, layout_);
  keys_.seal(plan_.level, plan_.path, plan_.number, packet.first(layout_.size), packet.subspan(layout_.size));
  writer_.commit(plan_.level, built.size, layout_.packet_number_offset);
  room_ = {};
  return built;
}

}  // namespace mpquic
