#pragma once

#include <cstdint>

#include "stack/base/ids.h"
#include "stack/stream/intrusive_list.h"
#include "stack/stream/recv_stream.h"
#include "stack/stream/send_stream.h"
#include "stack/stream/stream_types.h"

namespace mpquic {

/// Control frames that a stream owes its peer, as bits.
namespace control {
inline constexpr std::uint8_t kResetStream = 0x1;
inline constexpr std::uint8_t kStopSending = 0x2;
inline constexpr std::uint8_t kMaxStreamData = 0x4;
inline constexpr std::uint8_t kStreamDataBlocked = 0x8;
}  // namespace control

/// One stream: its two parts (the absent one of a unidirectional stream included), and its places in the lists of the
/// map. Objects are used again for later streams, so that their buffers stay warm.
struct Stream {
  explicit Stream(ChunkPool& pool) : send(pool), recv(pool) {}

  StreamId id;
  SendStream send;
  RecvStream recv;
  Urgency urgency = kDefaultUrgency;
  std::uint8_t control = 0;  // owed, bits of `control`
  std::uint8_t events = 0;   // not yet polled, one bit per StreamEventKind
  bool repeating = false;    // counted by SendSchedule
  bool unacked = false;      // counted by SendSchedule

  ListLink<Stream> control_link;
  ListLink<Stream> unmetered_link;
  ListLink<Stream> metered_link;
  ListLink<Stream> event_link;

  /// Adds the frames that follow from flow control, and takes away what an event has made pointless.
  void update_control() {
    const bool reset = (control & control::kResetStream) != 0 && send.awaits_reset();
    const bool stop = (control & control::kStopSending) != 0 && recv.awaits_stop();
    control = static_cast<std::uint8_t>((reset ? control::kResetStream : 0) | (stop ? control::kStopSending : 0) |
                                        (recv.wants_limit() ? control::kMaxStreamData : 0) |
                                        (send.is_blocked() ? control::kStreamDataBlocked : 0));
  }
  [[nodiscard]] bool finished() const { return send.terminal() && recv.terminal() && events == 0; }
};

}  // namespace mpquic
