#include "stack/base/drop_reason.h"

namespace mpquic {

std::string_view name_of(DropReason reason) {
  static constexpr std::array<std::string_view, kDropReasonCount> kNames = {
      "malformed_header",   "unsupported_version", "unknown_connection",     "datagram_too_small",
      "keys_unavailable",   "decryption_failed",   "duplicate_packet",       "packet_too_old",
      "invalid_token",      "invalid_retry",       "unexpected_packet_type", "path_refused",
      "path_abandoned",     "connection_limit",    "rate_limited",           "closing",
      "coalesced_mismatch", "unknown_address",     "impossible_source"};
  const auto index = static_cast<std::size_t>(reason);
  return index < kNames.size() ? kNames[index] : "unknown";
}

}  // namespace mpquic
