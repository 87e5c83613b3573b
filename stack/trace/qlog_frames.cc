#include "stack/trace/qlog_frames.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <variant>

#include "stack/trace/qlog_names.h"
#include "stack/wire/frame.h"
#include "stack/wire/frame_decode.h"

namespace mpquic::trace {
namespace {

/// The first bytes of what could not be decoded that are shown.
constexpr std::size_t kMaxUnknownBytes = 16;

std::string_view name_of(Directionality dir) {
  return dir == Directionality::bidirectional ? "bidirectional" : "unidirectional";
}

/// One overload per frame: a new frame does not compile until it is here. Field names follow
/// draft-ietf-quic-qlog-quic-events; those of the extensions follow the names in their specifications.
struct FrameJson {
  JsonWriter& json;
  std::uint64_t ack_delay_exponent;

  void type(std::string_view name) const { json.field("frame_type", name); }
  void stream(StreamId id) const { json.field("stream_id", id.value()); }
  /// quic-events §8.13: the frame's Length field, or how much data it holds.
  void length(std::size_t bytes, std::string_view key = "length") const {
    json.begin_object("raw");
    json.field(key, std::uint64_t{bytes});
    json.end_object();
  }
  /// quic-events §8.13.25: no application protocol has names for its errors here.
  void application_error(std::uint64_t code) const {
    json.field("error", "unknown");
    json.field("error_code", code);
  }

