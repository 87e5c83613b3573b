// RFC 9001 appendix A, as far as it can be read without keys.
#pragma once

#include <string_view>

namespace mpquic::rfc9001 {

/// A.2: the client's Initial, unprotected header (packet number 2 in 4 bytes); the packet has 1,200 bytes.
inline constexpr std::string_view kClientInitialHeader = "c300000001088394c8f03e5157080000449e00000002";
/// A.2: the same after header protection.
inline constexpr std::string_view kClientInitialProtectedHeader = "c000000001088394c8f03e5157080000449e7b9aec34";
inline constexpr std::string_view kClientDestinationId = "8394c8f03e515708";
/// A.3: the server's Initial: header (packet number 1 in 2 bytes) and payload (ACK and CRYPTO).
inline constexpr std::string_view kServerInitialHeader = "c1000000010008f067a5502a4262b50040750001";
inline constexpr std::string_view kServerInitialPayload =
    "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e0033"
    "0024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304";
inline constexpr std::string_view kServerSourceId = "f067a5502a4262b5";
/// A.4: Retry with the token "token".
inline constexpr std::string_view kRetry = "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba";
inline constexpr std::string_view kRetryTag = "04a265ba2eff4d829058fb3f0f2496ba";
/// A.5: packet number 654360564 in 3 bytes, no connection ID, payload PING.
inline constexpr std::string_view kShortHeader = "4200bff4";
inline constexpr std::string_view kShortPacket = "4cfe4189655e5cd55c41f69080575d7999c25a5bfc";

}  // namespace mpquic::rfc9001
