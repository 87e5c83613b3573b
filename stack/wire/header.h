// Packet headers: RFC 8999 (every version) and RFC 9000 §17 (version 1), before header protection is removed and
// before it is applied. Parsing needs no keys and trusts nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "stack/base/bytes.h"
#include "stack/base/connection_id.h"
#include "stack/base/drop_reason.h"
#include "stack/base/ids.h"
#include "stack/wire/cursor.h"
#include "stack/wire/packet_number.h"

namespace mpquic {

inline constexpr std::uint32_t kVersion1 = 1;
/// The version of a Version Negotiation packet (RFC 8999 §6).
inline constexpr std::uint32_t kVersionNegotiation = 0;
/// RFC 9000 §17.2.5.
inline constexpr std::size_t kRetryIntegrityTagSize = 16;

/// Bits of the first byte. Those below kFixedBit are protected, but in Retry and Version Negotiation.
namespace first_byte {
inline constexpr std::uint8_t kLongForm = 0x80;
inline constexpr std::uint8_t kFixedBit = 0x40;
inline constexpr std::uint8_t kSpinBit = 0x20;
inline constexpr std::uint8_t kKeyPhase = 0x04;
inline constexpr std::uint8_t kLongReserved = 0x0c;        // must be 0 under protection (RFC 9000 §17.2)
inline constexpr std::uint8_t kShortReserved = 0x18;       // likewise (§17.3.1)
inline constexpr std::uint8_t kPacketNumberLength = 0x03;  // minus one
}  // namespace first_byte

enum class PacketType : std::uint8_t { initial, zero_rtt, handshake, retry, version_negotiation, one_rtt };

/// The keys that protect this type. Retry and Version Negotiation have none.
[[nodiscard]] constexpr std::optional<EncryptionLevel> level_of(PacketType type) {
  switch (type) {
    case PacketType::initial: return EncryptionLevel::initial;
    case PacketType::zero_rtt: return EncryptionLevel::zero_rtt;
    case PacketType::handshake: return EncryptionLevel::handshake;
    case PacketType::one_rtt: return EncryptionLevel::one_rtt;
    case PacketType::retry:
    case PacketType::version_negotiation: break;
  }
  return std::nullopt;
}
[[nodiscard]] constexpr PacketType packet_type_of(EncryptionLevel level) {
  switch (level) {
    case EncryptionLevel::initial: return PacketType::initial;
    case EncryptionLevel::zero_rtt: return PacketType::zero_rtt;
    case EncryptionLevel::handshake: return PacketType::handshake;
    case EncryptionLevel::one_rtt: break;
  }
  return PacketType::one_rtt;
}

/// What every version of QUIC has in common (RFC 8999): enough to route, and to answer with Version Negotiation.
struct InvariantHeader {
  bool long_form = false;
  std::uint32_t version = 0;  // long form only
  Bytes dcid;                 // up to 255 bytes in the long form
  Bytes scid;                 // long form only
};
/// `short_dcid_length` is the length of the connection IDs that we issue. nullopt: not QUIC at all.
[[nodiscard]] std::optional<InvariantHeader> parse_invariants(Bytes datagram, std::size_t short_dcid_length);

/// One packet of a datagram, still protected. All ranges lie in the datagram.
struct ProtectedPacket {
  PacketType type = PacketType::one_rtt;
  std::uint32_t version = kVersion1;
  Bytes dcid;                            // at most 20 bytes
  Bytes scid;                            // long headers; likewise
  Bytes token;                           // Initial (may be empty) and Retry (never is)
  Bytes retry_integrity_tag;             // Retry: 16 bytes
  Bytes supported_versions;              // Version Negotiation: at least one, four bytes each
  MutableBytes bytes;                    // exactly this packet, header included
  std::size_t packet_number_offset = 0;  // in `bytes`; at least one byte follows. 0 for Retry and Version Negotiation
  std::size_t consumed = 0;              // where in the given bytes the next coalesced packet starts
  bool fixed_bit = true;                 // false is for receivers that sent grease_quic_bit (RFC 9287), else a drop
};

/// The first packet of what is left of a datagram. Whether a header protection sample fits is for the opener to see.
/// `unsupported_version`: the rest is not ours to read, but parse_invariants() can.
[[nodiscard]] std::expected<ProtectedPacket, DropReason> parse_packet(MutableBytes datagram_rest,
                                                                      std::size_t short_dcid_length);

/// Whether a Version Negotiation packet lists `version`.
[[nodiscard]] bool lists_version(Bytes supported_versions, std::uint32_t version);

/// A packet number as a header carries it.
struct TruncatedPacketNumber {
  std::uint32_t value = 0;
  std::size_t length = 1;  // 1 to 4
};

/// Where the fields are that are filled in once the payload is there. Offsets count from the start of the packet.
struct HeaderLayout {
  std::size_t length_offset = 0;  // of the 2-byte Length field; 0 in short headers
  std::size_t packet_number_offset = 0;
  std::size_t size = 0;  // packet number included: where the payload starts
};

struct LongHeader {
  PacketType type = PacketType::initial;  // initial, zero_rtt or handshake
  const ConnectionId& dcid = kNoConnectionId;
  const ConnectionId& scid = kNoConnectionId;
  Bytes token{};  // Initial only
  bool fixed_bit = true;
  std::uint32_t version = kVersion1;  // another one only to be told no: our layout is that of version 1
};
struct ShortHeader {
  const ConnectionId& dcid = kNoConnectionId;
  bool spin = false;
  bool key_phase = false;
  bool fixed_bit = true;
};

[[nodiscard]] std::size_t header_size(const LongHeader& header, std::size_t packet_number_length);
[[nodiscard]] std::size_t header_size(const ShortHeader& header, std::size_t packet_number_length);

/// Unprotected headers with packet number, all or nothing. The long header's Length is a 2-byte placeholder:
/// patch_length() it when the payload's size is known.
[[nodiscard]] std::optional<HeaderLayout> write_long_header(ByteWriter& out, const LongHeader& header,
                                                            TruncatedPacketNumber number);
[[nodiscard]] std::optional<HeaderLayout> write_short_header(ByteWriter& out, const ShortHeader& header,
                                                             TruncatedPacketNumber number);
/// Sets the Length of `packet`, which is complete, authentication tag included, and at most 16,383 bytes after Length.
void patch_length(MutableBytes packet, const HeaderLayout& layout);

/// RFC 9000 §17.2.1. `dcid` and `scid` are the received ones, swapped by the caller; `unused` fills the seven bits that
/// should look random.
struct VersionNegotiation {
  Bytes dcid{};
  Bytes scid{};
  std::span<const std::uint32_t> versions{};
  std::uint8_t unused = 0;
};
[[nodiscard]] bool write_version_negotiation(ByteWriter& out, const VersionNegotiation& packet);

/// RFC 9000 §17.2.5, without the integrity tag that the crypto room computes and appends.
struct RetryHeader {
  ConnectionId dcid{};
  ConnectionId scid{};
  Bytes token{};  // not empty
  std::uint8_t unused = 0;
};
[[nodiscard]] bool write_retry(ByteWriter& out, const RetryHeader& packet);

}  // namespace mpquic
