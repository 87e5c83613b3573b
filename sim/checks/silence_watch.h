// An invariant: whatever is in flight on a path is acknowledged, declared lost or probed for within the probe timeout
// (RFC 9002 §6.2). Without that, a path that went silent would keep its data for ever.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "stack/conn/stats.h"
#include "stack/recovery/pto.h"

namespace mpquic::sim {

class SilenceWatch {
 public:
  /// Beyond the PTO: sockets that block and clocks that stand still put it off, and this watch looks now and then.
  static constexpr Duration kSlack = std::chrono::seconds(3);

  /// The first path that has broken the rule, each path once. `now` on the host's own clock. Before the handshake is
  /// confirmed, acknowledgements need not end a client's backoff (RFC 9002 §6.2.1).
  [[nodiscard]] std::optional<PathId> sample(std::span<const PathStats> paths, bool confirmed, Instant now) {
    for (const PathStats& stats : paths) {
      State& state = state_of(stats.id);
      const bool acked = stats.bytes_in_flight < state.in_flight;
      const bool probed = stats.pto_count != state.ptos;
      // Where one packet follows another, there may be as much in flight whenever we look.
      const bool stirred = acked || probed || stats.bytes_in_flight != state.in_flight ||
                           stats.packets_received != state.received || stats.stream_bytes_sent != state.sent;
      state.backoff = acked && confirmed ? 0 : state.backoff + (probed ? 1 : 0);
      state.in_flight = stats.bytes_in_flight;
      state.received = stats.packets_received;
      state.sent = stats.stream_bytes_sent;
      state.ptos = stats.pto_count;
      if (stirred || state.in_flight == ByteCount{} || stats.abandoned || !stats.validated ||
          stats.amplification_limited)
        state.since = now;
      const Duration base = stats.smoothed_rtt + 4 * stats.rtt_variance + kSlowestAck;
      if (state.reported || now - state.since <= backed_off(base, state.backoff) + kSlack) continue;
      state.reported = true;
      return stats.id;
    }
    return std::nullopt;
  }

 private:
  static constexpr Duration kSlowestAck = std::chrono::milliseconds(200);  // more than any scenario's max_ack_delay
  struct State {
    PathId id;
    ByteCount in_flight;
    std::uint64_t received = 0;  // packets
    std::uint64_t sent = 0;      // payload
    std::uint64_t ptos = 0;
    std::uint32_t backoff = 0;
    Instant since;
    bool reported = false;
  };
  [[nodiscard]] State& state_of(PathId id) {
    const auto found = std::ranges::find(states_, id, &State::id);
    if (found != states_.end()) return *found;
    return states_.emplace_back(State{.id = id});
  }
  std::vector<State> states_;
};

}  // namespace mpquic::sim
