// Transport parameters: RFC 9000 §18, RFC 9221 §3, RFC 9287 §3, draft-ietf-quic-multipath-21 §2.1 and our extensions:
// address advertisement and numbered datagrams.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/address.h"
#include "stack/base/bytes.h"
#include "stack/base/connection_id.h"
#include "stack/base/ids.h"
#include "stack/base/result.h"

namespace mpquic {

namespace transport_parameter {
inline constexpr std::uint64_t kOriginalDestinationConnectionId = 0x00;
inline constexpr std::uint64_t kMaxIdleTimeout = 0x01;
inline constexpr std::uint64_t kStatelessResetToken = 0x02;
inline constexpr std::uint64_t kMaxUdpPayloadSize = 0x03;
inline constexpr std::uint64_t kInitialMaxData = 0x04;
inline constexpr std::uint64_t kInitialMaxStreamDataBidiLocal = 0x05;
inline constexpr std::uint64_t kInitialMaxStreamDataBidiRemote = 0x06;
inline constexpr std::uint64_t kInitialMaxStreamDataUni = 0x07;
inline constexpr std::uint64_t kInitialMaxStreamsBidi = 0x08;
inline constexpr std::uint64_t kInitialMaxStreamsUni = 0x09;
inline constexpr std::uint64_t kAckDelayExponent = 0x0a;
inline constexpr std::uint64_t kMaxAckDelay = 0x0b;
inline constexpr std::uint64_t kDisableActiveMigration = 0x0c;
inline constexpr std::uint64_t kPreferredAddress = 0x0d;
inline constexpr std::uint64_t kActiveConnectionIdLimit = 0x0e;
inline constexpr std::uint64_t kInitialSourceConnectionId = 0x0f;
inline constexpr std::uint64_t kRetrySourceConnectionId = 0x10;
inline constexpr std::uint64_t kMaxDatagramFrameSize = 0x20;
inline constexpr std::uint64_t kInitialMaxPathId = 0x3e;
inline constexpr std::uint64_t kGreaseQuicBit = 0x2ab2;
inline constexpr std::uint64_t kAddressAdvertisement = 0x1f0f9c0d2a;
inline constexpr std::uint64_t kNumberedDatagrams = 0x1f0f9c0d2b;
/// 31 * N + 27 is reserved to exercise that unknown parameters are ignored (RFC 9000 §18.1).
[[nodiscard]] constexpr std::uint64_t reserved(std::uint64_t n) { return 31 * n + 27; }
}  // namespace transport_parameter

inline constexpr std::uint64_t kMaxAckDelayExponent = 20;
inline constexpr std::uint64_t kMaxMaxAckDelay = (std::uint64_t{1} << 14) - 1;  // milliseconds
inline constexpr std::uint64_t kMinMaxUdpPayloadSize = 1200;
inline constexpr std::uint64_t kMinActiveConnectionIdLimit = 2;
inline constexpr std::uint64_t kMaxStreamCount = std::uint64_t{1} << 60;  // RFC 9000 §4.6
inline constexpr std::uint64_t kMaxPathIdValue = UINT32_MAX;              // draft-21 §2.1
/// Largest N whose reserved parameter ID is still a varint.
inline constexpr std::uint64_t kMaxReservedNumber = (kMaxVarint - 27) / 31;

/// An address that is not offered is unspecified with port 0 (RFC 9000 §18.2).
struct PreferredAddress {
  SocketAddress v4{IpAddress::v4({}), 0};
  SocketAddress v6{IpAddress::v6({}), 0};
  ConnectionId id;  // not empty; sequence number 1 of path 0
  StatelessResetToken reset_token{};
  bool operator==(const PreferredAddress&) const = default;
};

/// Values are as on the wire; the defaults are those of an absent parameter.
struct TransportParameters {
  std::optional<ConnectionId> original_destination_connection_id;  // server only
  std::uint64_t max_idle_timeout = 0;                              // milliseconds; 0: none
  std::optional<StatelessResetToken> stateless_reset_token;        // server only
  std::uint64_t max_udp_payload_size = kMaxDatagram;
  std::uint64_t initial_max_data = 0;
  std::uint64_t initial_max_stream_data_bidi_local = 0;
  std::uint64_t initial_max_stream_data_bidi_remote = 0;
  std::uint64_t initial_max_stream_data_uni = 0;
  std::uint64_t initial_max_streams_bidi = 0;
  std::uint64_t initial_max_streams_uni = 0;
  std::uint64_t ack_delay_exponent = 3;
  std::uint64_t max_ack_delay = 25;  // milliseconds
  bool disable_active_migration = false;
  std::optional<PreferredAddress> preferred_address;  // server only
  std::uint64_t active_connection_id_limit = kMinActiveConnectionIdLimit;
  std::optional<ConnectionId> initial_source_connection_id;
  std::optional<ConnectionId> retry_source_connection_id;  // server only
  std::uint64_t max_datagram_frame_size = 0;
  bool grease_quic_bit = false;
  std::optional<std::uint64_t> initial_max_path_id;  // present: multipath is offered, be it 0
  bool address_advertisement = false;
  bool numbered_datagrams = false;  // NUMBERED_DATAGRAM is understood, and each number delivered once
  /// Sends the reserved parameter 31 * N + 27, empty. Never set by decode().
  std::optional<std::uint64_t> reserved_number;
  bool operator==(const TransportParameters&) const = default;
};

/// Appends to `out`. Defaults are left out, and server-only parameters where `sender` is a client.
void encode(const TransportParameters& parameters, Role sender, std::vector<std::byte>& out);

/// What `sender` sent. Errors are TRANSPORT_PARAMETER_ERROR (RFC 9000 §7.4, §18.2). Whether the connection IDs are
/// present and right (§7.3) is for the handshake to check.
[[nodiscard]] Result<TransportParameters> decode(Bytes encoded, Role sender);

}  // namespace mpquic
