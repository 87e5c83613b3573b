#include "stack/trace/qlog.h"

#include <array>
#include <variant>

#include "stack/trace/qlog_frames.h"
#include "stack/wire/transport_params.h"

namespace mpquic::trace {
namespace {

std::string_view name_of(Role role) { return role == Role::client ? "client" : "server"; }

std::string_view packet_type_of(EncryptionLevel level) {
  switch (level) {
    case EncryptionLevel::initial: return "initial";
    case EncryptionLevel::zero_rtt: return "0RTT";
    case EncryptionLevel::handshake: return "handshake";
    case EncryptionLevel::one_rtt: break;
  }
  return "1RTT";
}

std::string_view name_of(LossTrigger trigger) {
  switch (trigger) {
    case LossTrigger::reordering_threshold: return "reordering_threshold";
    case LossTrigger::time_threshold: return "time_threshold";
    case LossTrigger::path_abandoned: break;
  }
  return "path_abandoned";
}

std::string_view name_of(Ecn ecn) {
  switch (ecn) {
    case Ecn::not_ect: return "Not-ECT";
    case Ecn::ect1: return "ECT(1)";
    case Ecn::ect0: return "ECT(0)";
    case Ecn::ce: break;
  }
  return "CE";
}

/// Our names for the states of a connection to qlog's, where they differ.
std::string_view connection_state(std::string_view state) {
  if (state == "handshaking") return "handshake_started";
  if (state == "confirmed") return "handshake_confirmed";
  return state;
}

void write_address(JsonWriter& json, std::string_view key, const SocketAddress& address) {
  json.begin_object(key);
  json.field("ip", address.ip.to_string());
  json.field("port", std::uint64_t{address.port});
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
  if (p.stateless_reset_token) {
    json.begin_object("stateless_reset_token");
    json.hex("data", *p.stateless_reset_token);
    json.end_object();
  }
  json.flag("disable_active_migration", p.disable_active_migration);
  json.field("max_idle_timeout", p.max_idle_timeout);
  json.field("max_udp_payload_size", p.max_udp_payload_size);
  json.field("ack_delay_exponent", p.ack_delay_exponent);
  json.field("max_ack_delay", p.max_ack_delay);
  write_limits(json, p);
  json.flag("grease_quic_bit", p.grease_quic_bit);
  json.flag("address_advertisement", p.address_advertisement);
}

}  // namespace

QlogSink::QlogSink(Role role, const ConnectionId& original_dcid, QlogWriter writer)
    : role_(role), writer_(std::move(writer)) {
  record_ = '\x1e';
  json_.begin_object();
  json_.field("qlog_version", "0.3");
  json_.field("qlog_format", "JSON-SEQ");
  json_.field("title", "mpquic");
  json_.begin_object("trace");
  json_.begin_object("vantage_point");
  json_.field("name", "mpquic");
  json_.field("type", name_of(role));
  json_.end_object();
  json_.begin_object("common_fields");
  json_.hex("group_id", original_dcid.bytes());
  json_.hex("ODCID", original_dcid.bytes());
  json_.begin_array("protocol_type");
  json_.value("QUIC");
  json_.end_array();
  json_.field("time_format", "relative");
  json_.field("reference_time", std::uint64_t{0});
  json_.end_object();
  json_.end_object();
  json_.end_object();
  record_ += '\n';
  writer_(record_);
}

void QlogSink::on_event(const Event& event, Instant now) {
  if (!start_) start_ = now;
  std::visit([this, now](const auto& e) { write(e, now); }, event);
}

void QlogSink::begin(std::string_view name, Instant now) {
  record_ = '\x1e';
  json_.begin_object();
  json_.milliseconds("time", now - *start_);
  json_.field("name", name);
  json_.begin_object("data");
}

void QlogSink::end() {
  json_.end_object();
  json_.end_object();
  record_ += '\n';
  writer_(record_);
}

void QlogSink::packet_header(EncryptionLevel level, PathId path, PacketNumber number) {
  json_.begin_object("header");
  json_.field("packet_type", packet_type_of(level));
  json_.field("packet_number", number.value());
  json_.end_object();
  json_.field("path_id", std::uint64_t{path.value()});
}

void QlogSink::raw(std::size_t size, std::size_t payload) {
  json_.begin_object("raw");
  json_.field("length", std::uint64_t{size});
  json_.field("payload_length", std::uint64_t{payload});
  json_.end_object();
}

void QlogSink::write(const PacketSent& event, Instant now) {
  begin("transport:packet_sent", now);
  packet_header(event.level, event.path, event.number);
  if (event.level == EncryptionLevel::one_rtt) json_.field("key_phase", std::uint64_t{event.key_phase});
  raw(event.size, event.payload.size());
  write_frames_json(json_, event.payload, event.level, local_ack_delay_exponent_);
  end();
}

void QlogSink::write(const PacketReceived& event, Instant now) {
  begin("transport:packet_received", now);
  packet_header(event.level, event.path, event.number);
  json_.field("ecn", name_of(event.ecn));
  raw(event.size, event.payload.size());
  write_frames_json(json_, event.payload, event.level, peer_ack_delay_exponent_);
  end();
}

void QlogSink::write(const PacketDropped& event, Instant now) {
  begin("transport:packet_dropped", now);
  json_.begin_object("raw");
  json_.field("length", std::uint64_t{event.size});
  json_.end_object();
  json_.field("trigger", mpquic::name_of(event.reason));
  end();
}

void QlogSink::write(const PacketLost& event, Instant now) {
  begin("recovery:packet_lost", now);
  packet_header(event.level, event.path, event.number);
  json_.field("trigger", name_of(event.trigger));
  end();
}

void QlogSink::write(const MetricsUpdated& event, Instant now) {
  begin("recovery:metrics_updated", now);
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
  begin("connectivity:path_updated", now);
  json_.field("path_id", std::uint64_t{event.path.value()});
  json_.field("state", event.state);
  if (!event.reason.empty()) json_.field("reason", event.reason);
  json_.begin_object("tuple");
  write_address(json_, "local", event.tuple.local);
  write_address(json_, "remote", event.tuple.remote);
  json_.end_object();
  end();
}

void QlogSink::write(const SchedulerDecision& event, Instant now) {
  begin("mpquic:scheduler_decision", now);
  json_.field("path_id", std::uint64_t{event.path.value()});
  json_.field("scheduler", event.scheduler);
  json_.field("size", std::uint64_t{event.size});
  json_.flag("retransmission", event.retransmission);
  end();
}

void QlogSink::write(const KeyUpdated& event, Instant now) {
  for (const std::string_view key : {"client_1rtt_secret", "server_1rtt_secret"}) {  // both change (RFC 9001 §6)
    begin("security:key_updated", now);
    json_.field("key_type", key);
    json_.field("generation", event.generation);
    json_.field("trigger", event.initiated_locally ? "local_update" : "remote_update");
    end();
  }
}

void QlogSink::write(const StateChanged& event, Instant now) {
  begin("connectivity:connection_state_updated", now);
  if (!state_.empty()) json_.field("old", state_);
  state_ = connection_state(event.state);
  json_.field("new", state_);
  end();
}

void QlogSink::write(const ParametersSet& event, Instant now) {
  begin("transport:parameters_set", now);
  json_.field("owner", event.local ? "local" : "remote");
  if (const auto parameters = decode(event.encoded, event.local ? role_ : peer_of(role_))) {
    (event.local ? local_ack_delay_exponent_ : peer_ack_delay_exponent_) = parameters->ack_delay_exponent;
    write_parameters(json_, *parameters);
  }
  end();
}

void QlogSink::write(const Closed& event, Instant now) {
  begin("connectivity:connection_closed", now);
  json_.field("owner", event.by_peer ? "remote" : "local");
  json_.field(event.application ? "application_code" : "connection_code", event.error);
  json_.field("reason", event.reason);
  end();
}

std::unique_ptr<Sink> QlogSinkFactory::make_sink(Role role, const ConnectionId& original_dcid) {
  QlogWriter writer = open_(role, original_dcid);
  if (!writer) return nullptr;
  return std::make_unique<QlogSink>(role, original_dcid, std::move(writer));
}

}  // namespace mpquic::trace
