// From a protected packet to its frames' bytes (RFC 9001 §5.5), in place. A forged packet is a drop; an authentic one
// that breaks the rules is an error.
#pragma once

#include <expected>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"
#include "stack/crypto/key_ring.h"
#include "stack/wire/header.h"

namespace mpquic {

struct OpenedPacket {
  EncryptionLevel level = EncryptionLevel::one_rtt;
  PathId path;  // 0 but in 1-RTT
  PacketNumber number;
  Bytes payload;  // never empty: frames of at least one byte
  bool spin = false;
  bool key_phase_changed = false;    // the peer updated its keys with this packet
  bool previous_generation = false;  // for KeyRing::on_acked()
};

/// What the receiver knows about where a packet arrived.
struct OpenContext {
  PathId path;                                   // whose connection ID it carries; 0 in Initial and Handshake
  std::optional<PacketNumber> largest_received;  // of that path's space
  Instant now;
};

class PacketOpener {
 public:
  /// `packet` is Initial, Handshake, 0-RTT or 1-RTT. Its bytes become plaintext.
  [[nodiscard]] std::expected<OpenedPacket, OpenFailure> open(const ProtectedPacket& packet, KeyRing& keys,
                                                              const OpenContext& context) const;
};

}  // namespace mpquic
