// Our transport parameters, from configuration (RFC 9000 §18, draft-21 §2.1).
#pragma once

#include <optional>

#include "stack/base/connection_id.h"
#include "stack/base/rng.h"
#include "stack/conn/config.h"
#include "stack/wire/transport_params.h"

namespace mpquic {

struct ParameterInputs {
  const ConnectionConfig& config;
  Role role = Role::client;
  ConnectionId source_cid;
  ConnectionId original_dcid;              // server
  std::optional<ConnectionId> retry_scid;  // server
  StatelessResetToken reset_token{};       // server
  /// A peer with zero-length connection IDs cannot use multipath: it is not offered (draft-21 §2.1).
  bool peer_uses_cids = true;
  std::optional<PreferredAddress> preferred_address{};  // server
};

/// We announce that NUMBERED_DATAGRAM is understood: it costs nothing, and lets a peer with several paths duplicate.
[[nodiscard]] inline bool takes_numbered_datagrams(const ConnectionConfig& config) {
  return config.multipath && config.max_datagram_frame_size > 0;
}

[[nodiscard]] TransportParameters local_parameters(const ParameterInputs& inputs, Rng& rng);

}  // namespace mpquic
