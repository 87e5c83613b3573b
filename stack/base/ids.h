// The identifiers and enumerations that every room shares.
#pragma once

#include <cstdint>

#include "stack/base/strong.h"

namespace mpquic {

/// draft-ietf-quic-multipath-21 §2.1: 0 .. 2^32-1, never reused within a connection.
using PathId = Strong<struct PathIdTag, std::uint32_t>;
/// RFC 9000 §12.3: 0 .. 2^62-1, one space per encryption level and, in 1-RTT, per path ID.
using PacketNumber = Strong<struct PacketNumberTag, std::uint64_t>;
/// RFC 9000 §2.1.
using StreamId = Strong<struct StreamIdTag, std::uint64_t>;
using ByteCount = Quantity<struct ByteCountTag, std::uint64_t>;

inline constexpr PathId kInitialPath{0};
inline constexpr std::uint64_t kMaxVarint = (std::uint64_t{1} << 62) - 1;
/// RFC 9000 §14.1: the smallest allowed maximum datagram size, and the size that Initial datagrams are padded to.
inline constexpr std::size_t kMinInitialDatagram = 1200;
/// The largest UDP payload that this stack sends or parses.
inline constexpr std::size_t kMaxDatagram = 65527;

enum class Role : std::uint8_t { client, server };
[[nodiscard]] constexpr Role peer_of(Role role) { return role == Role::client ? Role::server : Role::client; }

/// RFC 9001 §2.1. 0-RTT packets are parsed and counted but not processed (docs/adr/0005).
enum class EncryptionLevel : std::uint8_t { initial, zero_rtt, handshake, one_rtt };

/// RFC 9000 §12.3: 0-RTT and 1-RTT share the application space.
enum class SpaceId : std::uint8_t { initial, handshake, application };
inline constexpr std::size_t kSpaceCount = 3;

[[nodiscard]] constexpr SpaceId space_of(EncryptionLevel level) {
  switch (level) {
    case EncryptionLevel::initial: return SpaceId::initial;
    case EncryptionLevel::handshake: return SpaceId::handshake;
    case EncryptionLevel::zero_rtt:
    case EncryptionLevel::one_rtt: break;
  }
  return SpaceId::application;
}

[[nodiscard]] constexpr EncryptionLevel level_of(SpaceId space) {
  switch (space) {
    case SpaceId::initial: return EncryptionLevel::initial;
    case SpaceId::handshake: return EncryptionLevel::handshake;
    case SpaceId::application: break;
  }
  return EncryptionLevel::one_rtt;
}

enum class Directionality : std::uint8_t { bidirectional, unidirectional };

/// RFC 9000 §2.1, table 1.
[[nodiscard]] constexpr Role initiator_of(StreamId id) { return (id.value() & 0x1) == 0 ? Role::client : Role::server; }
[[nodiscard]] constexpr Directionality directionality_of(StreamId id) {
  return (id.value() & 0x2) == 0 ? Directionality::bidirectional : Directionality::unidirectional;
}
[[nodiscard]] constexpr StreamId make_stream_id(Role initiator, Directionality dir, std::uint64_t ordinal) {
  return StreamId{ordinal << 2 | (dir == Directionality::unidirectional ? 0x2U : 0U) |
                  (initiator == Role::server ? 0x1U : 0U)};
}
[[nodiscard]] constexpr std::uint64_t ordinal_of(StreamId id) { return id.value() >> 2; }

/// RFC 3168 code points, as in the IP header's ECN field.
enum class Ecn : std::uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

}  // namespace mpquic
