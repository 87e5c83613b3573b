#include "stack/trace/qlog.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "stack/wire/frame_decode.h"
#include "stack/wire/frame_writer.h"
#include "stack/wire/transport_params.h"

namespace mpquic::trace {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

const ConnectionId kOdcid(as_bytes("\x01\x02\xab\xcd"));

class QlogTest : public ::testing::Test {
 protected:
  QlogTest() : sink(Role::client, kOdcid, [this](std::string_view record) { records.emplace_back(record); }) {}

  /// Record `i`, checked for its RFC 7464 frame. 0 is the header.
  json record(std::size_t i) const {
    const std::string& text = records.at(i);
    EXPECT_EQ(text.front(), '\x1e');
    EXPECT_EQ(text.back(), '\n');
    EXPECT_EQ(text.find('\x1e', 1), std::string::npos);
    return json::parse(text.substr(1));
  }
  /// The record that an event makes.
  template <class E>
  json emit(const E& event, Instant at = Instant{}) {
    sink.on_event(&event, at);
    return record(records.size() - 1);
  }
  /// The one frame of a 1-RTT packet as qlog shows it.
  json shown(const Frame& frame) {
    std::array<std::byte, 1200> bytes;
    TokenList tokens;
    FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
    EXPECT_TRUE(writer.write(frame));
    const json event = emit(PacketSent{.path = {}, .number = {}, .payload = Bytes(bytes).first(writer.size())});
    EXPECT_EQ(event["data"]["frames"].size(), 1U) << event;
    return event["data"]["frames"].at(0);
  }
  json shown_payload(Bytes payload) {
    return emit(PacketReceived{.path = {}, .number = {}, .payload = payload})["data"]["frames"];
  }

