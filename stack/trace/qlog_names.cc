#include "stack/trace/qlog_names.h"

#include <algorithm>
#include <array>
#include <string>

#include "stack/base/result.h"

namespace mpquic::trace {
namespace {

struct ErrorName {
  std::uint64_t code;
  std::string_view name;
};

constexpr std::array kTransportErrors = {
    ErrorName{error::kNoError, "no_error"},
    ErrorName{error::kInternalError, "internal_error"},
    ErrorName{error::kConnectionRefused, "connection_refused"},
    ErrorName{error::kFlowControlError, "flow_control_error"},
    ErrorName{error::kStreamLimitError, "stream_limit_error"},
    ErrorName{error::kStreamStateError, "stream_state_error"},
    ErrorName{error::kFinalSizeError, "final_size_error"},
    ErrorName{error::kFrameEncodingError, "frame_encoding_error"},
    ErrorName{error::kTransportParameterError, "transport_parameter_error"},
    ErrorName{error::kConnectionIdLimitError, "connection_id_limit_error"},
    ErrorName{error::kProtocolViolation, "protocol_violation"},
    ErrorName{error::kInvalidToken, "invalid_token"},
    ErrorName{error::kApplicationError, "application_error"},
    ErrorName{error::kCryptoBufferExceeded, "crypto_buffer_exceeded"},
    ErrorName{error::kKeyUpdateError, "key_update_error"},
    ErrorName{error::kAeadLimitReached, "aead_limit_reached"},
    ErrorName{error::kNoViablePath, "no_viable_path"},
    ErrorName{error::kApplicationAbandonPath, "application_abandon_path"},
    ErrorName{error::kPathResourceLimitReached, "path_resource_limit_reached"},
    ErrorName{error::kPathUnstableOrPoor, "path_unstable_or_poor"},
    ErrorName{error::kNoCidAvailableForPath, "no_cid_available_for_path"},
};
constexpr std::uint64_t kCryptoErrors = 0x100;  // RFC 9001 §4.8: one for each TLS alert

}  // namespace

std::string_view qlog_name(Role role) { return role == Role::client ? "client" : "server"; }

std::string_view packet_type_of(EncryptionLevel level) {
  switch (level) {
    case EncryptionLevel::initial: return "initial";
    case EncryptionLevel::zero_rtt: return "0RTT";
    case EncryptionLevel::handshake: return "handshake";
    case EncryptionLevel::one_rtt: break;
  }
  return "1RTT";
}

std::string_view qlog_name(Ecn ecn) {
  switch (ecn) {
    case Ecn::not_ect: return "Not-ECT";
    case Ecn::ect1: return "ECT(1)";
    case Ecn::ect0: return "ECT(0)";
    case Ecn::ce: break;
  }
  return "CE";
}

std::string_view drop_trigger(DropReason reason) {
  switch (reason) {
    case DropReason::unsupported_version: return "unsupported";
    case DropReason::unknown_connection: return "connection_unknown";
    case DropReason::keys_unavailable: return "key_unavailable";
    case DropReason::decryption_failed: return "decryption_failure";
    case DropReason::duplicate_packet:
    case DropReason::packet_too_old: return "duplicate";
    case DropReason::path_refused:
    case DropReason::connection_limit:
    case DropReason::rate_limited:
    case DropReason::unknown_address:
    case DropReason::impossible_source: return "rejected";
    case DropReason::malformed_header:
    case DropReason::datagram_too_small:
    case DropReason::invalid_token:
    case DropReason::invalid_retry:
    case DropReason::unexpected_packet_type:
    case DropReason::coalesced_mismatch: return "invalid";
    case DropReason::path_abandoned:
    case DropReason::closing:
    case DropReason::count_: break;
  }
  return "general";
}

void write_transport_error(JsonWriter& json, std::string_view key, std::uint64_t code) {
  const auto known = std::ranges::find(kTransportErrors, code, &ErrorName::code);
  if (known != kTransportErrors.end()) return json.field(key, known->name);
  if (code >= error::kCryptoErrorBase && code < error::kCryptoErrorBase + kCryptoErrors) {
    constexpr std::string_view kHexDigits = "0123456789abcdef";
    std::string name = "crypto_error_0x1";
    name += kHexDigits[(code >> 4) & 0xf];
    name += kHexDigits[code & 0xf];
    return json.field(key, std::string_view(name));
  }
  json.field(key, "unknown");
  json.field("error_code", code);
}

void write_endpoint_fields(JsonWriter& json, const SocketAddress& address) {
  if (address.ip.family() == IpAddress::Family::none) return;
  const bool v4 = address.ip.family() == IpAddress::Family::v4;
  json.field(v4 ? "ip_v4" : "ip_v6", address.ip.to_string());
  json.field(v4 ? "port_v4" : "port_v6", std::uint64_t{address.port});
}

}  // namespace mpquic::trace
