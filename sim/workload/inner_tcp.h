// Closed-loop flows inside the connection: segments and their ACKs travel as DATAGRAM frames, end to end, the way a
// tunnel carries other people's TCP. NewReno (RFC 6582 without SACK), one ACK per segment, RTO by RFC 6298: reordering
// and loss that the tunnel does not hide cost these flows what they would cost TCP.
#pragma once

#include <functional>
#include <vector>

#include "sim/base/event_queue.h"
#include "sim/base/violations.h"
#include "sim/workload/content.h"
#include "sim/workload/workload.h"
#include "stack/base/interval_set.h"

namespace mpquic::sim {

/// Both ends of the flows, of which a host is one.
class InnerTcp {
 public:
  struct Parts {  // all outlive it
    Ledger& ledger;
    const Content& content;
    Violations& violations;
    EventQueue& events;
    Role role;
    std::function<bool(Bytes)> send;  // false: refused, hence lost
  };
  explicit InnerTcp(Parts parts);

  /// Sender: the workload begins.
  void start(std::size_t workload, Instant now);
  /// Sender: its app_timer fired.
  void on_timer(std::size_t workload, Instant now);
  /// A datagram whose header names an inner_tcp workload.
  void on_datagram(const FlowHeader& header, Bytes body, Instant now);

  [[nodiscard]] static std::size_t workload_of(const FlowHeader& header) { return header.workload & 0xffffffff; }

 private:
  struct Sender {
    std::uint64_t segments = 0;
    std::uint64_t unacked = 0;
    std::uint64_t next = 0;
    std::uint64_t highest = 0;  // ever sent
    double window = 10;         // RFC 6928, in segments
    double threshold = 1e9;
    std::uint32_t duplicates = 0;
    bool recovering = false;
    std::uint64_t recover = 0;
    bool measured = false;
    Duration smoothed{};
    Duration variance{};
    Duration timeout = std::chrono::seconds(1);
    Deadline deadline;
  };
  struct Receiver {
    std::uint64_t expected = 0;
    IntervalSet ahead;
  };
  struct Flows {
    std::vector<Sender> senders;
    std::vector<Receiver> receivers;
    std::size_t finished = 0;
    Deadline timer;
  };

  void on_segment(std::size_t workload, std::uint64_t flow, const FlowHeader& header, Instant now);
  void on_ack(std::size_t workload, std::uint64_t flow, const FlowHeader& header, Instant now);
  void on_progress(Sender& sender, std::uint64_t acked, Instant echoed, Instant now);
  void send_more(std::size_t workload, std::uint64_t flow, Instant now);
  void send_segment(std::size_t workload, std::uint64_t flow, std::uint64_t segment, Instant now);
  void measure(Sender& sender, Duration sample);
  void arm(std::size_t workload, Instant now);
  [[nodiscard]] std::uint64_t segments_of(std::size_t workload, std::uint64_t flow) const;

  Parts parts_;
  std::vector<Flows> flows_;  // by workload
  std::vector<std::byte> buffer_;
};

}  // namespace mpquic::sim
