// What ngtcp2 can be told: names only, for whoever reads configurations. The adapter's side of it is
// ngtcp2_connection.cc.
#pragma once

#include <string_view>

namespace mpquic::peers {

/// Values of ConnectionConfig::congestion_control.
inline constexpr std::string_view kNgtcp2Controllers[] = {"bbr", "bbr2", "cubic", "new_reno"};

/// What the adapter makes of a ConnectionConfig, by the names that scenarios have for it.
inline constexpr std::string_view kNgtcp2Keys[] = {"cc",
                                                   "keep_alive",
                                                   "idle_timeout",
                                                   "handshake_timeout",
                                                   "max_ack_delay",
                                                   "initial_rtt",
                                                   "max_data",
                                                   "max_stream_data",
                                                   "max_streams_bidi",
                                                   "max_streams_uni",
                                                   "discover_mtu",
                                                   "initial_datagram_size",
                                                   "grease",
                                                   "max_datagram_size",
                                                   "active_connection_id_limit",
                                                   "active_migration"};
/// And what it cannot pass on.
inline constexpr std::string_view kNgtcp2Lacks[] = {"scheduler",
                                                    "duplication",
                                                    "duplicate_copies",
                                                    "reinjection",
                                                    "pacing",
                                                    "ecn",
                                                    "buggify",
                                                    "key_update_after_packets",
                                                    "send_buffer",
                                                    "max_paths",
                                                    "address_advertisement"};

}  // namespace mpquic::peers
