// Every frame once or more, with the bytes that encode() must give: written out by hand from the RFCs.
#pragma once

#include <vector>

#include "tests/unit/wire/wire_testing.h"

namespace mpquic::testing {

struct FrameSample {
  const char* name;
  Frame frame;
  Blob bytes;
};

namespace samples {

inline constexpr ChallengeData kChallenge = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4},
                                             std::byte{5}, std::byte{6}, std::byte{7}, std::byte{8}};
inline constexpr StatelessResetToken kToken = {std::byte{0xaa}};
inline const std::string kTokenHex = "aa000000000000000000000000000000";
inline constexpr PathId kPath{5};
inline constexpr StreamId kStream{68};

/// 990..1000; then gap 2, length 1; gap 65, length 0.
inline AckFrame ack(bool of_path, bool with_ecn) {
  static const Blob kRanges = hex("02 01 4041 00");
  AckFrame frame;
  if (of_path) frame.path = kPath;
  frame.largest = PacketNumber{1000};
  frame.delay = 100;
  frame.first_range = 10;
  frame.range_count = 2;
  frame.ranges = kRanges;
  if (with_ecn) frame.ecn = EcnCounts{.ect0 = 1, .ect1 = 2, .ce = 64};
  return frame;
}

inline std::vector<FrameSample> core() {
  return {
      {"PADDING", PaddingFrame{3}, hex("000000")},
      {"PING", PingFrame{}, hex("01")},
      {"ACK", ack(false, false), hex("02 43e8 4064 02 0a 02014041 00")},
      {"ACK with ECN", ack(false, true), hex("03 43e8 4064 02 0a 02014041 00 01 02 4040")},
      {"RESET_STREAM", ResetStreamFrame{kStream, 7, 300}, hex("04 4044 07 412c")},
      {"STOP_SENDING", StopSendingFrame{kStream, 8}, hex("05 4044 08")},
      {"CRYPTO", CryptoFrame{5, as_bytes("hello")}, hex("06 05 05 68656c6c6f")},
      {"NEW_TOKEN", NewTokenFrame{as_bytes("tok")}, hex("07 03 746f6b")},
      {"STREAM", StreamFrame{kStream, 0, as_bytes("hi"), false}, hex("0a 4044 02 6869")},
      {"STREAM with FIN", StreamFrame{kStream, 0, as_bytes("hi"), true}, hex("0b 4044 02 6869")},
      {"STREAM with OFF", StreamFrame{kStream, 70000, as_bytes("hi"), false}, hex("0e 4044 80011170 02 6869")},
      {"empty STREAM with OFF and FIN", StreamFrame{kStream, 70000, {}, true}, hex("0f 4044 80011170 00")},
      {"MAX_DATA", MaxDataFrame{1U << 20}, hex("10 80100000")},
      {"MAX_STREAM_DATA", MaxStreamDataFrame{kStream, 99}, hex("11 4044 4063")},
      {"MAX_STREAMS bidi", MaxStreamsFrame{Directionality::bidirectional, std::uint64_t{1} << 60},
       hex("12 d000000000000000")},
      {"MAX_STREAMS uni", MaxStreamsFrame{Directionality::unidirectional, 4}, hex("13 04")},
      {"DATA_BLOCKED", DataBlockedFrame{63}, hex("14 3f")},
      {"STREAM_DATA_BLOCKED", StreamDataBlockedFrame{kStream, 64}, hex("15 4044 4040")},
      {"STREAMS_BLOCKED bidi", StreamsBlockedFrame{Directionality::bidirectional, 1}, hex("16 01")},
      {"STREAMS_BLOCKED uni", StreamsBlockedFrame{Directionality::unidirectional, std::uint64_t{1} << 60},
       hex("17 d000000000000000")},
      {"NEW_CONNECTION_ID", NewConnectionIdFrame{std::nullopt, 3, 2, cid("c1c2c3c4"), kToken},
       hex("18 03 02 04 c1c2c3c4" + kTokenHex)},
      {"RETIRE_CONNECTION_ID", RetireConnectionIdFrame{std::nullopt, 9}, hex("19 09")},
      {"PATH_CHALLENGE", PathChallengeFrame{kChallenge}, hex("1a 0102030405060708")},
      {"PATH_RESPONSE", PathResponseFrame{kChallenge}, hex("1b 0102030405060708")},
      {"CONNECTION_CLOSE", ConnectionCloseFrame{false, 0x10a, 0x3e75, as_bytes("why")}, hex("1c 410a 7e75 03 776879")},
      {"CONNECTION_CLOSE of the application", ConnectionCloseFrame{true, 1, 0, {}}, hex("1d 01 00")},
      {"HANDSHAKE_DONE", HandshakeDoneFrame{}, hex("1e")},
      {"DATAGRAM", DatagramFrame{as_bytes("dgram")}, hex("31 05 646772616d")},
      {"NUMBERED_DATAGRAM", DatagramFrame{as_bytes("dgram"), 300}, hex("4043 412c 05 646772616d")},
  };
}

inline std::vector<FrameSample> extensions() {
  const SocketAddress v4{IpAddress::v4({192, 0, 2, 1}), 443};
  const SocketAddress v6{*IpAddress::parse("2001:db8::1"), 8443};
  return {
      {"PATH_ACK", ack(true, false), hex("3e 05 43e8 4064 02 0a 02014041 00")},
      {"PATH_ACK with ECN", ack(true, true), hex("3f 05 43e8 4064 02 0a 02014041 00 01 02 4040")},
      {"PATH_ABANDON", PathAbandonFrame{5, 0x3e}, hex("7e75 05 3e")},
      {"PATH_STATUS_BACKUP", PathStatusFrame{5, 2, false}, hex("7e76 05 02")},
      {"PATH_STATUS_AVAILABLE", PathStatusFrame{5, 3, true}, hex("7e77 05 03")},
      {"PATH_NEW_CONNECTION_ID", NewConnectionIdFrame{kPath, 3, 3, cid("c1"), kToken},
       hex("7e78 05 03 03 01 c1" + kTokenHex)},
      {"PATH_RETIRE_CONNECTION_ID", RetireConnectionIdFrame{PathId{UINT32_MAX}, 9}, hex("7e79 c0000000ffffffff 09")},
      {"MAX_PATH_ID", MaxPathIdFrame{12}, hex("7e7a 0c")},
      {"PATHS_BLOCKED", PathsBlockedFrame{12}, hex("7e7b 0c")},
      {"PATH_CIDS_BLOCKED", PathCidsBlockedFrame{5, 4}, hex("7e7c 05 04")},
      {"ADD_ADDRESS v4", AddAddressFrame{1, 2, v4}, hex("4040 01 02 04 c0000201 01bb")},
      {"ADD_ADDRESS v6", AddAddressFrame{1, 2, v6}, hex("4040 01 02 06 20010db8000000000000000000000001 20fb")},
      {"PATHS", PathsFrame{6, 2}, hex("4041 06 02")},
      {"CLOSE_PATH", ClosePathFrame{5, 0x3e76, as_bytes("bad")}, hex("4042 05 7e76 03 626164")},
  };
}

}  // namespace samples

/// The frames refer to static storage.
inline std::vector<FrameSample> frame_samples() {
  std::vector<FrameSample> all = samples::core();
  for (FrameSample& sample : samples::extensions()) all.push_back(std::move(sample));
  return all;
}

}  // namespace mpquic::testing