  std::vector<std::string> records;
  QlogSink sink;
};

TEST_F(QlogTest, BeginsWithAHeaderRecord) {
  ASSERT_EQ(records.size(), 1U);
  const json header = record(0);
  EXPECT_EQ(header["file_schema"], "urn:ietf:params:qlog:file:sequential");
  EXPECT_EQ(header["serialization_format"], "application/qlog+json-seq");
  EXPECT_EQ(header["trace"]["event_schemas"],
            json::parse(R"(["urn:ietf:params:qlog:events:quic-13","urn:x-mpquic:qlog:events:mpquic-1"])"));
  EXPECT_EQ(header["trace"]["vantage_point"]["type"], "client");
  EXPECT_EQ(header["trace"]["common_fields"]["group_id"], "0102abcd");
  EXPECT_EQ(header["trace"]["common_fields"]["time_format"], "relative_to_epoch");
  EXPECT_EQ(header["trace"]["common_fields"]["reference_time"]["clock_type"], "monotonic");
  EXPECT_EQ(header["trace"]["common_fields"]["reference_time"]["epoch"], "unknown");
}

TEST_F(QlogTest, TimesAreMillisecondsSinceTheFirstEvent) {
  const Instant start = Instant{} + 1234567h;
  EXPECT_EQ(emit(StateChanged{"attempted"}, start)["time"], 0);
  EXPECT_EQ(emit(StateChanged{"attempted"}, start + 1ms)["time"], 1);
  emit(StateChanged{"attempted"}, start + 2ms + 30ns);
  EXPECT_TRUE(records.back().find("\"time\":2.00003,") != std::string::npos) << records.back();
  emit(StateChanged{"attempted"}, start + 1000s + 500us);
  EXPECT_TRUE(records.back().find("\"time\":1000000.5,") != std::string::npos) << records.back();
}

TEST_F(QlogTest, TracesOfOneEpochShareTheirTimeline) {
  std::string last;
  QlogSink late(
      Role::server, kOdcid, [&last](std::string_view record) { last = record; }, Instant{});
  const StateChanged attempted{"attempted"};
  late.on_event(&attempted, Instant{} + 40ms);
  EXPECT_EQ(json::parse(last.substr(1))["time"], 40);
}

TEST_F(QlogTest, PacketsShowHeaderPathAndSizes) {
  const std::array payload{std::byte{0x01}};
  const json sent = emit(PacketSent{.level = EncryptionLevel::handshake,
                                    .path = PathId{0},
                                    .number = PacketNumber{7},
                                    .size = 99,
                                    .payload = payload});
  EXPECT_EQ(sent["name"], "quic:packet_sent");
  EXPECT_EQ(sent["data"]["header"]["packet_type"], "handshake");
  EXPECT_EQ(sent["data"]["header"]["packet_number"], 7);
  EXPECT_EQ(sent["data"]["raw"]["length"], 99);
  EXPECT_EQ(sent["data"]["frames"].at(0)["frame_type"], "ping");

  const json received = emit(
      PacketReceived{.path = PathId{3}, .number = PacketNumber{1}, .size = 40, .payload = payload, .ecn = Ecn::ce});
  EXPECT_EQ(received["name"], "quic:packet_received");
  EXPECT_EQ(received["data"]["header"]["packet_type"], "1RTT");
  EXPECT_EQ(received["data"]["header"]["path_id"], 3);
  EXPECT_EQ(received["tuple"], "p3");
  EXPECT_EQ(received["data"]["ecn"], "CE");
}

TEST_F(QlogTest, ShowsStreamFrames) {
  const json frame = shown(StreamFrame{StreamId{8}, 1000, as_bytes("abc"), true});
  EXPECT_EQ(frame["frame_type"], "stream");
  EXPECT_EQ(frame["stream_id"], 8);
  EXPECT_EQ(frame["offset"], 1000);
  EXPECT_EQ(frame["raw"]["length"], 3);
  EXPECT_EQ(frame["fin"], true);
}

TEST_F(QlogTest, ShowsAcknowledgedRangesAndDelay) {
  std::array<std::byte, 200> bytes;
  TokenList tokens;
  FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
  IntervalSet received;
  received.insert(1, 4);
  received.insert(6, 11);
  received.insert(20, 21);
  ASSERT_TRUE(writer.write_ack(PathId{2}, received, 125, EcnCounts{5, 0, 1}, 10, {}));
  const json frames = shown_payload(Bytes(bytes).first(writer.size()));
  const json& ack = frames.at(0);
  EXPECT_EQ(ack["frame_type"], "path_ack");
  EXPECT_EQ(ack["path_id"], 2);
  EXPECT_EQ(ack["acked_ranges"], json::parse("[[20],[6,10],[1,3]]"));
  EXPECT_EQ(ack["ack_delay"], 1) << "125 * 2^3 us";
  EXPECT_EQ(ack["ect0"], 5);
  EXPECT_EQ(ack["ce"], 1);
}

TEST_F(QlogTest, AnAbsurdAckDelayIsShownAndDoesNotOverflow) {
  std::array<std::byte, 200> bytes;
  TokenList tokens;
  FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
  IntervalSet received;
  received.insert(1, 4);
  ASSERT_TRUE(writer.write_ack(std::nullopt, received, kMaxVarint, std::nullopt, 10, {}));
  const json frames = shown_payload(Bytes(bytes).first(writer.size()));
  EXPECT_GT(frames.at(0)["ack_delay"].get<double>(), 1e12);
}

/// One of each frame that is no ACK, and what qlog calls it.
std::vector<std::pair<Frame, std::string>> every_frame() {
  const ConnectionId id(as_bytes("12345678"));
  const SocketAddress address = *SocketAddress::parse("192.0.2.1:443");
  return {
      {PaddingFrame{3}, "padding"},
      {PingFrame{}, "ping"},
      {ResetStreamFrame{StreamId{4}, 1, 2}, "reset_stream"},
      {StopSendingFrame{StreamId{4}, 1}, "stop_sending"},
      {CryptoFrame{5, as_bytes("hello")}, "crypto"},
      {NewTokenFrame{as_bytes("token")}, "new_token"},
      {MaxDataFrame{10}, "max_data"},
      {MaxStreamDataFrame{StreamId{4}, 10}, "max_stream_data"},
      {MaxStreamsFrame{Directionality::unidirectional, 10}, "max_streams"},
      {DataBlockedFrame{10}, "data_blocked"},
      {StreamDataBlockedFrame{StreamId{4}, 10}, "stream_data_blocked"},
      {StreamsBlockedFrame{Directionality::bidirectional, 10}, "streams_blocked"},
      {NewConnectionIdFrame{std::nullopt, 2, 1, id, {}}, "new_connection_id"},
      {NewConnectionIdFrame{PathId{1}, 2, 1, id, {}}, "path_new_connection_id"},
      {RetireConnectionIdFrame{std::nullopt, 2}, "retire_connection_id"},
      {RetireConnectionIdFrame{PathId{1}, 2}, "path_retire_connection_id"},
      {PathChallengeFrame{}, "path_challenge"},
      {PathResponseFrame{}, "path_response"},
      {ConnectionCloseFrame{false, 7, 8, as_bytes("why")}, "connection_close"},
      {ConnectionCloseFrame{true, 7, 0, as_bytes("why")}, "connection_close"},
      {HandshakeDoneFrame{}, "handshake_done"},
      {DatagramFrame{as_bytes("unreliable")}, "datagram"},
      {PathAbandonFrame{1, 2}, "path_abandon"},
      {PathStatusFrame{1, 2, true}, "path_status_available"},
      {PathStatusFrame{1, 2, false}, "path_status_backup"},
      {MaxPathIdFrame{9}, "max_path_id"},
      {PathsBlockedFrame{9}, "paths_blocked"},
      {PathCidsBlockedFrame{1, 4}, "path_cids_blocked"},
      {AddAddressFrame{1, 2, address}, "add_address"},
      {PathsFrame{3, 2}, "paths"},
      {ClosePathFrame{1, 2, as_bytes("bye")}, "close_path"},
  };
}

TEST_F(QlogTest, ShowsEveryFrame) {
  for (const auto& [frame, name] : every_frame()) EXPECT_EQ(shown(frame)["frame_type"], name);
}

TEST_F(QlogTest, NamesErrors) {
  EXPECT_EQ(shown(ConnectionCloseFrame{false, 0x0a, 8, {}})["error"], "protocol_violation");
  EXPECT_EQ(shown(ConnectionCloseFrame{false, 0x12a, 0, {}})["error"], "crypto_error_0x12a");
  EXPECT_EQ(shown(ConnectionCloseFrame{false, 0x3e76, 0, {}})["error"], "path_unstable_or_poor");
  const json unknown = shown(ConnectionCloseFrame{false, 0x7777, 0, {}});
  EXPECT_EQ(unknown["error"], "unknown");
  EXPECT_EQ(unknown["error_code"], 0x7777);
  const json application = shown(ConnectionCloseFrame{true, 0x0a, 0, {}});
  EXPECT_EQ(application["error_space"], "application");
  EXPECT_EQ(application["error"], "unknown");
  EXPECT_EQ(application["error_code"], 0x0a);
}

TEST_F(QlogTest, ShowsMultipathFields) {  // draft-ietf-quic-multipath-21 §4
  EXPECT_EQ(shown(PathAbandonFrame{5, 0x3e76})["path_id"], 5);
  EXPECT_EQ(shown(PathAbandonFrame{5, 0x3e76})["error_code"], 0x3e76);
  EXPECT_EQ(shown(PathStatusFrame{5, 6, false})["path_status_sequence_number"], 6);
  EXPECT_EQ(shown(NewConnectionIdFrame{PathId{4}, 2, 1, kOdcid, {}})["path_id"], 4);
  EXPECT_EQ(shown(NewConnectionIdFrame{PathId{4}, 2, 1, kOdcid, {}})["connection_id"], "0102abcd");
}

TEST_F(QlogTest, ReasonsOfAnyBytesStayValidJson) {
  std::string reason;
  for (int c = 0; c < 256; ++c) reason += static_cast<char>(c);
  const json frame = shown(ConnectionCloseFrame{true, 7, 0, as_bytes(reason)});
  const std::string back = frame["reason"].get<std::string>();
  EXPECT_EQ(back.substr(0, 128), reason.substr(0, 128));
}

TEST_F(QlogTest, ShowsWhatCannotBeDecoded) {
  const std::array garbage{std::byte{0x01}, std::byte{0x1f}, std::byte{0xff}};
  const json frames = shown_payload(garbage);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames.at(0)["frame_type"], "ping");
  EXPECT_EQ(frames.at(1)["frame_type"], "unknown");
  EXPECT_TRUE(frames.at(1).contains("frame_type_bytes"));
}

