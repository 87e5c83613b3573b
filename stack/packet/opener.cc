#include "stack/packet/opener.h"

#include "stack/crypto/header_protection.h"
#include "stack/crypto/suite.h"
#include "stack/wire/packet_number.h"

namespace mpquic {
namespace {

std::uint32_t read_truncated(Bytes number) {
  std::uint32_t value = 0;
  for (const std::byte byte : number) value = value << 8 | std::to_integer<std::uint32_t>(byte);
  return value;
}

bool has(std::byte first, std::uint8_t bits) { return (std::to_integer<std::uint8_t>(first) & bits) != 0; }

}  // namespace

std::expected<OpenedPacket, OpenFailure> PacketOpener::open(const ProtectedPacket& packet, KeyRing& keys,
                                                            const OpenContext& context) const {
  const auto level = level_of(packet.type);
  if (!level) return std::unexpected(DropReason::unexpected_packet_type);
  if (!keys.has_read(*level)) return std::unexpected(DropReason::keys_unavailable);

  // RFC 9001 §5.4.2: the sample starts where the payload would after a packet number of four bytes. Whatever number it
  // turns out to have, a packet that long also has room for the tag.
  const std::size_t sample_offset = packet.packet_number_offset + kHeaderProtectionSampleOffset;
  if (packet.bytes.size() < sample_offset + kHeaderProtectionSampleSize)
    return std::unexpected(DropReason::malformed_header);
  const HeaderMask mask = keys.read_mask(*level, packet.bytes.subspan(sample_offset, kHeaderProtectionSampleSize));
  const std::size_t number_length = remove_header_mask(mask, packet.bytes, packet.packet_number_offset);

  const bool one_rtt = *level == EncryptionLevel::one_rtt;
  const std::byte first = packet.bytes[0];
  const std::size_t header_size = packet.packet_number_offset + number_length;
  const std::uint32_t truncated = read_truncated(packet.bytes.subspan(packet.packet_number_offset, number_length));
  const UnprotectedPacket unprotected{
      .level = *level,
      .path = one_rtt ? context.path : kInitialPath,
      .number = expand_packet_number(truncated, number_length, context.largest_received),
      .key_phase = one_rtt && has(first, first_byte::kKeyPhase),
      .header = packet.bytes.first(header_size),
      .payload = packet.bytes.subspan(header_size),
  };
  const auto opened = keys.open(unprotected, context.now);
  if (!opened) return std::unexpected(opened.error());

  // Only now is any of it the peer's own word. RFC 9000 §17.2, §17.3.1: reserved bits are 0; §12.4: there are frames.
  if (has(first, one_rtt ? first_byte::kShortReserved : first_byte::kLongReserved))
    return std::unexpected(TransportError{error::kProtocolViolation, "reserved header bits are not zero"});
  const Bytes payload = unprotected.payload.first(unprotected.payload.size() - kAeadTagSize);
  if (payload.empty()) return std::unexpected(TransportError{error::kProtocolViolation, "packet without frames"});
  return OpenedPacket{
      .level = *level,
      .path = unprotected.path,
      .number = unprotected.number,
      .payload = payload,
      .spin = one_rtt && has(first, first_byte::kSpinBit),
      .key_phase_changed = opened->key_phase_changed,
      .previous_generation = opened->previous_generation,
  };
}

}  // namespace mpquic
