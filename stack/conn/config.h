// Everything that a connection can be told. Plain data with production defaults; units are in the types or the names.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "stack/base/address.h"
#include "stack/base/buggify.h"
#include "stack/base/time.h"

namespace mpquic {

struct ConnectionConfig {  // validate() says what each may be
  // --- Flow control (RFC 9000 §4). Windows are what the peer may send ahead of our reader.
  std::uint64_t max_data = 12U << 20;
  std::uint64_t max_stream_data = 8U << 20;  // each stream, either direction
  std::uint64_t max_streams_bidi = 100;
  std::uint64_t max_streams_uni = 100;
  std::uint64_t send_buffer = 8U << 20;  // unacknowledged and unsent bytes that one stream keeps

  // --- DATAGRAM (RFC 9221). 0 refuses them.
  std::uint64_t max_datagram_frame_size = 65535;
  std::size_t datagram_send_queue_bytes = 1U << 20;
  std::size_t datagram_receive_queue_bytes = 1U << 20;

  // --- Lifetime
  Duration idle_timeout = std::chrono::seconds(30);  // 0: none offered
  Duration handshake_timeout = std::chrono::seconds(10);
  Duration keep_alive{};  // 0: off. PING after this much silence
  Duration max_ack_delay = std::chrono::milliseconds(25);

  // --- Recovery, congestion, packets
  std::string congestion_control = "cubic";  // congestion_controller_names()
  Duration initial_rtt = std::chrono::milliseconds(333);
  bool pacing = true;
  bool ecn = true;
  bool discover_mtu = true;  // DPLPMTUD, RFC 8899
  std::size_t initial_datagram_size = 1200;
  std::size_t max_datagram_size = 1452;        // the search's upper end; also max_udp_payload_size's lower bound
  bool grease = true;                          // RFC 9287 bit and reserved transport parameters
  std::uint64_t key_update_after_packets = 0;  // 0: only when the AEAD limits demand it

  // --- Multipath (draft-ietf-quic-multipath-21)
  bool multipath = true;
  std::string scheduler = "min_rtt";             // scheduler_names()
  std::string duplication = "off";               // duplication_policy_names()
  std::uint16_t duplicate_copies = 1;            // on how many further paths; 1 .. kMaxCopies
  std::string reinjection = "tail";              // reinjection_policy_names()
  std::uint32_t max_paths = 8;                   // open at one time; 1 .. 64
  std::uint64_t active_connection_id_limit = 4;  // per path once multipath is negotiated
  bool address_advertisement = false;            // frames 0x40-0x42, negotiated by transport parameter
  bool active_migration = true;                  // false sends disable_active_migration
  /// Server: where clients are to move path 0 once the handshake is confirmed (RFC 9000 §9.6). The host must receive
  /// there, and send from there what names it as the local address.
  std::optional<SocketAddress> preferred_v4;
  std::optional<SocketAddress> preferred_v6;

  // --- Tests only (docs/adr/0008)
  Buggify* buggify = nullptr;                    // outlives the connection
  InjectedBug injected_bug = InjectedBug::none;  // without effect in release builds
};

/// A value that cannot work: which field has it, and what it may be.
struct ConfigError {
  std::string field;
  std::string reason;
  [[nodiscard]] std::string text() const { return field + ": " + reason; }
  bool operator==(const ConfigError&) const = default;
};

/// The first field that cannot work, if there is one. What passes here reaches no check of the stack's.
[[nodiscard]] std::expected<void, ConfigError> validate(const ConnectionConfig& config);

}  // namespace mpquic
