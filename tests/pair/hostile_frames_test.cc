// Frames that break RFC 9000: each closes the connection with the code that the RFC names, and names the frame.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "stack/conn/crypto_stream.h"
#include "stack/wire/frame_encode.h"
#include "tests/pair/raw_peer.h"

namespace mpquic::test {
namespace {

using namespace std::chrono_literals;
using Closed = RawPeer::Closed;

constexpr StreamId kClientUni{2};
constexpr StreamId kClientBidi{0};
constexpr StreamId kServerUni{3};
constexpr StreamId kServerBidi{1};

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

/// A stream of windows small enough to overrun.
RawPeerOptions small_windows() {
  RawPeerOptions options;
  options.endpoint.connection.max_data = 1000;
  options.endpoint.connection.max_stream_data = 600;
  options.endpoint.connection.max_streams_bidi = options.endpoint.connection.max_streams_uni = 10;
  return options;
}

/// How a connection ends that gets these frames, one packet each; nullopt: it goes on.
std::optional<Closed> after(const std::vector<Frame>& frames, const RawPeerOptions& options = {}) {
  RawPeer peer(options);
  EXPECT_TRUE(peer.handshake());
  for (const Frame& frame : frames) {
    EXPECT_EQ(peer.closed(), std::nullopt) << "before the last frame";
    peer.send(frame);
  }
  return peer.closed();
}

std::optional<Closed> after_bytes(Bytes payload, const RawPeerOptions& options = {}) {
  RawPeer peer(options);
  EXPECT_TRUE(peer.handshake());
  peer.send_bytes(payload);
  return peer.closed();
}

Closed ends(std::uint64_t error, std::uint64_t frame_type) { return {error, frame_type}; }

StreamFrame data(StreamId id, std::uint64_t offset, Bytes bytes, bool fin = false) { return {id, offset, bytes, fin}; }

const std::vector<std::byte> kKilo(1000);
Bytes filler(std::size_t n) { return Bytes(kKilo).first(n); }

// --- §12.4: where frames may be, and what is a frame

TEST(HostileFrames, ApplicationFramesInHandshakePacketsAreProtocolViolations) {  // RFC 9000 §12.4, table 3
  std::array<std::byte, 8> cid{std::byte{1}};
  const std::vector<Frame> frames = {
      data(kClientBidi, 0, filler(1)),
      DatagramFrame{filler(1)},
      ResetStreamFrame{kClientBidi, 0, 0},
      StopSendingFrame{kClientBidi, 0},
      NewTokenFrame{filler(1)},
      MaxDataFrame{1},
      MaxStreamDataFrame{kClientBidi, 1},
      MaxStreamsFrame{Directionality::bidirectional, 1},
      NewConnectionIdFrame{.path = {}, .sequence = 1, .retire_prior_to = 0, .id = ConnectionId(cid)},
      RetireConnectionIdFrame{.path = {}, .sequence = 0},
      PathChallengeFrame{},
      PathResponseFrame{},
      ConnectionCloseFrame{.application = true, .error = 0, .frame_type = 0, .reason = {}},
      HandshakeDoneFrame{}};
  for (const auto level : {EncryptionLevel::initial, EncryptionLevel::handshake}) {
    for (const Frame& frame : frames) {
      RawPeer peer;
      peer.finishes = peer.acknowledges = false;
      peer.start();
      peer.send(frame, {.level = level, .pad_to = kMinInitialDatagram});
      ASSERT_TRUE(peer.closed()) << type_of(frame);
      EXPECT_EQ(peer.closed()->error, error::kProtocolViolation) << type_of(frame);
    }
  }
}

TEST(HostileFrames, AnUnknownTypeIsAFrameEncodingError) {  // §12.4
  EXPECT_EQ(after_bytes(bytes_of({0x21})), ends(error::kFrameEncodingError, 0x21));
}

TEST(HostileFrames, ATruncatedFrameIsAFrameEncodingError) {  // §12.4
  EXPECT_EQ(after_bytes(bytes_of({0x1a, 1, 2, 3})), ends(error::kFrameEncodingError, frame_type::kPathChallenge));
}

TEST(HostileFrames, ATypeInALongerFormThanNeededIsAProtocolViolation) {  // §12.4
  const auto closed = after_bytes(bytes_of({0x40, 0x01}));
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->error, error::kProtocolViolation);
}

TEST(HostileFrames, APacketWithoutFramesIsAProtocolViolation) {  // §12.4
  EXPECT_EQ(after_bytes({}), ends(error::kProtocolViolation, 0));
}

TEST(HostileFrames, OnlyServersSendHandshakeDoneAndTokens) {  // §19.20, §19.7
  EXPECT_EQ(after({HandshakeDoneFrame{}}), ends(error::kProtocolViolation, frame_type::kHandshakeDone));
  EXPECT_EQ(after({NewTokenFrame{filler(8)}}), ends(error::kProtocolViolation, frame_type::kNewToken));
}

TEST(HostileFrames, AnEmptyTokenIsAFrameEncodingError) {  // §19.7
  EXPECT_EQ(after_bytes(bytes_of({0x07, 0x00}), {.role = Role::server}),
            ends(error::kFrameEncodingError, frame_type::kNewToken));
}

TEST(HostileFrames, ADatagramThatWasNotOfferedIsAProtocolViolation) {  // RFC 9221 §3
  RawPeerOptions options;
  options.endpoint.connection.max_datagram_frame_size = 0;
  const auto closed = after({DatagramFrame{filler(1)}}, options);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->error, error::kProtocolViolation);
}