TEST_F(QlogTest, IntegersBeyondDoublePrecisionAreStrings) {
  EXPECT_EQ(shown(MaxDataFrame{(1ULL << 53) - 1})["maximum"], (1ULL << 53) - 1);
  EXPECT_EQ(shown(MaxDataFrame{1ULL << 53})["maximum"], "9007199254740992");
}

TEST_F(QlogTest, ShowsDropsAndLosses) {
  const json dropped = emit(PacketDropped{DropReason::decryption_failed, 77});
  EXPECT_EQ(dropped["name"], "quic:packet_dropped");
  EXPECT_EQ(dropped["data"]["raw"]["length"], 77);
  EXPECT_EQ(dropped["data"]["trigger"], "decryption_failure");
  EXPECT_EQ(dropped["data"]["details"]["reason"], name_of(DropReason::decryption_failed));
  const json lost =
      emit(PacketLost{.path = PathId{1}, .number = PacketNumber{9}, .trigger = LossTrigger::time_threshold});
  EXPECT_EQ(lost["name"], "quic:packet_lost");
  EXPECT_EQ(lost["data"]["header"]["packet_number"], 9);
  EXPECT_EQ(lost["data"]["header"]["path_id"], 1);
  EXPECT_EQ(lost["tuple"], "p1");
  EXPECT_EQ(lost["data"]["trigger"], "time_threshold");
}

