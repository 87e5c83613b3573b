// What a scheduler may know about a path. Plain data, taken before each train.
#pragma once

#include <cstdint>

#include "stack/base/bandwidth.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

struct PathView {
  PathId id;
  bool validated = false;           // application data may flow (RFC 9000 §8.2)
  bool backup = false;              // PATH_STATUS_BACKUP, by either side (draft-21 §3.3)
  bool potentially_failed = false;  // PTO fired with data outstanding, nothing acknowledged since
  bool pacing_blocked = false;      // may send again at `next_send`
  bool socket_blocked = false;      // the host's socket for this path is full
  bool untracked = false;           // so much is outstanding that no further packet could be remembered
  Duration smoothed_rtt{};
  Duration latest_rtt{};
  Duration min_rtt{};
  Duration rtt_variance{};
  bool has_rtt_sample = false;
  Duration patience{};  // what is outstanding for longer is overdue
  Deadline overdue_at;  // when the oldest packet will be that was not looked at for reinjection
  ByteCount congestion_window;
  ByteCount bytes_in_flight;
  ByteCount amplification_credit;  // bytes that may go to an unvalidated address; huge once validated
  Bandwidth pacing_rate;
  std::size_t max_datagram_size = 1200;
  Deadline next_send;

  [[nodiscard]] ByteCount window_room() const { return saturating_sub(congestion_window, bytes_in_flight); }
  /// A full-size datagram may leave on this path now.
  [[nodiscard]] bool can_send() const {
    return !pacing_blocked && !socket_blocked && !untracked && window_room().value() >= max_datagram_size &&
           amplification_credit.value() >= max_datagram_size;
  }
};

/// What is to be sent.
struct PacketContext {
  Instant now;
  bool ack_only = false;
  bool has_retransmission = false;
  ByteCount bytes_in_flight;  // over all paths
  std::size_t size = 1200;    // of the next packet
  std::uint64_t flow = 0;     // stream or datagram flow, for flow-aware schedulers
  std::uint8_t traffic_class = 0;
};

}  // namespace mpquic