TEST(HostileFrames, ANumberedDatagramNeedsOurAnnouncement) {  // docs/adr/0011
  EXPECT_EQ(after({DatagramFrame{filler(1), 7}, DatagramFrame{filler(1), 7}}), std::nullopt);
  RawPeerOptions options;
  options.endpoint.connection.multipath = false;
  EXPECT_EQ(after({DatagramFrame{filler(1), 7}}, options),
            ends(error::kFrameEncodingError, frame_type::kNumberedDatagram));
}

TEST(HostileFrames, ADatagramAboveTheLimitIsAProtocolViolation) {  // RFC 9221 §3
  RawPeerOptions options;
  options.endpoint.connection.max_datagram_frame_size = 100;
  EXPECT_EQ(after({DatagramFrame{filler(90)}}, options), std::nullopt);
  const auto closed = after({DatagramFrame{filler(100)}}, options);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->error, error::kProtocolViolation);
}

// --- §13.1: acknowledgements

TEST(HostileFrames, AcknowledgingAnUnsentPacketIsAProtocolViolation) {
  EXPECT_EQ(after({AckFrame{.path = {}, .largest = PacketNumber{5000}, .ranges = {}, .ecn = {}}}),
            ends(error::kProtocolViolation, frame_type::kAck));
  const std::uint64_t huge = std::uint64_t{1} << 60;
  EXPECT_EQ(after({AckFrame{.path = {}, .largest = PacketNumber{huge}, .first_range = huge, .ranges = {}, .ecn = {}}}),
            ends(error::kProtocolViolation, frame_type::kAck));
}

