// qlog (draft-ietf-quic-qlog-main-schema, draft-ietf-quic-qlog-quic-events; qlog_version 0.3) as a JSON text sequence
// (RFC 7464). Beyond the drafts: `path_id` in packet and recovery events, the frames of the extensions under their
// specified names, connectivity:path_updated and mpquic:scheduler_decision.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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

/// One connection's trace. Times are milliseconds since the first event.
class QlogSink final : public Sink {
 public:
  /// Writes the header record at once.
  QlogSink(Role role, const ConnectionId& original_dcid, QlogWriter writer);
  void on_event(const Event& event, Instant now) override;

 private:
  /// An event's record up to and including the start of its data, and the end of it.
  void begin(std::string_view name, Instant now);
  void end();
  void packet_header(EncryptionLevel level, PathId path, PacketNumber number);
  void raw(std::size_t size, std::size_t payload);

  void write(const PacketSent& event, Instant now);
  void write(const PacketReceived& event, Instant now);
  void write(const PacketDropped& event, Instant now);
  void write(const PacketLost& event, Instant now);
  void write(const MetricsUpdated& event, Instant now);
  void write(const PathStateChanged& event, Instant now);
  void write(const SchedulerDecision& event, Instant now);
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
  std::string state_;  // as qlog names it; empty before the first
  std::uint64_t local_ack_delay_exponent_ = kDefaultAckDelayExponent;
  std::uint64_t peer_ack_delay_exponent_ = kDefaultAckDelayExponent;
};

/// Makes a QlogSink for every connection that `open` gives a writer for.
class QlogSinkFactory final : public SinkFactory {
 public:
  using Open = std::move_only_function<QlogWriter(Role role, const ConnectionId& original_dcid)>;
  explicit QlogSinkFactory(Open open) : open_(std::move(open)) {}
  [[nodiscard]] std::unique_ptr<Sink> make_sink(Role role, const ConnectionId& original_dcid) override;

 private:
  Open open_;
};

}  // namespace mpquic::trace
