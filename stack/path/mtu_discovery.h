// Datagram packetization layer path MTU discovery of one 4-tuple (RFC 8899, RFC 9000 §14.3). Sizes are UDP payloads.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

struct MtuConfig {
  bool discover = true;
  std::size_t initial = kMinInitialDatagram;  // assumed to work until a black hole says otherwise
  std::size_t maximum = kMinInitialDatagram;  // the search's upper end
};

/// Contract: probes are padded PINGs of probe_size() bytes in datagrams of their own; report each by on_probe_sent()
/// and then once by on_probe_acked() or on_probe_lost(). The loss of a probe is no congestion signal.
class MtuDiscovery {
 public:
  /// RFC 8899 §5.1.2: MAX_PROBES.
  static constexpr int kMaxProbes = 3;
  /// The search ends when less than this could be gained.
  static constexpr std::size_t kSearchGranularity = 16;
  /// RFC 8899 §5.1.1: PMTU_RAISE_TIMER.
  static constexpr Duration kRaiseInterval = std::chrono::seconds(600);
  /// This many losses of packets over 1200 bytes, sent after everything that was acknowledged along with such a packet,
  /// are a black hole (RFC 8899 §4.3). A false alarm costs a search.
  static constexpr int kBlackHoleLosses = 8;

  explicit MtuDiscovery(const MtuConfig& config);
  /// max_udp_payload_size, at least 1200 (RFC 9000 §18.2).
  void set_peer_limit(std::size_t max_udp_payload_size);

  /// What a datagram may have now.
  [[nodiscard]] std::size_t current() const { return current_; }
  /// The size of a probe that should be sent now.
  [[nodiscard]] std::optional<std::size_t> probe_size() const {
    return !discover_ || probing_ || complete() ? std::nullopt : std::optional(next_size());
  }
  void on_probe_sent(std::size_t size);
  /// True if current() changed.
  [[nodiscard]] bool on_probe_acked(std::size_t size, Instant now);
  void on_probe_lost(std::size_t size, Instant now);

  /// An ACK arrived: `biggest` is the size of the biggest packet newly acknowledged, `newest` the highest number.
  void on_acked(std::size_t biggest, PacketNumber newest);
  /// A packet that was no probe was lost. True if current() fell.
  [[nodiscard]] bool on_packet_lost(PacketNumber number, std::size_t size);
  /// A black hole is suspected (RFC 8899 §4.3): back to 1200 bytes, then search again. True if current() fell.
  [[nodiscard]] bool fall_back();
  /// The host's socket refused a datagram (EMSGSIZE): the probe, if one is out. True if current() fell.
  [[nodiscard]] bool on_too_big(Instant now);

  [[nodiscard]] Deadline next_deadline() const { return raise_at_; }
  void on_deadline(Instant now);

 private:
  /// Nothing worth having is left between what works and what does not.
  [[nodiscard]] bool complete() const { return ceiling_ < current_ + (first_probe_ ? 1 : kSearchGranularity); }
  [[nodiscard]] std::size_t next_size() const;
  void finish_if_complete(Instant now);

  bool discover_;
  std::size_t current_;
  std::size_t maximum_;
  std::size_t ceiling_;                 // the largest size that may still work
  bool first_probe_ = true;             // of a search
  int failures_ = 0;                    // of the size being probed
  std::optional<std::size_t> probing_;  // size in flight
  Deadline raise_at_;                   // with the search complete below the maximum
  int big_losses_ = 0;
  std::optional<PacketNumber> newest_acked_;
};

}  // namespace mpquic
