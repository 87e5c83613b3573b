// The plain data that the stream room shares with the connection that wires it.
#pragma once

#include <cstdint>

#include "stack/base/ids.h"

namespace mpquic {

/// One endpoint's limits, as its transport parameters carry them (RFC 9000 §18.2). "Local" and "remote" are from the
/// point of view of the endpoint that sent them.
struct StreamLimits {
  std::uint64_t max_data = 0;
  std::uint64_t max_stream_data_bidi_local = 0;
  std::uint64_t max_stream_data_bidi_remote = 0;
  std::uint64_t max_stream_data_uni = 0;
  std::uint64_t max_streams_bidi = 0;
  std::uint64_t max_streams_uni = 0;
  /// Not on the wire: unacknowledged and unsent bytes that one of our streams keeps.
  std::uint64_t send_buffer = 4U << 20;
};

/// 0 is sent first (RFC 9218 §4.1 uses the same scale).
using Urgency = std::uint8_t;
inline constexpr Urgency kMostUrgent = 0;
inline constexpr Urgency kDefaultUrgency = 3;
inline constexpr Urgency kLeastUrgent = 7;
inline constexpr std::size_t kUrgencyCount = kLeastUrgent + 1;

enum class StreamEventKind : std::uint8_t {
  opened,             // by the peer; precedes every other event of the stream
  readable,           // edge: read until it gives nothing
  writable,           // edge: after write() took less than it was given
  reset,              // the peer reset its sending part; `error`
  stopped,            // the peer asked us to stop sending; `error`. The stream was reset in answer
  finished,           // everything that we sent, FIN included, is acknowledged
  streams_available,  // after open() gave StreamError::limit; `dir`, no `id`
};

struct StreamEvent {
  StreamEventKind kind = StreamEventKind::opened;
  StreamId id;
  std::uint64_t error = 0;
  Directionality dir = Directionality::bidirectional;
};

}  // namespace mpquic
