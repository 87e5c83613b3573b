// What protects a connection before there are keys: Initial secrets (RFC 9001 §5.2) and the Retry integrity tag (§5.8).
#pragma once

#include <array>

#include "stack/base/bytes.h"
#include "stack/base/connection_id.h"
#include "stack/base/ids.h"
#include "stack/crypto/tls_session.h"

namespace mpquic {

struct InitialSecrets {
  TrafficSecret client;
  TrafficSecret server;
  [[nodiscard]] const TrafficSecret& of(Role role) const { return role == Role::client ? client : server; }
};

/// From the destination connection ID of the client's first Initial, or of its first one after a Retry. The salt is
/// that of version 1, also where an Initial claims another version to be told no: a server must not look behind the
/// version and the connection IDs of a version that it does not speak (RFC 9000 §5.2.2, RFC 8999 §4), so any protection
/// does.
[[nodiscard]] InitialSecrets derive_initial_secrets(const ConnectionId& client_dcid);

using RetryIntegrityTag = std::array<std::byte, 16>;

/// `retry_without_tag` is the whole packet but its last 16 bytes; `original_dcid` the DCID of the Initial it answers.
[[nodiscard]] RetryIntegrityTag retry_integrity_tag(const ConnectionId& original_dcid, Bytes retry_without_tag);
[[nodiscard]] bool verify_retry(const ConnectionId& original_dcid, Bytes retry_packet);

}  // namespace mpquic
