#include "stack/conn/parameters.h"

#include <algorithm>
#include <chrono>

namespace mpquic {

TransportParameters local_parameters(const ParameterInputs& inputs, Rng& rng) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const ConnectionConfig& config = inputs.config;
  TransportParameters out;
  out.max_idle_timeout = static_cast<std::uint64_t>(duration_cast<milliseconds>(config.idle_timeout).count());
  out.initial_max_data = config.max_data;
  out.initial_max_stream_data_bidi_local = config.max_stream_data;
  out.initial_max_stream_data_bidi_remote = config.max_stream_data;
  out.initial_max_stream_data_uni = config.max_stream_data;
  out.initial_max_streams_bidi = config.max_streams_bidi;
  out.initial_max_streams_uni = config.max_streams_uni;
  out.max_ack_delay = static_cast<std::uint64_t>(duration_cast<milliseconds>(config.max_ack_delay).count());
  out.disable_active_migration = !config.active_migration;
  out.active_connection_id_limit = config.active_connection_id_limit;
  out.initial_source_connection_id = inputs.source_cid;
  out.max_datagram_frame_size = config.max_datagram_frame_size;
  out.grease_quic_bit = config.grease;
  if (config.multipath && inputs.peer_uses_cids) out.initial_max_path_id = config.max_paths - 1;
  out.address_advertisement = config.address_advertisement;
  out.numbered_datagrams = takes_numbered_datagrams(config);
  if (config.grease) out.reserved_number = rng.below(1024);
  if (inputs.role == Role::server) {
    out.original_destination_connection_id = inputs.original_dcid;
    out.retry_source_connection_id = inputs.retry_scid;
    out.stateless_reset_token = inputs.reset_token;
    out.preferred_address = inputs.preferred_address;
  }
  return out;
}

}  // namespace mpquic