TEST_F(QlogTest, ShowsMetricsOfAPath) {
  MetricsUpdated metrics{.path = PathId{2},
                         .smoothed_rtt = 20ms,
                         .latest_rtt = 30500us,
                         .min_rtt = 10ms,
                         .rtt_variance = 1ms,
                         .pto_count = 1,
                         .congestion_window = ByteCount{12000},
                         .bytes_in_flight = ByteCount{2400},
                         .slow_start_threshold = ByteCount{UINT64_MAX}};
  json event = emit(metrics);
  EXPECT_EQ(event["name"], "quic:recovery_metrics_updated");
  EXPECT_EQ(event["data"]["path_id"], 2);
  EXPECT_EQ(event["data"]["latest_rtt"], 30.5);
  EXPECT_EQ(event["data"]["congestion_window"], 12000);
  EXPECT_FALSE(event["data"].contains("ssthresh")) << "infinite";
  metrics.slow_start_threshold = ByteCount{6000};
  EXPECT_EQ(emit(metrics)["data"]["ssthresh"], 6000);
}

TEST_F(QlogTest, ShowsPathsWithTheirTuples) {
  const FourTuple tuple{*SocketAddress::parse("10.0.0.1:1000"), *SocketAddress::parse("[2001:db8::1]:443")};
  const json event = emit(PathStateChanged{PathId{1}, tuple, "validated", {}});
  EXPECT_EQ(event["name"], "mpquic:path_state_updated");
  EXPECT_EQ(event["tuple"], "p1");
  EXPECT_EQ(event["data"]["path_id"], 1);
  EXPECT_EQ(event["data"]["state"], "validated");
  EXPECT_EQ(event["data"]["tuple_local"]["ip_v4"], "10.0.0.1");
  EXPECT_EQ(event["data"]["tuple_remote"]["port_v6"], 443);
  EXPECT_FALSE(emit(PathStateChanged{std::nullopt, tuple, "refused", {}})["data"].contains("path_id"));
}

TEST_F(QlogTest, TuplesAreAssignedChangedAndGivenUpWithTheirPath) {  // quic-events, tuple_assigned
  const FourTuple tuple{*SocketAddress::parse("10.0.0.1:1000"), *SocketAddress::parse("192.0.2.1:443")};
  emit(ConnectionStarted{tuple, kOdcid, kOdcid});
  const json started = record(records.size() - 2);
  EXPECT_EQ(started["name"], "quic:connection_started");
  EXPECT_EQ(started["data"]["local"]["ip_v4"], "10.0.0.1");
  EXPECT_EQ(started["data"]["local"]["connection_ids"], json::parse(R"(["0102abcd"])"));
  json assigned = record(records.size() - 1);
  EXPECT_EQ(assigned["name"], "quic:tuple_assigned");
  EXPECT_EQ(assigned["data"]["tuple_id"], "p0");
  EXPECT_EQ(assigned["data"]["tuple_remote"]["port_v4"], 443);

  emit(PathStateChanged{PathId{12}, tuple, "migrated", {}});
  assigned = record(records.size() - 2);
  EXPECT_EQ(assigned["data"]["tuple_id"], "p12");
  EXPECT_EQ(assigned["data"]["tuple_local"]["port_v4"], 1000);

  assigned = emit(PathStateChanged{PathId{12}, tuple, "closed", {}});
  EXPECT_EQ(assigned["data"], json::parse(R"({"tuple_id":"p12"})"));
}