TEST(HostileFrames, AnOptimisticAckOfASkippedNumberIsAProtocolViolation) {  // §21.4
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  const auto stream = peer.endpoint->open_stream(peer.handle, Directionality::unidirectional);
  ASSERT_TRUE(stream);
  const std::vector<std::byte> chunk(100'000);
  std::set<std::uint64_t> numbers;
  std::optional<std::uint64_t> skipped;
  for (int i = 0; i < 100 && !skipped; ++i) {
    ASSERT_TRUE(peer.endpoint->write(peer.handle, *stream, chunk, false));
    peer.send(PingFrame{});
    peer.run_for(20ms);
    for (const RawReceived& packet : peer.received)
      if (packet.level == EncryptionLevel::one_rtt) numbers.insert(packet.number.value());
    peer.received.clear();
    std::uint64_t expected = 0;
    for (const std::uint64_t number : numbers) {
      if (number != expected) skipped = expected;
      expected = number + 1;
    }
  }
  ASSERT_TRUE(skipped);
  ASSERT_EQ(peer.closed(), std::nullopt);  // honest ACKs left the hole open
  EXPECT_FALSE(peer.send(AckFrame{.path = {},
                                  .largest = PacketNumber{*numbers.rbegin()},
                                  .first_range = *numbers.rbegin(),
                                  .ranges = {},
                                  .ecn = {}}));
  EXPECT_EQ(peer.closed(), ends(error::kProtocolViolation, frame_type::kAck));
}

TEST(HostileFrames, AckRangesBelowZeroAreAFrameEncodingError) {  // §19.3.1
  EXPECT_EQ(after_bytes(bytes_of({0x02, 0x02, 0x00, 0x00, 0x03})), ends(error::kFrameEncodingError, frame_type::kAck));
}

// --- §4, §19: streams

TEST(HostileFrames, DataBeyondAStreamsWindowIsAFlowControlError) {  // §4.1
  EXPECT_EQ(after({data(kClientUni, 0, filler(600))}, small_windows()), std::nullopt);
  EXPECT_EQ(after({data(kClientUni, 600, filler(1))}, small_windows()),
            ends(error::kFlowControlError, frame_type::kStream));
}

TEST(HostileFrames, DataBeyondTheConnectionsWindowIsAFlowControlError) {  // §4.1
  EXPECT_EQ(after({data(kClientUni, 599, filler(1)), data(StreamId{6}, 400, filler(1))}, small_windows()),
            ends(error::kFlowControlError, frame_type::kStream));
}

TEST(HostileFrames, AResetsFinalSizeCountsAgainstTheWindows) {  // §4.5
  EXPECT_EQ(after({ResetStreamFrame{kClientUni, 0, 601}}, small_windows()),
            ends(error::kFlowControlError, frame_type::kResetStream));
  EXPECT_EQ(after({ResetStreamFrame{kClientUni, 0, kMaxVarint}}, small_windows()),
            ends(error::kFlowControlError, frame_type::kResetStream));
}

TEST(HostileFrames, AStreamBeyondTheLimitIsAStreamLimitError) {  // §4.6
  const StreamId last = make_stream_id(Role::client, Directionality::unidirectional, 9);
  const StreamId beyond = make_stream_id(Role::client, Directionality::unidirectional, 10);
  const StreamId far = make_stream_id(Role::client, Directionality::bidirectional, (std::uint64_t{1} << 60) - 1);
  EXPECT_EQ(after({data(last, 0, filler(1))}, small_windows()), std::nullopt);
  EXPECT_EQ(after({data(beyond, 0, filler(1))}, small_windows()), ends(error::kStreamLimitError, frame_type::kStream));
  EXPECT_EQ(after({StopSendingFrame{far, 0}}, small_windows()),
            ends(error::kStreamLimitError, frame_type::kStopSending));
}

TEST(HostileFrames, StreamsOfTheEndpointThatItNeverOpenedAreStreamStateErrors) {  // §19.8, §19.10
  EXPECT_EQ(after({data(kServerBidi, 0, filler(1))}), ends(error::kStreamStateError, frame_type::kStream));
  EXPECT_EQ(after({MaxStreamDataFrame{kServerBidi, 9}}), ends(error::kStreamStateError, frame_type::kMaxStreamData));
}

TEST(HostileFrames, FramesAgainstAStreamsDirectionAreStreamStateErrors) {  // §19.4, §19.5, §19.8, §19.10, §19.13
  EXPECT_EQ(after({data(kServerUni, 0, filler(1))}), ends(error::kStreamStateError, frame_type::kStream));
  EXPECT_EQ(after({ResetStreamFrame{kServerUni, 0, 0}}), ends(error::kStreamStateError, frame_type::kResetStream));
  EXPECT_EQ(after({StreamDataBlockedFrame{kServerUni, 0}}),
            ends(error::kStreamStateError, frame_type::kStreamDataBlocked));
  EXPECT_EQ(after({StopSendingFrame{kClientUni, 0}}), ends(error::kStreamStateError, frame_type::kStopSending));
  EXPECT_EQ(after({MaxStreamDataFrame{kClientUni, 9}}), ends(error::kStreamStateError, frame_type::kMaxStreamData));
}

TEST(HostileFrames, AFinalSizeNeverChanges) {  // §4.5
  const Closed wrong = ends(error::kFinalSizeError, frame_type::kStream);
  const Closed reset = ends(error::kFinalSizeError, frame_type::kResetStream);
  EXPECT_EQ(after({data(kClientUni, 0, filler(10), true), data(kClientUni, 0, filler(11), true)}), wrong);
  EXPECT_EQ(after({data(kClientUni, 5, filler(5), true), data(kClientUni, 0, filler(4), true)}), wrong);
  EXPECT_EQ(after({data(kClientUni, 5, filler(5), true), data(kClientUni, 20, filler(1))}), wrong);
  EXPECT_EQ(after({data(kClientUni, 5, filler(5), true), ResetStreamFrame{kClientUni, 0, 11}}), reset);
  EXPECT_EQ(after({data(kClientUni, 5, filler(5)), ResetStreamFrame{kClientUni, 0, 9}}), reset);
  EXPECT_EQ(after({ResetStreamFrame{kClientBidi, 0, 9}, ResetStreamFrame{kClientBidi, 0, 10}}), reset);
  EXPECT_EQ(after({data(kClientUni, 5, filler(5), true), ResetStreamFrame{kClientUni, 0, 10}}), std::nullopt);
}

TEST(HostileFrames, OffsetsBeyond2To62AreFrameEncodingErrors) {  // §19.8, §19.6
  EXPECT_EQ(after({data(kClientUni, kMaxVarint, filler(1))}), ends(error::kFrameEncodingError, 0x0e));
}

TEST(HostileFrames, StreamCountsAbove2To60AreFrameEncodingErrors) {  // §19.11, §19.14
  const std::uint64_t many = (std::uint64_t{1} << 60) + 1;
  EXPECT_EQ(after({MaxStreamsFrame{Directionality::bidirectional, many}}),
            ends(error::kFrameEncodingError, frame_type::kMaxStreamsBidi));
  EXPECT_EQ(after({StreamsBlockedFrame{Directionality::unidirectional, many}}),
            ends(error::kFrameEncodingError, frame_type::kStreamsBlockedUni));
}

TEST(HostileFrames, LimitsNeverShrink) {  // §4.1: ignored, not an error
  EXPECT_EQ(after({MaxDataFrame{0}, MaxStreamsFrame{Directionality::bidirectional, 0}, DataBlockedFrame{kMaxVarint}}),
            std::nullopt);
}

// --- §5.1, §19.15, §19.16: connection IDs

NewConnectionIdFrame new_cid(std::uint64_t sequence, std::uint64_t retire_prior_to, unsigned fill) {
  std::array<std::byte, 8> id{};
  id.fill(static_cast<std::byte>(fill));
  return {.path = {}, .sequence = sequence, .retire_prior_to = retire_prior_to, .id = ConnectionId(id)};
}

TEST(HostileFrames, ConnectionIdsThatConflictAreProtocolViolations) {  // §19.15
  const Closed violation = ends(error::kProtocolViolation, frame_type::kNewConnectionId);
  EXPECT_EQ(after({new_cid(1, 0, 0xaa), new_cid(1, 0, 0xbb)}), violation);
  EXPECT_EQ(after({new_cid(1, 0, 0xaa), new_cid(2, 0, 0xaa)}), violation);
  NewConnectionIdFrame other_token = new_cid(1, 0, 0xaa);
  other_token.reset_token[0] = std::byte{1};
  EXPECT_EQ(after({new_cid(1, 0, 0xaa), other_token}), violation);
  EXPECT_EQ(after({new_cid(1, 0, 0xaa), new_cid(1, 0, 0xaa)}), std::nullopt);  // a repeat
}

TEST(HostileFrames, MoreConnectionIdsThanTheLimitAreAnError) {  // §5.1.1
  const std::uint64_t limit = ConnectionConfig{}.active_connection_id_limit;
  std::vector<Frame> frames;
  for (std::uint64_t i = 1; i < limit; ++i) frames.emplace_back(new_cid(i, 0, static_cast<unsigned>(i)));
  EXPECT_EQ(after(frames), std::nullopt);
  frames.emplace_back(new_cid(limit, 0, 0xee));
  EXPECT_EQ(after(frames), ends(error::kConnectionIdLimitError, frame_type::kNewConnectionId));
}

TEST(HostileFrames, MalformedConnectionIdsAreFrameEncodingErrors) {  // §19.15
  const Closed malformed = ends(error::kFrameEncodingError, frame_type::kNewConnectionId);
  for (const unsigned length : {0U, 21U}) {
    std::vector<std::byte> frame = bytes_of({0x18, 1, 0, length});
    frame.resize(frame.size() + length + 16);
    EXPECT_EQ(after_bytes(frame), malformed);
  }
  std::vector<std::byte> frame = bytes_of({0x18, 1, 2, 8});  // Retire Prior To above the sequence
  frame.resize(frame.size() + 8 + 16);
  EXPECT_EQ(after_bytes(frame), malformed);
}

TEST(HostileFrames, RetiringWhatWasNotIssuedOrThePacketsOwnIsAProtocolViolation) {  // §19.16
  const Closed violation = ends(error::kProtocolViolation, frame_type::kRetireConnectionId);
  EXPECT_EQ(after({RetireConnectionIdFrame{.path = {}, .sequence = 1000}}), violation);
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.send(RetireConnectionIdFrame{.path = {}, .sequence = 0}, {.dcid = peer.issued(kInitialPath, 0)});
  EXPECT_EQ(peer.closed(), violation);
}

TEST(HostileFrames, RetirePriorToEverythingIsObeyedAndAnswered) {  // §5.1.2
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.issue(kInitialPath, 5, 5, false);
  peer.run_for(100ms);
  EXPECT_EQ(peer.closed(), std::nullopt);
  const auto retired = peer.frames<RetireConnectionIdFrame>();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].sequence, 0U);
}

