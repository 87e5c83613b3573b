// Why a packet that could not be authenticated, or must not be processed, was dropped. Drops never close a connection.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mpquic {

enum class DropReason : std::uint8_t {
  malformed_header,        // not parseable as any QUIC packet of RFC 8999/9000
  unsupported_version,     // a version that we do not speak and may not answer
  unknown_connection,      // no connection owns this destination connection ID
  datagram_too_small,      // Initial in a datagram under 1200 bytes (RFC 9000 §14.1)
  keys_unavailable,        // keys not yet installed, or already discarded
  decryption_failed,       // AEAD failure: forged, corrupted, or the wrong keys
  duplicate_packet,        // packet number seen before
  packet_too_old,          // packet number below everything that we still track
  invalid_token,           // Retry or NEW_TOKEN token that does not verify
  invalid_retry,           // Retry integrity tag or state wrong
  unexpected_packet_type,  // for example 0-RTT, or a server packet sent to a server
  path_refused,            // path ID that we may not use any more, or over a limit
  path_abandoned,          // late packet of a path whose state is gone
  connection_limit,        // too many connections, half-open ones included
  rate_limited,            // an answer (reset, version negotiation, Retry) was withheld
  closing,                 // the connection is closing or draining
  coalesced_mismatch,      // coalesced packets with different connection IDs (RFC 9000 §12.2)
  unknown_address,         // a client got a packet from an address that is no path's (RFC 9000 §9)
  impossible_source,       // nobody can be answered there: port 0, a multicast or broadcast address, our own
  count_,
};

inline constexpr std::size_t kDropReasonCount = static_cast<std::size_t>(DropReason::count_);
using DropCounters = std::array<std::uint64_t, kDropReasonCount>;

[[nodiscard]] std::string_view name_of(DropReason reason);

}  // namespace mpquic
