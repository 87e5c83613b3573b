// The seam for "how much": one controller per path. RFC 9002 §7, Appendix B.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "stack/base/bandwidth.h"
#include "stack/base/ids.h"
#include "stack/base/time.h"

namespace mpquic {

struct RttSample {
  Duration latest{};
  Duration smoothed{};
  Duration min{};
};

/// All packets that one ACK frame newly acknowledged.
struct AckSummary {
  Instant now;
  ByteCount acked;            // in-flight bytes newly acknowledged
  Instant largest_sent_time;  // send time of the newest packet acknowledged
  ByteCount prior_in_flight;  // before this ACK was processed
  RttSample rtt;
  /// The window was not what limited the sender (RFC 9002 §7.8): do not grow.
  bool application_limited = false;
};

/// How a coupled controller stands to the connection's other paths, for traces.
struct Coupling {
  std::int64_t alpha_millionths = 0;  // as the algorithm defines it; OLIA's may be negative
  ByteCount total_window;             // of all paths that take part
};

class CouplingGroup;  // stack/cc/coupling.h

class CongestionController {
 public:
  CongestionController() = default;
  CongestionController(const CongestionController&) = delete;
  CongestionController& operator=(const CongestionController&) = delete;
  virtual ~CongestionController() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual ByteCount window() const = 0;
  [[nodiscard]] virtual ByteCount slow_start_threshold() const = 0;
  [[nodiscard]] virtual bool in_slow_start() const { return window() < slow_start_threshold(); }
  virtual void on_sent(ByteCount bytes, ByteCount in_flight, Instant now) = 0;
  virtual void on_acked(const AckSummary& ack) = 0;
  /// Loss or CE of packets of which the newest was sent at `newest_sent`. One reduction per recovery epoch is the
  /// controller's duty (RFC 9002 §7.3.2).
  virtual void on_congestion(Instant newest_sent, ByteCount lost, bool from_ecn, Instant now) = 0;
  virtual void on_persistent_congestion(Instant now) = 0;
  /// The losses that caused the last reduction were spurious; controllers may restore (RFC 9438 §4.9).
  virtual void on_spurious_congestion(Instant now) = 0;
  virtual void on_max_datagram_size(std::size_t bytes) = 0;
  /// The path moved to another network (RFC 9000 §9.4).
  virtual void reset() = 0;
  /// Whether the path carries data: one that has failed or was abandoned is none that others should take into account.
  virtual void set_active(bool) {}
  /// Absent where nothing is coupled, now or ever.
  [[nodiscard]] virtual std::optional<Coupling> coupling() const { return std::nullopt; }
  /// Rate at which to pace, headroom included (2x in slow start, 5/4 otherwise). Zero without an RTT: not paced.
  [[nodiscard]] virtual Bandwidth pacing_rate(const RttSample& rtt) const = 0;
};

/// `max_datagram_size` in bytes. `group`: the connection's, which outlives the controller. nullptr for an unknown name.
[[nodiscard]] std::unique_ptr<CongestionController> make_congestion_controller(std::string_view name,
                                                                               std::size_t max_datagram_size,
                                                                               CouplingGroup& group);
[[nodiscard]] std::span<const std::string_view> congestion_controller_names();

}  // namespace mpquic