  void operator()(const PaddingFrame& f) const {
    type("padding");
    length(f.length, "payload_length");
  }
  void operator()(const PingFrame&) const { type("ping"); }
  void operator()(const AckFrame& f) const {
    type(f.path ? "path_ack" : "ack");
    if (f.path) json.field("path_id", f.path->value());
    json.milliseconds("ack_delay", ack_delay(f.delay));
    json.begin_array("acked_ranges");
    for_each_range(f, [this](PacketNumber smallest, PacketNumber largest) {
      json.begin_array();
      json.value(smallest.value());
      if (largest != smallest) json.value(largest.value());  // quic-events §8.13.3: [7], not [7,7]
      json.end_array();
    });
    json.end_array();
    if (!f.ecn) return;
    json.field("ect0", f.ecn->ect0);
    json.field("ect1", f.ecn->ect1);
    json.field("ce", f.ecn->ce);
  }
  void operator()(const ResetStreamFrame& f) const {
    type("reset_stream");
    stream(f.id);
    application_error(f.error);
    json.field("final_size", f.final_size);
  }
  void operator()(const StopSendingFrame& f) const {
    type("stop_sending");
    stream(f.id);
    application_error(f.error);
  }
  void operator()(const CryptoFrame& f) const {
    type("crypto");
    json.field("offset", f.offset);
    length(f.data.size());
  }
  void operator()(const NewTokenFrame& f) const {
    type("new_token");
    json.begin_object("token");
    json.field("type", "resumption");
    json.begin_object("raw");
    json.field("length", std::uint64_t{f.token.size()});
    json.hex("data", f.token);
    json.end_object();
    json.end_object();
  }
  void operator()(const StreamFrame& f) const {
    type("stream");
    stream(f.id);
    json.field("offset", f.offset);
    length(f.data.size());
    json.flag("fin", f.fin);
  }
  void operator()(const MaxDataFrame& f) const {
    type("max_data");
    json.field("maximum", f.maximum);
  }
  void operator()(const MaxStreamDataFrame& f) const {
    type("max_stream_data");
    stream(f.id);
    json.field("maximum", f.maximum);
  }
  void operator()(const MaxStreamsFrame& f) const {
    type("max_streams");
    json.field("stream_type", name_of(f.dir));
    json.field("maximum", f.maximum);
  }
  void operator()(const DataBlockedFrame& f) const {
    type("data_blocked");
    json.field("limit", f.limit);
  }
  void operator()(const StreamDataBlockedFrame& f) const {
    type("stream_data_blocked");
    stream(f.id);
    json.field("limit", f.limit);
  }
  void operator()(const StreamsBlockedFrame& f) const {
    type("streams_blocked");
    json.field("stream_type", name_of(f.dir));
    json.field("limit", f.limit);
  }
  void operator()(const NewConnectionIdFrame& f) const {
    type(f.path ? "path_new_connection_id" : "new_connection_id");
    if (f.path) json.field("path_id", f.path->value());
    json.field("sequence_number", f.sequence);
    json.field("retire_prior_to", f.retire_prior_to);
    json.field("connection_id_length", std::uint64_t{f.id.size()});
    json.hex("connection_id", f.id.bytes());
    json.hex("stateless_reset_token", f.reset_token);
  }
  void operator()(const RetireConnectionIdFrame& f) const {
    type(f.path ? "path_retire_connection_id" : "retire_connection_id");
    if (f.path) json.field("path_id", f.path->value());
    json.field("sequence_number", f.sequence);
  }
  void operator()(const PathChallengeFrame& f) const {
    type("path_challenge");
    json.hex("data", f.data);
  }
  void operator()(const PathResponseFrame& f) const {
    type("path_response");
    json.hex("data", f.data);
  }
  void operator()(const ConnectionCloseFrame& f) const {
    type("connection_close");
    json.field("error_space", f.application ? "application" : "transport");
    if (f.application)
      application_error(f.error);
    else
      write_transport_error(json, "error", f.error);
    json.field("reason", as_text(f.reason));
    if (!f.application) json.field("trigger_frame_type", f.frame_type);
  }
  void operator()(const HandshakeDoneFrame&) const { type("handshake_done"); }
  void operator()(const DatagramFrame& f) const {
    type(f.number ? "numbered_datagram" : "datagram");
    if (f.number) json.field("datagram_number", *f.number);
    length(f.data.size());
  }
  void operator()(const PathAbandonFrame& f) const {
    type("path_abandon");
    json.field("path_id", f.path);
    json.field("error_code", f.error);
  }
  void operator()(const PathStatusFrame& f) const {
    type(f.available ? "path_status_available" : "path_status_backup");
    json.field("path_id", f.path);
    json.field("path_status_sequence_number", f.sequence);
  }
  void operator()(const MaxPathIdFrame& f) const {
    type("max_path_id");
    json.field("maximum_path_id", f.maximum);
  }
  void operator()(const PathsBlockedFrame& f) const {
    type("paths_blocked");
    json.field("maximum_path_id", f.maximum);
  }
  void operator()(const PathCidsBlockedFrame& f) const {
    type("path_cids_blocked");
    json.field("path_id", f.path);
    json.field("next_sequence_number", f.next_sequence);
  }
  void operator()(const AddAddressFrame& f) const {
    type("add_address");
    json.field("address_id", f.address_id);
    json.field("sequence_number", f.sequence);
    write_endpoint_fields(json, f.address);
  }
  void operator()(const PathsFrame& f) const {
    type("paths");
    json.field("available", f.available);
    json.field("active", f.active);
  }
  void operator()(const ClosePathFrame& f) const {
    type("close_path");
    json.field("path_id", f.path);
    json.field("error_code", f.error);
    json.field("reason", as_text(f.reason));
  }

 private:
  /// A peer's delay may be too long for a Duration: it is only shown.
  [[nodiscard]] Duration ack_delay(std::uint64_t wire) const {
    constexpr auto kMost =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(Duration::max()).count());
    const std::uint64_t most_wire = kMost >> ack_delay_exponent;
    return std::chrono::microseconds(std::min(wire, most_wire) << ack_delay_exponent);
  }
};

}  // namespace

void write_frames_json(JsonWriter& json, Bytes payload, EncryptionLevel level, std::uint64_t ack_delay_exponent) {
  json.begin_array("frames");
  FrameDecoder decoder(payload, level,
                       {.multipath = true, .address_advertisement = true, .datagram = true, .numbered_datagram = true});
  while (const auto frame = decoder.next()) {
    json.begin_object();
    if (*frame) {
      std::visit(FrameJson{json, ack_delay_exponent}, **frame);
    } else {
      json.field("frame_type", "unknown");
      json.field("frame_type_bytes", frame->error().frame_type);
      json.begin_object("raw");
      json.hex("data", payload.first(std::min(payload.size(), kMaxUnknownBytes)));
      json.end_object();
    }
    json.end_object();
  }
  json.end_array();
}

}  // namespace mpquic::trace
