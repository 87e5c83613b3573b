// What the hosts want from the transport, and the ledger of how far they got. The ledger is shared by both ends: it
// knows what was sent as well as what arrived.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/network/world.h"
#include "sim/workload/content.h"
#include "sim/workload/playback.h"
#include "stack/base/interval_set.h"
#include "stack/base/time.h"

namespace mpquic::sim {

enum class WorkloadKind : std::uint8_t {
  bulk,       // `streams` unidirectional streams carry `bytes` in total
  requests,   // the client asks `count` times, `concurrency` at once, on a bidirectional stream each
  datagrams,  // `count` DATAGRAM frames of `size` bytes at `rate`
  voip,       // one direction of a call: small DATAGRAM frames at an even pace, against a playout budget
  game,       // one direction of a game: the same with other figures
  video,      // `count` segments, requested one after another as far as the player's buffer has room
  inner_tcp,  // Reno-like flows whose segments and ACKs travel in DATAGRAM frames, as a tunnel carries them
};
[[nodiscard]] std::string_view name_of(WorkloadKind kind);

/// What one workload must do; absent: not asserted.
struct WorkloadAssertions {
  std::optional<Duration> completion;  // from the start of the run
  std::optional<Duration> stall;
  std::optional<Duration> p50;  // of its delays
  std::optional<Duration> p95;
  std::optional<Duration> p99;
  std::optional<double> delivered;      // datagrams: at least this share of those offered
  std::optional<double> late;           // voip, game: at most this share missed the playout budget, lost ones included
  std::optional<double> mos;            // voip: at least
  std::optional<Duration> startup;      // video: until it plays
  std::optional<Duration> rebuffering;  // video: all stalls together
};

struct WorkloadSpec {
  WorkloadKind kind = WorkloadKind::bulk;
  std::string name;                     // for reports
  Direction direction = Direction::up;  // of the data; requests always come from the client
  Duration start{};                     // not before this time, nor before the handshake is complete
  std::uint64_t bytes = 0;
  std::uint64_t streams = 1;
  std::uint64_t count = 0;
  std::uint64_t concurrency = 1;
  std::uint64_t request_bytes = 100;
  std::uint64_t response_bytes = 0;
  std::size_t size = 1000;
  Bandwidth rate;
  Duration lifetime{};   // datagrams: dropped unsent when older; zero: never
  Duration interval{};   // voip, game: between two of them
  Duration playout{};    // voip, game: what takes longer comes too late
  Duration segment{};    // video: what one segment plays for
  Duration prebuffer{};  // video: what must be there before it plays
  Duration buffer{};     // video: what the player holds at most
  WorkloadAssertions expect;

  [[nodiscard]] Role sender() const { return asks() || direction == Direction::up ? Role::client : Role::server; }
  /// The client asks and the server answers, a stream each time.
  [[nodiscard]] bool asks() const { return kind == WorkloadKind::requests || kind == WorkloadKind::video; }
  /// Datagrams at an even pace.
  [[nodiscard]] bool paced() const {
    return kind == WorkloadKind::datagrams || kind == WorkloadKind::voip || kind == WorkloadKind::game;
  }
  [[nodiscard]] std::uint64_t stream_count() const;
  /// Bytes of flow number `flow` from whoever opened the stream, and from the other side.
  [[nodiscard]] std::uint64_t forward_bytes(std::uint64_t flow) const;
  [[nodiscard]] std::uint64_t reply_bytes() const { return asks() ? response_bytes : 0; }
  [[nodiscard]] Duration datagram_interval() const;
};

/// Every stream begins with this, so that the receiver knows what to expect; 24 bytes, little-endian.
struct FlowHeader {
  std::uint64_t workload = 0;
  std::uint64_t flow = 0;
  std::uint64_t body = 0;
  static constexpr std::size_t kSize = 24;
  [[nodiscard]] std::array<std::byte, kSize> encode() const;
  [[nodiscard]] static FlowHeader decode(Bytes bytes);
  bool operator==(const FlowHeader&) const = default;
};

[[nodiscard]] ContentKey content_key(const FlowHeader& header, bool reply);

struct DatagramTally {
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;  // by send_datagram()
  std::uint64_t received = 0;
  std::uint64_t reordered = 0;
  IntervalSet seen;  // sequence numbers
  std::uint64_t highest = 0;
};

struct InnerTcpTally {
  std::uint64_t segments = 0;
  std::uint64_t retransmitted = 0;
  std::uint64_t timeouts = 0;
};

struct WorkloadProgress {
  std::uint64_t bytes_received = 0;    // verified, headers and replies included
  std::uint64_t streams_finished = 0;  // verified up to their ends
  std::uint64_t sent_flows = 0;        // sums of fingerprints: of the flows that were begun,
  std::uint64_t received_flows = 0;    // or completely received, or given up
  DatagramTally datagrams;
  Playback playback;  // video
  InnerTcpTally inner;
  std::vector<std::uint32_t> latencies_us;  // of datagrams, or of requests from open to the last byte of the reply
  Instant last_progress{};
  Duration longest_stall{};
  std::optional<Instant> started_at;
  std::optional<Instant> completed_at;
};

/// One direction of a stream that one of its ends gave up.
struct AbandonedFlow {
  Role sender = Role::client;
  Role by = Role::client;
  StreamId id;
  FlowHeader header;
  bool reply = false;
};

class Ledger {
 public:
  explicit Ledger(std::vector<WorkloadSpec> specs);

  [[nodiscard]] std::size_t size() const { return specs_.size(); }
  [[nodiscard]] const WorkloadSpec& spec(std::size_t workload) const { return specs_[workload]; }
  /// For people: its name, or else "voip up"; the direction too where several have the name, and a number where that
  /// does not tell them apart.
  [[nodiscard]] const std::string& label(std::size_t workload) const { return labels_[workload]; }
  [[nodiscard]] const WorkloadProgress& progress(std::size_t workload) const { return progress_[workload]; }
  [[nodiscard]] WorkloadProgress& at(std::size_t workload) { return progress_[workload]; }

  void started(std::size_t workload, Instant now);
  /// `bytes` more arrived and were right.
  void received(std::size_t workload, std::uint64_t bytes, Instant now);
  void finished_stream(const FlowHeader& flow, bool reply, Instant now);
  void began_sending(const FlowHeader& flow, bool reply);
  /// The flow counts as received once finished_stream() is told: be it that everything had arrived, that the reset did,
  /// or that the receiver wants no more.
  void abandon(const AbandonedFlow& flow) { abandoned_.push_back(flow); }
  [[nodiscard]] const AbandonedFlow* abandoned(Role sender, Role by, StreamId id) const;
  void datagrams_over(std::size_t workload, Instant now) { complete(workload, now); }

  [[nodiscard]] bool complete() const { return completed_ == specs_.size(); }
  [[nodiscard]] Instant last_progress() const { return last_progress_; }
  /// Work has started and is not complete.
  [[nodiscard]] bool outstanding() const;

 private:
  void complete(std::size_t workload, Instant now);
  std::vector<WorkloadSpec> specs_;
  std::vector<std::string> labels_;
  std::vector<WorkloadProgress> progress_;
  std::vector<AbandonedFlow> abandoned_;
  std::size_t completed_ = 0;
  Instant last_progress_{};
};

}  // namespace mpquic::sim
