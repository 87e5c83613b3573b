// qlog (draft-ietf-quic-qlog-main-schema-14, draft-ietf-quic-qlog-quic-events-13) as a JSON text sequence (RFC 7464).
// Beyond the drafts, as other multipath implementations do: `path_id` in packet headers and metrics, one TupleID for
// each path, the frames of the extensions under their specified names. Our own events are in the namespace `mpquic`.
// docs/qlog.md lists all of it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "stack/base/connection_id.h"
#include "stack/base/ids.h"
#include "stack/trace/json_writer.h"
#include "stack/trace/sink.h"

namespace mpquic::trace {

/// Takes one whole record at a time: the core writes no files.
using QlogWriter = std::move_only_function<void(std::string_view record)>;

inline constexpr std::string_view kQuicEventSchema = "urn:ietf:params:qlog:events:quic-13";
inline constexpr std::string_view kPrivateEventSchema = "urn:x-mpquic:qlog:events:mpquic-1";

/// What the first record of a file says.
struct QlogHeader {
  std::string_view title;
  std::string_view vantage_point;  // "client", "server" or "network"
  std::span<const std::string_view> event_schemas;
  Bytes group_id;  // may be empty
};
/// Puts the whole record into `record`.
void write_qlog_header(std::string& record, const QlogHeader& header);

/// One connection's trace. Times are milliseconds since `epoch`, which traces that belong together share; since the
/// first event if there is none.
class QlogSink final : public Sink {
 public:
  /// Writes the header record at once.
  QlogSink(Role role, const ConnectionId& original_dcid, QlogWriter writer, std::optional<Instant> epoch = {});
  void on_event(const Event& event, Instant now) override;

 private:
  /// An event's record up to and including the start of its data, and the end of it.
  void begin(std::string_view name, Instant now, std::optional<PathId> tuple);
  void end();
  /// draft-21 gives each path ID one 4-tuple at a time: "p" and the path ID names it.
  [[nodiscard]] std::string_view tuple_id(PathId path);
  /// nullptr: the tuple is gone.
  void tuple_assigned(PathId path, const FourTuple* tuple, Instant now);
  void begin_header(EncryptionLevel level, PathId path, PacketNumber number);
  void raw(std::size_t size, std::size_t payload);

  void write(const ConnectionStarted& event, Instant now);
  void write(const PacketSent& event, Instant now);
  void write(const PacketReceived& event, Instant now);
  void write(const PacketDropped& event, Instant now);
  void write(const PacketLost& event, Instant now);
  void write(const MetricsUpdated& event, Instant now);
  void write(const PathStateChanged& event, Instant now);
  void write(const SchedulerDecision& event, Instant now);
  void write(const Reinjected& event, Instant now);
  void write(const Duplicated& event, Instant now);
  void write(const CouplingUpdated& event, Instant now);
  void write(const KeyUpdated& event, Instant now);
  void write(const StateChanged& event, Instant now);
  void write(const ParametersSet& event, Instant now);
  void write(const Closed& event, Instant now);

  /// RFC 9000 §18.2: of an endpoint that did not say otherwise.
  static constexpr std::uint64_t kDefaultAckDelayExponent = 3;

  Role role_;
  QlogWriter writer_;
  std::string record_;
  JsonWriter json_{record_};
  std::optional<Instant> start_;
  std::array<char, 12> tuple_id_{};
  std::string state_;  // as qlog names it; empty before the first
  std::uint64_t local_ack_delay_exponent_ = kDefaultAckDelayExponent;
  std::uint64_t peer_ack_delay_exponent_ = kDefaultAckDelayExponent;
};

/// Makes a QlogSink for every connection that `open` gives a writer for.
class QlogSinkFactory final : public SinkFactory {
 public:
  using Open = std::move_only_function<QlogWriter(Role role, const ConnectionId& original_dcid)>;
  /// `epoch`: as for QlogSink.
  explicit QlogSinkFactory(Open open, std::optional<Instant> epoch = {}) : open_(std::move(open)), epoch_(epoch) {}
  [[nodiscard]] std::unique_ptr<Sink> make_sink(Role role, const ConnectionId& original_dcid) override;

 private:
  Open open_;
  std::optional<Instant> epoch_;
};

}  // namespace mpquic::trace
