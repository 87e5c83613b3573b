// The application on each host: sends what the workloads ask of its role, verifies every byte that arrives, and writes
// both down in the ledger.
#pragma once

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "sim/base/event_queue.h"
#include "sim/base/host_clock.h"
#include "sim/base/violations.h"
#include "sim/workload/content.h"
#include "sim/workload/host.h"
#include "sim/workload/inner_tcp.h"
#include "sim/workload/workload.h"

namespace mpquic::sim {

class App final : public Application {
 public:
  struct Parts {  // all outlive the application
    Transport& transport;
    EventQueue& events;
    Ledger& ledger;
    const Content& content;
    Violations& violations;
    HostClock& clock;  // of the host that it runs on
  };
  App(Role role, const Parts& parts);

  void on_event(const Event& event, Instant now) override;
  /// An app_timer of `workload` fired.
  void on_timer(std::size_t workload, Instant now);

  /// Client: what connect() gave. The server takes the first connection that it accepts, until the handshake of one is
  /// complete, and that one then.
  void set_connection(ConnectionHandle connection) { connection_ = connection; }
  [[nodiscard]] std::optional<ConnectionHandle> connection() const { return connection_; }
  [[nodiscard]] const std::optional<ConnectionClosed>& closed() const { return closed_; }
  [[nodiscard]] bool confirmed() const { return confirmed_; }
  /// Paths that became valid since the last call, for who wants to act on it.
  [[nodiscard]] std::vector<PathChanged> take_validated_paths() { return std::exchange(validated_paths_, {}); }
  [[nodiscard]] bool has_validated_paths() const { return !validated_paths_.empty(); }
  /// Gives up the `nth` of the streams of bulk and requests that it sends, in the order of their IDs, as long as not
  /// everything is acknowledged. Nothing happens if there are fewer.
  void reset_stream(std::uint64_t nth);
  /// Wants no more of the `nth` of those that it receives, as long as something has arrived and more is to come.
  void stop_sending(std::uint64_t nth);
  /// From now on a close is what we want.
  void expect_close() { close_expected_ = true; }
  /// Paths may be refused: too many, or too late.
  void expect_refusals() { refusals_expected_ = true; }

 private:
  struct Outgoing {
    bool active = false;  // there is more to write
    bool settled = true;  // all acknowledged, or reset, or not begun
    bool reply = false;
    FlowHeader header;
    std::uint64_t length = 0;  // header included, which replies do not have
    std::uint64_t offset = 0;
    Instant opened_at;
  };
  struct Incoming {
    bool known = false;  // header complete
    bool reply = false;
    bool finished = false;
    FlowHeader header;
    std::array<std::byte, FlowHeader::kSize> raw{};
    std::uint64_t length = 0;
    std::uint64_t offset = 0;
  };
  struct Flow {
    Outgoing out;
    Incoming in;
  };
  struct Sending {  // of one workload that this role sends
    std::uint64_t opened = 0;
    std::uint64_t finished = 0;  // requests: replies complete
    Instant next_datagram;
    Instant next_request;  // video: when the player has room
    bool over = false;
  };

  [[nodiscard]] bool replaces_ours(const Event& event) const;
  void on_path_changed(const PathChanged& change, Instant now);
  void on_closed(const ConnectionClosed& closed, Instant now);
  void start_workloads(Instant now);
  void open_streams(std::size_t workload, Instant now);
  void send_datagrams(std::size_t workload, Instant now);
  void send_one_datagram(std::size_t workload, Instant now);
  void write_stream(StreamId id);
  void read_stream(StreamId id, Instant now);
  [[nodiscard]] bool accept_bytes(StreamId id, Flow& flow, Bytes data, Instant now);
  [[nodiscard]] bool accept_header(StreamId id, Incoming& in, Bytes& data);
  void finish_incoming(StreamId id, Flow& flow, Instant now);
  void finish_reply(std::size_t workload, std::optional<Duration> latency, Instant now);
  void begin_sending(StreamId id, const FlowHeader& header, bool reply, std::uint64_t length, Instant now);
  /// The `nth` of the flows that fit, in the order of their streams' IDs.
  template <class Fits>
  [[nodiscard]] std::optional<StreamId> nth_stream(std::uint64_t nth, Fits fits) const;
  [[nodiscard]] bool may_be_given_up(const FlowHeader& header) const;
  void abandon(StreamId id);
  void on_reset(StreamId id, Instant now);
  void on_stopped(StreamId id, Instant now);
  void end_abandoned(AbandonedFlow flow, Instant now);
  void receive_datagrams(Instant now);
  void accept_datagram(Bytes data, Instant now);
  [[nodiscard]] Bytes outgoing_bytes(const Outgoing& out, std::array<std::byte, FlowHeader::kSize>& header) const;
  [[nodiscard]] Flow& flow_of(StreamId id);
  void violation(StreamId id, Instant now, std::string_view what);

  Role role_;
  Parts parts_;
  std::optional<ConnectionHandle> connection_;
  bool established_ = false;  // the handshake is complete
  bool confirmed_ = false;    // the handshake is (RFC 9001 §4.1.2)
  bool close_expected_ = false;
  bool refusals_expected_ = false;
  std::optional<ConnectionClosed> closed_;
  std::vector<PathChanged> validated_paths_;
  std::array<std::vector<Flow>, 4> flows_;  // by the stream ID's type bits, then its ordinal
  std::vector<Sending> sending_;            // by workload
  std::vector<std::byte> buffer_;
  InnerTcp inner_tcp_;
};

}  // namespace mpquic::sim
