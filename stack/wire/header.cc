#include "stack/wire/header.h"

#include <algorithm>

namespace mpquic {
namespace {

constexpr std::size_t kLengthFieldSize = 2;

/// The two bits of the long packet type, RFC 9000 table 5.
enum class LongType : std::uint8_t { initial = 0, zero_rtt = 1, handshake = 2, retry = 3 };

constexpr PacketType packet_type_of(LongType type) {
  switch (type) {
    case LongType::initial: return PacketType::initial;
    case LongType::zero_rtt: return PacketType::zero_rtt;
    case LongType::handshake: return PacketType::handshake;
    case LongType::retry: break;
  }
  return PacketType::retry;
}

constexpr std::uint8_t type_bits(PacketType type) {
  switch (type) {
    case PacketType::zero_rtt: return static_cast<std::uint8_t>(LongType::zero_rtt) << 4;
    case PacketType::handshake: return static_cast<std::uint8_t>(LongType::handshake) << 4;
    case PacketType::retry: return static_cast<std::uint8_t>(LongType::retry) << 4;
    case PacketType::initial:
    case PacketType::version_negotiation:
    case PacketType::one_rtt: break;
  }
  return 0;
}

[[nodiscard]] std::optional<Bytes> read_connection_id(ByteReader& reader) {
  const auto length = reader.read_u8();
  return length ? reader.read_bytes(*length) : std::nullopt;
}

[[nodiscard]] bool write_connection_id(ByteWriter& out, Bytes id) {
  return out.write_u8(static_cast<std::uint8_t>(id.size())) && out.write_bytes(id);
}

void write_packet_number(MutableBytes out, TruncatedPacketNumber number) {
  for (std::size_t i = 0; i < number.length; ++i) {
    out[i] = static_cast<std::byte>(number.value >> (8 * (number.length - 1 - i)));
  }
}

/// The part that Initial, 0-RTT, Handshake and Retry share, but for the first byte.
[[nodiscard]] bool write_version_and_ids(ByteWriter& out, std::uint32_t version, Bytes dcid, Bytes scid) {
  return out.write_u32(version) && write_connection_id(out, dcid) && write_connection_id(out, scid);
}

/// Leaves the reader at the first byte that RFC 8999 does not define.
[[nodiscard]] std::optional<InvariantHeader> read_invariants(ByteReader& reader, std::size_t short_dcid_length) {
  const auto first = reader.read_u8();
  if (!first) return std::nullopt;
  InvariantHeader header;
  header.long_form = (*first & first_byte::kLongForm) != 0;
  if (!header.long_form) {
    const auto dcid = reader.read_bytes(short_dcid_length);
    if (!dcid) return std::nullopt;
    header.dcid = *dcid;
    return header;
  }
  const auto version = reader.read_u32();
  if (!version) return std::nullopt;
  const auto dcid = read_connection_id(reader);
  if (!dcid) return std::nullopt;
  const auto scid = read_connection_id(reader);
  if (!scid) return std::nullopt;
  header.version = *version;
  header.dcid = *dcid;
  header.scid = *scid;
  return header;
}

/// The rest of the datagram belongs to this packet: Retry, Version Negotiation and 1-RTT have no Length.
void take_all(ProtectedPacket& packet, MutableBytes datagram) {
  packet.bytes = datagram;
  packet.consumed = datagram.size();
}

[[nodiscard]] bool parse_version_negotiation(ProtectedPacket& packet, ByteReader& reader, MutableBytes datagram) {
  packet.type = PacketType::version_negotiation;
  packet.supported_versions = reader.read_rest();
  if (packet.supported_versions.empty() || packet.supported_versions.size() % sizeof(std::uint32_t) != 0) return false;
  take_all(packet, datagram);
  return true;
}

[[nodiscard]] bool parse_retry(ProtectedPacket& packet, ByteReader& reader, MutableBytes datagram) {
  // RFC 9000 §17.2.5.2: a client MUST discard a Retry packet with an empty token.
  if (reader.remaining() <= kRetryIntegrityTagSize) return false;
  const Bytes rest = reader.read_rest();
  packet.token = rest.first(rest.size() - kRetryIntegrityTagSize);
  packet.retry_integrity_tag = rest.last(kRetryIntegrityTagSize);
  take_all(packet, datagram);
  return true;
}

[[nodiscard]] bool parse_long(ProtectedPacket& packet, ByteReader& reader, MutableBytes datagram) {
  if (packet.type == PacketType::initial) {
    const auto token = reader.read_prefixed_bytes();
    if (!token) return false;
    packet.token = *token;
  }
  const auto length = reader.read_varint();
  if (!length || *length == 0 || *length > reader.remaining()) return false;
  packet.packet_number_offset = reader.position();
  packet.consumed = reader.position() + static_cast<std::size_t>(*length);
  packet.bytes = datagram.first(packet.consumed);
  return true;
}

/// All that comes after the invariants. False: malformed.
[[nodiscard]] bool parse_version1(ProtectedPacket& packet, std::uint8_t first, ByteReader& reader,
                                  MutableBytes datagram) {
  packet.type = packet_type_of(static_cast<LongType>((first >> 4) & 0x3));
  return packet.type == PacketType::retry ? parse_retry(packet, reader, datagram)
                                          : parse_long(packet, reader, datagram);
}

[[nodiscard]] std::optional<DropReason> parse_into(ProtectedPacket& packet, MutableBytes datagram_rest,
                                                   std::size_t short_dcid_length) {
  constexpr auto malformed = DropReason::malformed_header;
  ByteReader reader(datagram_rest);
  const auto invariants = read_invariants(reader, short_dcid_length);
  if (!invariants) return malformed;
  const auto first = std::to_integer<std::uint8_t>(datagram_rest[0]);

  const bool negotiation = invariants->long_form && invariants->version == kVersionNegotiation;
  if (invariants->long_form && !negotiation && invariants->version != kVersion1) return DropReason::unsupported_version;
  // Version 1 never has longer ones (RFC 9000 §17.2), so an answer to one of our packets cannot either.
  if (std::max(invariants->dcid.size(), invariants->scid.size()) > ConnectionId::kMaxLength) return malformed;

  packet.dcid = invariants->dcid;
  packet.scid = invariants->scid;
  packet.fixed_bit = (first & first_byte::kFixedBit) != 0;
  if (!invariants->long_form) {
    if (reader.empty()) return malformed;
    packet.packet_number_offset = reader.position();
    take_all(packet, datagram_rest);
    return std::nullopt;
  }
  packet.version = invariants->version;
  const bool good = negotiation ? parse_version_negotiation(packet, reader, datagram_rest)
                                : parse_version1(packet, first, reader, datagram_rest);
  return good ? std::nullopt : std::optional(malformed);
}

}  // namespace

std::optional<InvariantHeader> parse_invariants(Bytes datagram, std::size_t short_dcid_length) {
  ByteReader reader(datagram);
  return read_invariants(reader, short_dcid_length);
}

std::expected<ProtectedPacket, DropReason> parse_packet(MutableBytes datagram_rest, std::size_t short_dcid_length) {
  std::expected<ProtectedPacket, DropReason> parsed;  // filled where it stands
  if (const auto refused = parse_into(*parsed, datagram_rest, short_dcid_length)) parsed = std::unexpected(*refused);
  return parsed;
}

bool lists_version(Bytes supported_versions, std::uint32_t version) {
  ByteReader reader(supported_versions);
  while (const auto listed = reader.read_u32()) {
    if (*listed == version) return true;
  }
  return false;
}

std::size_t header_size(const LongHeader& header, std::size_t packet_number_length) {
  const std::size_t token_size =
      header.type == PacketType::initial ? varint_size(header.token.size()) + header.token.size() : 0;
  return 1 + sizeof(kVersion1) + 1 + header.dcid.size() + 1 + header.scid.size() + token_size + kLengthFieldSize +
         packet_number_length;
}

std::size_t header_size(const ShortHeader& header, std::size_t packet_number_length) {
  return 1 + header.dcid.size() + packet_number_length;
}

std::optional<HeaderLayout> write_long_header(ByteWriter& out, const LongHeader& header, TruncatedPacketNumber number) {
  MPQUIC_DCHECK(number.length >= 1 && number.length <= kMaxPacketNumberLength);
  if (header_size(header, number.length) > out.remaining()) return std::nullopt;
  const std::size_t start = out.size();
  const auto first = static_cast<std::uint8_t>(first_byte::kLongForm | (header.fixed_bit ? first_byte::kFixedBit : 0) |
                                               type_bits(header.type) | (number.length - 1));
  bool complete =
      out.write_u8(first) && write_version_and_ids(out, header.version, header.dcid.bytes(), header.scid.bytes());
  if (header.type == PacketType::initial) complete = complete && out.write_prefixed_bytes(header.token);
  HeaderLayout layout;
  layout.length_offset = out.size() - start;
  complete = complete && out.write_varint2(0);
  layout.packet_number_offset = out.size() - start;
  const auto packet_number = out.reserve(number.length);
  MPQUIC_CHECK(complete && packet_number);
  write_packet_number(*packet_number, number);
  layout.size = out.size() - start;
  return layout;
}

std::optional<HeaderLayout> write_short_header(ByteWriter& out, const ShortHeader& header,
                                               TruncatedPacketNumber number) {
  MPQUIC_DCHECK(number.length >= 1 && number.length <= kMaxPacketNumberLength);
  if (header_size(header, number.length) > out.remaining()) return std::nullopt;
  const std::size_t start = out.size();
  const auto first = static_cast<std::uint8_t>((header.fixed_bit ? first_byte::kFixedBit : 0) |
                                               (header.spin ? first_byte::kSpinBit : 0) |
                                               (header.key_phase ? first_byte::kKeyPhase : 0) | (number.length - 1));
  const bool complete = out.write_u8(first) && out.write_bytes(header.dcid.bytes());
  HeaderLayout layout;
  layout.packet_number_offset = out.size() - start;
  const auto packet_number = out.reserve(number.length);
  MPQUIC_CHECK(complete && packet_number);
  write_packet_number(*packet_number, number);
  layout.size = out.size() - start;
  return layout;
}

void patch_length(MutableBytes packet, const HeaderLayout& layout) {
  MPQUIC_CHECK(layout.length_offset != 0 && packet.size() >= layout.packet_number_offset);
  const std::size_t length = packet.size() - layout.packet_number_offset;
  MPQUIC_CHECK(length <= kMaxVarint2);
  write_varint_sized(packet.data() + layout.length_offset, length, kLengthFieldSize);
}

bool write_version_negotiation(ByteWriter& out, const VersionNegotiation& packet) {
  const std::size_t start = out.size();
  // RFC 9000 §17.2.1: the bit that is fixed in version 1 SHOULD be 1, so that other protocols can be told apart.
  const auto first = static_cast<std::uint8_t>(first_byte::kLongForm | first_byte::kFixedBit | packet.unused);
  bool complete = out.write_u8(first) && write_version_and_ids(out, kVersionNegotiation, packet.dcid, packet.scid);
  for (const std::uint32_t version : packet.versions) complete = complete && out.write_u32(version);
  if (!complete) out.truncate(start);
  return complete;
}

bool write_retry(ByteWriter& out, const RetryHeader& packet) {
  MPQUIC_DCHECK(!packet.token.empty());
  const std::size_t start = out.size();
  const auto first = static_cast<std::uint8_t>(first_byte::kLongForm | first_byte::kFixedBit |
                                               type_bits(PacketType::retry) | (packet.unused & 0x0f));
  const bool complete = out.write_u8(first) &&
                        write_version_and_ids(out, kVersion1, packet.dcid.bytes(), packet.scid.bytes()) &&
                        out.write_bytes(packet.token);
  if (!complete) out.truncate(start);
  return complete;
}

}  // namespace mpquic
