// Counters and gauges of a connection and its paths.
#pragma once

#include <cstdint>

#include "stack/base/address.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

struct PathStats {
  PathId id;
  FourTuple tuple;
  bool validated = false;
  bool backup = false;
  bool abandoned = false;
  bool amplification_limited = false;  // nothing may be sent until the peer has sent more (RFC 9000 §8.1)
  std::uint64_t bytes_sent = 0;        // UDP payload
  std::uint64_t bytes_received = 0;
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t packets_lost = 0;
  std::uint64_t stream_bytes_sent = 0;  // STREAM and DATAGRAM payload, first transmissions and repeats
  std::uint64_t stream_bytes_received = 0;
  std::uint64_t bytes_retransmitted = 0;  // STREAM payload written again
  std::uint64_t bytes_duplicated = 0;     // STREAM and DATAGRAM payload that another path carried first
  std::uint64_t pto_count = 0;
  Duration smoothed_rtt{};
  Duration min_rtt{};
  Duration rtt_variance{};
  ByteCount congestion_window;
  ByteCount bytes_in_flight;
  std::size_t max_datagram_size = 0;
};

struct ConnectionStats {
  bool established = false;
  bool multipath = false;
  std::uint32_t path_limit = 1;  // so many path IDs do both sides allow now
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t key_updates = 0;
};

}  // namespace mpquic
