#include "stack/trace/qlog.h"

#include <charconv>
#include <variant>

#include "stack/trace/qlog_frames.h"
#include "stack/trace/qlog_names.h"
#include "stack/wire/transport_params.h"

namespace mpquic::trace {
namespace {

constexpr std::string_view kStatelessResetReason = "stateless reset";  // conn/connection.cc

/// Our names for the states of a connection to qlog's, where they differ.
std::string_view connection_state(std::string_view state) {
  if (state == "complete") return "handshake_complete";
  if (state == "confirmed") return "handshake_confirmed";
  return state;
}

void write_endpoint(JsonWriter& json, std::string_view key, const SocketAddress& address) {
  json.begin_object(key);
  write_endpoint_fields(json, address);
  json.end_object();
}

void write_endpoint(JsonWriter& json, std::string_view key, const SocketAddress& address, const ConnectionId& id) {
  json.begin_object(key);
  write_endpoint_fields(json, address);
  json.begin_array("connection_ids");
  json.hex_value(id.bytes());
  json.end_array();
  json.end_object();
}

void write_connection_id(JsonWriter& json, std::string_view key, const std::optional<ConnectionId>& id) {
  if (id) json.hex(key, id->bytes());
}

void write_limits(JsonWriter& json, const TransportParameters& p) {
  json.field("initial_max_data", p.initial_max_data);
  json.field("initial_max_stream_data_bidi_local", p.initial_max_stream_data_bidi_local);
  json.field("initial_max_stream_data_bidi_remote", p.initial_max_stream_data_bidi_remote);
  json.field("initial_max_stream_data_uni", p.initial_max_stream_data_uni);
  json.field("initial_max_streams_bidi", p.initial_max_streams_bidi);
  json.field("initial_max_streams_uni", p.initial_max_streams_uni);
  json.field("max_datagram_frame_size", p.max_datagram_frame_size);
  json.field("active_connection_id_limit", p.active_connection_id_limit);
  if (p.initial_max_path_id) json.field("initial_max_path_id", *p.initial_max_path_id);
}

void write_parameters(JsonWriter& json, const TransportParameters& p) {
  write_connection_id(json, "original_destination_connection_id", p.original_destination_connection_id);
  write_connection_id(json, "initial_source_connection_id", p.initial_source_connection_id);
  write_connection_id(json, "retry_source_connection_id", p.retry_source_connection_id);
  if (p.stateless_reset_token) json.hex("stateless_reset_token", *p.stateless_reset_token);
  json.flag("disable_active_migration", p.disable_active_migration);
  json.field("max_idle_timeout", p.max_idle_timeout);
  json.field("max_udp_payload_size", p.max_udp_payload_size);
  json.field("ack_delay_exponent", p.ack_delay_exponent);
  json.field("max_ack_delay", p.max_ack_delay);
  write_limits(json, p);
  json.flag("grease_quic_bit", p.grease_quic_bit);
  json.flag("address_advertisement", p.address_advertisement);
  json.flag("numbered_datagrams", p.numbered_datagrams);
}

}  // namespace

void write_qlog_header(std::string& record, const QlogHeader& header) {
  JsonWriter json(record);
  record = '\x1e';
  json.begin_object();
  json.field("file_schema", "urn:ietf:params:qlog:file:sequential");
  json.field("serialization_format", "application/qlog+json-seq");
  json.field("title", header.title);
  json.begin_object("trace");
  json.begin_object("vantage_point");
  json.field("name", "mpquic");
  json.field("type", header.vantage_point);
  if (header.vantage_point == "network") json.field("flow", "client");
  json.end_object();
  json.begin_array("event_schemas");
  for (const std::string_view schema : header.event_schemas) json.value(schema);
  json.end_array();
  json.begin_object("common_fields");
  if (!header.group_id.empty()) json.hex("group_id", header.group_id);
  json.field("time_format", "relative_to_epoch");
  json.begin_object("reference_time");
  json.field("clock_type", "monotonic");
  json.field("epoch", "unknown");  // main-schema §7.1: of a monotonic clock
  json.end_object();
  json.end_object();
  json.end_object();
  json.end_object();
  record += '\n';
}

QlogSink::QlogSink(Role role, const ConnectionId& original_dcid, QlogWriter writer, std::optional<Instant> epoch)
    : role_(role), writer_(std::move(writer)), start_(epoch) {
  static constexpr std::string_view kSchemas[] = {kQuicEventSchema, kPrivateEventSchema};
  write_qlog_header(record_, {.title = "mpquic",
                              .vantage_point = qlog_name(role),
                              .event_schemas = kSchemas,
                              .group_id = original_dcid.bytes()});
  writer_(record_);
}

void QlogSink::on_event(const Event& event, Instant now) {
  if (!start_) start_ = now;
  std::visit([this, now](const auto* e) { write(*e, now); }, event);
}

void QlogSink::begin(std::string_view name, Instant now, std::optional<PathId> tuple) {
  record_ = '\x1e';
  json_.begin_object();
  json_.milliseconds("time", now - *start_);
  json_.field("name", name);
  if (tuple) json_.field("tuple", tuple_id(*tuple));
  json_.begin_object("data");
}

void QlogSink::end() {
  json_.end_object();
  json_.end_object();
  record_ += '\n';
  writer_(record_);
}

std::string_view QlogSink::tuple_id(PathId path) {
  tuple_id_[0] = 'p';
  const auto [end, error] = std::to_chars(tuple_id_.data() + 1, tuple_id_.data() + tuple_id_.size(), path.value());
  return {tuple_id_.data(), static_cast<std::size_t>(end - tuple_id_.data())};
}

void QlogSink::begin_header(EncryptionLevel level, PathId path, PacketNumber number) {
  json_.begin_object("header");
  json_.field("packet_type", packet_type_of(level));
  json_.field("packet_number", number.value());
  json_.field("path_id", std::uint64_t{path.value()});
}

void QlogSink::raw(std::size_t size, std::size_t payload) {
  json_.begin_object("raw");
  json_.field("length", std::uint64_t{size});
  json_.field("payload_length", std::uint64_t{payload});
  json_.end_object();
}

void QlogSink::tuple_assigned(PathId path, const FourTuple* tuple, Instant now) {
  begin("quic:tuple_assigned", now, std::nullopt);
  json_.field("tuple_id", tuple_id(path));
  if (tuple != nullptr) {
    write_endpoint(json_, "tuple_remote", tuple->remote);
    write_endpoint(json_, "tuple_local", tuple->local);
  }
  end();
}

void QlogSink::write(const ConnectionStarted& event, Instant now) {
  begin("quic:connection_started", now, std::nullopt);
  write_endpoint(json_, "local", event.tuple.local, event.local_cid);
  write_endpoint(json_, "remote", event.tuple.remote, event.remote_cid);
  end();
  tuple_assigned(PathId{0}, &event.tuple, now);
}

void QlogSink::write(const PacketSent& event, Instant now) {
  begin("quic:packet_sent", now, event.path);
  begin_header(event.level, event.path, event.number);
  if (event.level == EncryptionLevel::one_rtt) json_.flag("key_phase_bit", event.key_phase);
  json_.end_object();
  raw(event.size, event.payload.size());
  write_frames_json(json_, event.payload, event.level, local_ack_delay_exponent_);
  end();
}

void QlogSink::write(const PacketReceived& event, Instant now) {
  begin("quic:packet_received", now, event.path);
  begin_header(event.level, event.path, event.number);
  json_.end_object();
  json_.field("ecn", qlog_name(event.ecn));
  raw(event.size, event.payload.size());
  write_frames_json(json_, event.payload, event.level, peer_ack_delay_exponent_);
  end();
}

void QlogSink::write(const PacketDropped& event, Instant now) {
  begin("quic:packet_dropped", now, std::nullopt);
  json_.begin_object("raw");
  json_.field("length", std::uint64_t{event.size});
  json_.end_object();
  json_.begin_object("details");
  json_.field("reason", name_of(event.reason));
  json_.end_object();
  json_.field("trigger", drop_trigger(event.reason));
  end();
}

void QlogSink::write(const PacketLost& event, Instant now) {
  begin("quic:packet_lost", now, event.path);
  begin_header(event.level, event.path, event.number);
  json_.end_object();
  switch (event.trigger) {
    case LossTrigger::reordering_threshold: json_.field("trigger", "reordering_threshold"); break;
    case LossTrigger::time_threshold: json_.field("trigger", "time_threshold"); break;
    case LossTrigger::path_abandoned: break;  // no word in quic-events §7.4
  }
  end();
}

void QlogSink::write(const MetricsUpdated& event, Instant now) {
  begin("quic:recovery_metrics_updated", now, event.path);
  json_.field("path_id", std::uint64_t{event.path.value()});
  json_.milliseconds("min_rtt", event.min_rtt);
  json_.milliseconds("smoothed_rtt", event.smoothed_rtt);
  json_.milliseconds("latest_rtt", event.latest_rtt);
  json_.milliseconds("rtt_variance", event.rtt_variance);
  json_.field("pto_count", std::uint64_t{event.pto_count});
  json_.field("congestion_window", event.congestion_window.value());
  json_.field("bytes_in_flight", event.bytes_in_flight.value());
  // RFC 9002 §7.3.1: it starts at infinity, which is left out.
  if (event.slow_start_threshold.value() < kMaxVarint) json_.field("ssthresh", event.slow_start_threshold.value());
  end();
}

void QlogSink::write(const PathStateChanged& event, Instant now) {
  // quic-events §4.7: a repeated assignment updates the tuple, one without endpoints ends it.
  if (event.path && (event.state == "opened" || event.state == "migrated"))
    tuple_assigned(*event.path, &event.tuple, now);
  begin("mpquic:path_state_updated", now, event.path);
  if (event.path) json_.field("path_id", std::uint64_t{event.path->value()});
  json_.field("state", event.state);
  if (!event.reason.empty()) json_.field("reason", event.reason);
  write_endpoint(json_, "tuple_remote", event.tuple.remote);
  write_endpoint(json_, "tuple_local", event.tuple.local);
  end();
  if (event.path && event.state == "closed") tuple_assigned(*event.path, nullptr, now);
}

void QlogSink::write(const SchedulerDecision& event, Instant now) {
  begin("mpquic:scheduler_decision", now, event.path);
  json_.field("path_id", std::uint64_t{event.path.value()});
  json_.field("scheduler", event.scheduler);
  json_.field("size", std::uint64_t{event.size});
  json_.flag("retransmission", event.retransmission);
  end();
}

void QlogSink::write(const Reinjected& event, Instant now) {
  begin("mpquic:reinjected", now, event.to);
  json_.field("from_path_id", std::uint64_t{event.from.value()});
  json_.field("to_path_id", std::uint64_t{event.to.value()});
  json_.field("packet_number", event.number.value());
  json_.field("stream_id", event.stream.value());
  json_.field("offset", event.offset);
  json_.field("length", event.length);
  end();
}

void QlogSink::write(const Duplicated& event, Instant now) {
  begin("mpquic:duplicated", now, event.copy);
  json_.field("original_path_id", std::uint64_t{event.original.value()});
  json_.field("copy_path_id", std::uint64_t{event.copy.value()});
  json_.field("size", std::uint64_t{event.size});
  end();
}

void QlogSink::write(const CouplingUpdated& event, Instant now) {
  begin("mpquic:coupling_updated", now, event.path);
  json_.field("path_id", std::uint64_t{event.path.value()});
  json_.field("algorithm", event.algorithm);
  json_.signed_field("alpha_millionths", event.alpha_millionths);
  json_.field("total_congestion_window", event.total_window.value());
  end();
}

void QlogSink::write(const KeyUpdated& event, Instant now) {
  for (const std::string_view key : {"client_1rtt_secret", "server_1rtt_secret"}) {  // both change (RFC 9001 §6)
    begin("quic:key_updated", now, std::nullopt);
    json_.field("key_type", key);
    json_.field("key_phase", event.generation);
    json_.field("trigger", event.initiated_locally ? "local_update" : "remote_update");
    end();
  }
}

void QlogSink::write(const StateChanged& event, Instant now) {
  begin("quic:connection_state_updated", now, std::nullopt);
  if (!state_.empty()) json_.field("old", state_);
  state_ = connection_state(event.state);
  json_.field("new", state_);
  end();
}

void QlogSink::write(const ParametersSet& event, Instant now) {
  begin("quic:parameters_set", now, std::nullopt);
  json_.field("initiator", event.local ? "local" : "remote");
  if (const auto parameters = decode(event.encoded, event.local ? role_ : peer_of(role_))) {
    (event.local ? local_ack_delay_exponent_ : peer_ack_delay_exponent_) = parameters->ack_delay_exponent;
    write_parameters(json_, *parameters);
  }
  end();
}

void QlogSink::write(const Closed& event, Instant now) {
  begin("quic:connection_closed", now, std::nullopt);
  json_.field("initiator", event.by_peer ? "remote" : "local");
  if (event.application) {
    json_.field("application_error", "unknown");
    json_.field("error_code", event.error);
  } else {
    write_transport_error(json_, "connection_error", event.error);
  }
  json_.field("reason", event.reason);
  const bool reset = event.by_peer && event.reason == kStatelessResetReason;
  json_.field("trigger", reset ? "stateless_reset" : event.application ? "application" : "error");
  end();
}

std::unique_ptr<Sink> QlogSinkFactory::make_sink(Role role, const ConnectionId& original_dcid) {
  QlogWriter writer = open_(role, original_dcid);
  if (!writer) return nullptr;
  return std::make_unique<QlogSink>(role, original_dcid, std::move(writer), epoch_);
}

}  // namespace mpquic::trace