// --- §7.5, RFC 9001 §4: CRYPTO

/// A CRYPTO frame far ahead, to a server that waits for the client's Finished.
std::optional<Closed> after_far_crypto(EncryptionLevel level) {
  RawPeer peer;
  peer.finishes = peer.acknowledges = false;
  peer.start();
  peer.send(CryptoFrame{2 * kMaxCryptoBuffer, filler(1)}, {.level = level, .pad_to = kMinInitialDatagram});
  return peer.closed();
}

TEST(HostileFrames, CryptoDataTooFarAheadIsCryptoBufferExceeded) {  // §7.5
  EXPECT_EQ(after_far_crypto(EncryptionLevel::handshake), ends(error::kCryptoBufferExceeded, frame_type::kCrypto));
}

// RFC 9001 §4.1.3: at a level that TLS has left, not even what would fit.
TEST(HostileFrames, CryptoDataBeyondALevelThatIsOverIsAProtocolViolation) {
  EXPECT_EQ(after_far_crypto(EncryptionLevel::initial), ends(error::kProtocolViolation, frame_type::kCrypto));
}

TEST(HostileFrames, TlsMessagesAfterTheHandshakeAreAnUnexpectedMessageToAServer) {  // RFC 9001 §6: no TLS KeyUpdate
  const auto key_update = bytes_of({24, 0, 0, 1, 0});
  EXPECT_EQ(after({CryptoFrame{0, key_update}}), ends(error::kCryptoErrorBase + 10, frame_type::kCrypto));
}

