// What happened, as plain data. A sink that needs the frames of a packet decodes `payload` itself, so that packets
// cost nothing extra where nobody listens. Spans are valid during the call only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>

#include "stack/base/address.h"
#include "stack/base/bytes.h"
#include "stack/base/connection_id.h"
#include "stack/base/drop_reason.h"
#include "stack/base/ids.h"
#include "stack/base/result.h"
#include "stack/base/time.h"

namespace mpquic::trace {

struct ConnectionStarted {
  FourTuple tuple;
  ConnectionId local_cid;
  ConnectionId remote_cid;  // a client's: random, until the server has chosen one
};
struct PacketSent {
  EncryptionLevel level = EncryptionLevel::one_rtt;
  PathId path;
  PacketNumber number;
  std::size_t size = 0;  // whole packet, tag included
  Bytes payload;         // plaintext frames
  bool key_phase = false;
  std::array<std::uint8_t, 12> nonce{};  // that the AEAD used
};
struct PacketReceived {
  EncryptionLevel level = EncryptionLevel::one_rtt;
  PathId path;
  PacketNumber number;
  std::size_t size = 0;
  Bytes payload;
  Ecn ecn = Ecn::not_ect;
};
struct PacketDropped {
  DropReason reason = DropReason::malformed_header;
  std::size_t size = 0;
};
enum class LossTrigger : std::uint8_t { reordering_threshold, time_threshold, path_abandoned };
struct PacketLost {
  EncryptionLevel level = EncryptionLevel::one_rtt;
  PathId path;
  PacketNumber number;
  LossTrigger trigger = LossTrigger::reordering_threshold;
};
struct MetricsUpdated {
  PathId path;
  Duration smoothed_rtt{};
  Duration latest_rtt{};
  Duration min_rtt{};
  Duration rtt_variance{};
  std::uint32_t pto_count = 0;
  ByteCount congestion_window;
  ByteCount bytes_in_flight;
  ByteCount slow_start_threshold;
};
struct PathStateChanged {
  std::optional<PathId> path;  // absent: a request was refused before it had one
  FourTuple tuple;
  std::string_view state;  // "opened", "validated", "failed", "recovered", "migrated", "abandoned", "refused", "closed"
  std::string_view reason;
};
struct SchedulerDecision {
  PathId path;
  std::string_view scheduler;
  std::size_t size = 0;
  bool retransmission = false;
};
/// Stream data that is in flight on one path is going to be written again on another (docs/adr/0007).
struct Reinjected {
  PathId from;
  PathId to;
  PacketNumber number;  // of the packet that carries it on `from`
  StreamId stream;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
/// The same information was written on two paths at once, on purpose.
struct Duplicated {
  PathId original;
  PathId copy;
  std::size_t size = 0;
};
/// A coupled congestion controller (RFC 6356, OLIA, BALIA) changed a path's alpha.
struct CouplingUpdated {
  PathId path;
  std::string_view algorithm;
  std::int64_t alpha_millionths = 0;  // as the algorithm defines alpha, OLIA's may be negative: no floating point here
  ByteCount total_window;             // of all coupled paths
};
struct KeyUpdated {
  bool initiated_locally = false;
  std::uint64_t generation = 0;
};
struct StateChanged {
  std::string_view state;
};  // "attempted", "complete", "confirmed"
struct ParametersSet {
  bool local = false;
  Bytes encoded;
};
struct Closed {
  bool by_peer = false;
  bool application = false;
  std::uint64_t error = 0;
  std::string_view reason;
};

/// One of them, where its emitter has it: nothing is copied for sinks that do not care. Valid during the call only.
using Event = std::variant<const ConnectionStarted*, const PacketSent*, const PacketReceived*, const PacketDropped*,
                           const PacketLost*, const MetricsUpdated*, const PathStateChanged*, const SchedulerDecision*,
                           const Reinjected*, const Duplicated*, const CouplingUpdated*, const KeyUpdated*,
                           const StateChanged*, const ParametersSet*, const Closed*>;

/// The event if it is an E, else nullptr.
template <class E>
[[nodiscard]] const E* event_if(const Event& event) {
  const E* const* found = std::get_if<const E*>(&event);
  return found != nullptr ? *found : nullptr;
}

}  // namespace mpquic::trace
