// qlog's words for our values, and small structures that events and frames share.
#pragma once

#include <cstdint>
#include <string_view>

#include "stack/base/address.h"
#include "stack/base/drop_reason.h"
#include "stack/base/ids.h"
#include "stack/trace/json_writer.h"

namespace mpquic::trace {

[[nodiscard]] std::string_view qlog_name(Role role);
/// quic-events §8.6.
[[nodiscard]] std::string_view packet_type_of(EncryptionLevel level);
[[nodiscard]] std::string_view qlog_name(Ecn ecn);
/// The trigger of quic:packet_dropped (quic-events §5.7) that our reason falls under.
[[nodiscard]] std::string_view drop_trigger(DropReason reason);

/// `key` with the name of a transport error (quic-events §8.13.24, draft-ietf-quic-multipath-21 §8), CryptoError for
/// TLS alerts, or "unknown" and the code in "error_code".
void write_transport_error(JsonWriter& json, std::string_view key, std::uint64_t code);

/// ip_v4 and port_v4, or ip_v6 and port_v6 (quic-events §8.5). Nothing for an unspecified address.
void write_endpoint_fields(JsonWriter& json, const SocketAddress& address);

}  // namespace mpquic::trace