TEST(HostileFrames, GarbageInTheHandshakeIsACryptoError) {  // RFC 9001 §4.8
  RawPeer peer;
  peer.finishes = peer.acknowledges = false;
  peer.start();
  peer.send(CryptoFrame{0, filler(200)}, {.level = EncryptionLevel::handshake});
  ASSERT_TRUE(peer.closed());
  EXPECT_EQ(peer.closed()->error & ~std::uint64_t{0xff}, error::kCryptoErrorBase);
}

// --- §8.2, §10.2

TEST(HostileFrames, AnUnsolicitedPathResponseIsIgnored) {  // §19.18 allows an error
  EXPECT_EQ(after({PathResponseFrame{}, PathResponseFrame{}}), std::nullopt);
}

TEST(HostileFrames, NothingAfterAConnectionCloseIsRead) {  // §10.2.2
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.received.clear();
  peer.send_all({ConnectionCloseFrame{.application = false, .error = 7, .frame_type = 0, .reason = filler(900)},
                 HandshakeDoneFrame{}});
  peer.send(HandshakeDoneFrame{});
  EXPECT_EQ(peer.closed(), (Closed{error::kNoError, 0}));
  EXPECT_EQ(peer.received.size(), 1U);  // one answer, and then draining: not a byte
  ASSERT_EQ(peer.count_events<ConnectionClosed>(), 1U);
  const auto& closed = std::get<ConnectionClosed>(peer.events.back());
  EXPECT_EQ(closed.error, 7U);
  EXPECT_LE(closed.reason.size(), kMaxReason);
}

TEST(HostileFrames, PacketsToAClosingConnectionAreAnsweredLessAndLess) {  // §10.2.1
  RawPeer peer;
  ASSERT_TRUE(peer.handshake());
  peer.send(HandshakeDoneFrame{});
  ASSERT_TRUE(peer.closed());
  peer.received.clear();
  for (int i = 0; i < 1000; ++i) peer.send(PingFrame{});
  EXPECT_LE(peer.received.size(), 11U);
}

}  // namespace
}  // namespace mpquic::test