TEST_F(QlogTest, ShowsOurOwnEvents) {
  const json decision = emit(SchedulerDecision{PathId{1}, "min_rtt", 1200, true});
  EXPECT_EQ(decision["name"], "mpquic:scheduler_decision");
  EXPECT_EQ(decision["data"]["scheduler"], "min_rtt");
  const json again = emit(Reinjected{PathId{2}, PathId{0}, PacketNumber{5}, StreamId{4}, 100, 50});
  EXPECT_EQ(again["name"], "mpquic:reinjected");
  EXPECT_EQ(again["data"]["from_path_id"], 2);
  EXPECT_EQ(again["data"]["to_path_id"], 0);
  EXPECT_EQ(again["data"]["offset"], 100);
  const json twice = emit(Duplicated{PathId{1}, PathId{3}, 900});
  EXPECT_EQ(twice["name"], "mpquic:duplicated");
  EXPECT_EQ(twice["data"]["copy_path_id"], 3);
  const json coupling = emit(CouplingUpdated{PathId{1}, "lia", 500'000, ByteCount{30000}});
  EXPECT_EQ(coupling["name"], "mpquic:coupling_updated");
  EXPECT_EQ(coupling["data"]["algorithm"], "lia");
  EXPECT_EQ(coupling["data"]["alpha_millionths"], 500'000);
  EXPECT_EQ(coupling["data"]["total_congestion_window"], 30000);
  const json negative = emit(CouplingUpdated{PathId{1}, "olia", -250'000, ByteCount{30000}});
  EXPECT_EQ(negative["data"]["alpha_millionths"], -250'000);
  const json least = emit(CouplingUpdated{PathId{1}, "olia", INT64_MIN, ByteCount{30000}});
  EXPECT_EQ(least["data"]["alpha_millionths"], "-9223372036854775808");  // as all integers beyond 2^53
}

TEST_F(QlogTest, ShowsStateChangesKeysAndTheEnd) {
  emit(StateChanged{"complete"});
  const json state = emit(StateChanged{"confirmed"});
  EXPECT_EQ(state["name"], "quic:connection_state_updated");
  EXPECT_EQ(state["data"]["old"], "handshake_complete");
  EXPECT_EQ(state["data"]["new"], "handshake_confirmed");

  const json key = emit(KeyUpdated{true, 3});
  EXPECT_EQ(key["name"], "quic:key_updated");
  EXPECT_EQ(key["data"]["key_phase"], 3);
  EXPECT_EQ(key["data"]["trigger"], "local_update");
  EXPECT_NE(record(records.size() - 2)["data"]["key_type"], key["data"]["key_type"]);

  const json closed = emit(Closed{.by_peer = true, .application = true, .error = 9, .reason = "done \"now\""});
  EXPECT_EQ(closed["name"], "quic:connection_closed");
  EXPECT_EQ(closed["data"]["initiator"], "remote");
  EXPECT_EQ(closed["data"]["application_error"], "unknown");
  EXPECT_EQ(closed["data"]["error_code"], 9);
  EXPECT_EQ(closed["data"]["reason"], "done \"now\"");
  EXPECT_EQ(closed["data"]["trigger"], "application");
  const json failed = emit(Closed{.error = 0x0a, .reason = "no"});
  EXPECT_EQ(failed["data"]["connection_error"], "protocol_violation");
  EXPECT_EQ(emit(Closed{.by_peer = true, .reason = "stateless reset"})["data"]["trigger"], "stateless_reset");
}

TEST_F(QlogTest, ShowsParametersAndUsesTheirAckDelayExponent) {
  TransportParameters parameters;
  parameters.initial_max_data = 4096;
  parameters.initial_max_path_id = 7;
  parameters.ack_delay_exponent = 10;
  parameters.initial_source_connection_id = kOdcid;
  std::vector<std::byte> encoded;
  encode(parameters, Role::server, encoded);
  const json event = emit(ParametersSet{.local = false, .encoded = encoded});
  EXPECT_EQ(event["name"], "quic:parameters_set");
  EXPECT_EQ(event["data"]["initiator"], "remote");
  EXPECT_EQ(event["data"]["initial_max_data"], 4096);
  EXPECT_EQ(event["data"]["initial_max_path_id"], 7);
  EXPECT_EQ(event["data"]["initial_source_connection_id"], "0102abcd");

  std::array<std::byte, 200> bytes;
  TokenList tokens;
  FrameWriter writer(bytes, EncryptionLevel::one_rtt, PathId{0}, tokens);
  IntervalSet received;
  received.insert(0, 1);
  ASSERT_TRUE(writer.write_ack(std::nullopt, received, 1000, std::nullopt, 10, {}));
  EXPECT_EQ(shown_payload(Bytes(bytes).first(writer.size())).at(0)["ack_delay"], 1024);
}

TEST(QlogSinkFactoryTest, TracesOnlyConnectionsWithAWriter) {
  std::map<Role, std::string> written;
  QlogSinkFactory factory([&written](Role role, const ConnectionId&) -> QlogWriter {
    if (role == Role::client) return nullptr;
    return [&written, role](std::string_view record) { written[role] += record; };
  });
  EXPECT_EQ(factory.make_sink(Role::client, kOdcid), nullptr);
  const auto sink = factory.make_sink(Role::server, kOdcid);
  ASSERT_NE(sink, nullptr);
  const StateChanged attempted{"attempted"};
  sink->on_event(&attempted, Instant{});
  EXPECT_NE(written[Role::server].find("\"server\""), std::string::npos);
  EXPECT_NE(written[Role::server].find("attempted"), std::string::npos);
}

}  // namespace
}  // namespace mpquic::trace
