// Every frame of RFC 9000, RFC 9221, draft-ietf-quic-multipath-21 and of our extensions (address advertisement,
// numbered datagrams: docs/adr/0011), as values. Byte ranges refer to the packet that was decoded, or to the caller's
// data while encoding.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "stack/base/address.h"
#include "stack/base/bytes.h"
#include "stack/base/connection_id.h"
#include "stack/base/ids.h"
#include "stack/base/interval_set.h"

namespace mpquic {

/// Frame type code points. Ranges that carry flags (ACK, STREAM, DATAGRAM, ...) are named by their first value.
namespace frame_type {
inline constexpr std::uint64_t kPadding = 0x00;
inline constexpr std::uint64_t kPing = 0x01;
inline constexpr std::uint64_t kAck = 0x02;  // 0x03 with ECN counts
inline constexpr std::uint64_t kResetStream = 0x04;
inline constexpr std::uint64_t kStopSending = 0x05;
inline constexpr std::uint64_t kCrypto = 0x06;
inline constexpr std::uint64_t kNewToken = 0x07;
inline constexpr std::uint64_t kStream = 0x08;  // .. 0x0f: OFF 0x4, LEN 0x2, FIN 0x1
inline constexpr std::uint64_t kMaxData = 0x10;
inline constexpr std::uint64_t kMaxStreamData = 0x11;
inline constexpr std::uint64_t kMaxStreamsBidi = 0x12;
inline constexpr std::uint64_t kMaxStreamsUni = 0x13;
inline constexpr std::uint64_t kDataBlocked = 0x14;
inline constexpr std::uint64_t kStreamDataBlocked = 0x15;
inline constexpr std::uint64_t kStreamsBlockedBidi = 0x16;
inline constexpr std::uint64_t kStreamsBlockedUni = 0x17;
inline constexpr std::uint64_t kNewConnectionId = 0x18;
inline constexpr std::uint64_t kRetireConnectionId = 0x19;
inline constexpr std::uint64_t kPathChallenge = 0x1a;
inline constexpr std::uint64_t kPathResponse = 0x1b;
inline constexpr std::uint64_t kConnectionClose = 0x1c;
inline constexpr std::uint64_t kApplicationClose = 0x1d;
inline constexpr std::uint64_t kHandshakeDone = 0x1e;
inline constexpr std::uint64_t kDatagram = 0x30;  // 0x31 with a length
inline constexpr std::uint64_t kPathAck = 0x3e;   // 0x3f with ECN counts
inline constexpr std::uint64_t kAddAddress = 0x40;
inline constexpr std::uint64_t kPaths = 0x41;
inline constexpr std::uint64_t kClosePath = 0x42;
inline constexpr std::uint64_t kNumberedDatagram = 0x43;
inline constexpr std::uint64_t kPathAbandon = 0x3e75;
inline constexpr std::uint64_t kPathStatusBackup = 0x3e76;
inline constexpr std::uint64_t kPathStatusAvailable = 0x3e77;
inline constexpr std::uint64_t kPathNewConnectionId = 0x3e78;
inline constexpr std::uint64_t kPathRetireConnectionId = 0x3e79;
inline constexpr std::uint64_t kMaxPathId = 0x3e7a;
inline constexpr std::uint64_t kPathsBlocked = 0x3e7b;
inline constexpr std::uint64_t kPathCidsBlocked = 0x3e7c;
}  // namespace frame_type

// One frame, one line, as far as it goes.
// clang-format off
struct PaddingFrame { std::size_t length = 1; };  // a run of PADDING
struct PingFrame {};

struct EcnCounts {
  std::uint64_t ect0 = 0;
  std::uint64_t ect1 = 0;
  std::uint64_t ce = 0;
  bool operator==(const EcnCounts&) const = default;
};

/// ACK (RFC 9000 §19.3) or, with `path`, PATH_ACK (draft-21 §4.1). Decoding has checked every range.
struct AckFrame {
  std::optional<PathId> path;
  PacketNumber largest;
  std::uint64_t delay = 0;  // as on the wire: microseconds >> ack_delay_exponent
  std::uint64_t first_range = 0;
  std::uint64_t range_count = 0;
  Bytes ranges;  // encoded {Gap, Length} pairs
  std::optional<EcnCounts> ecn;
};

struct ResetStreamFrame { StreamId id; std::uint64_t error = 0; std::uint64_t final_size = 0; };
struct StopSendingFrame { StreamId id; std::uint64_t error = 0; };
struct CryptoFrame { std::uint64_t offset = 0; Bytes data; };
struct NewTokenFrame { Bytes token; };
struct StreamFrame { StreamId id; std::uint64_t offset = 0; Bytes data; bool fin = false; };
struct MaxDataFrame { std::uint64_t maximum = 0; };
struct MaxStreamDataFrame { StreamId id; std::uint64_t maximum = 0; };
struct MaxStreamsFrame { Directionality dir = Directionality::bidirectional; std::uint64_t maximum = 0; };
struct DataBlockedFrame { std::uint64_t limit = 0; };
struct StreamDataBlockedFrame { StreamId id; std::uint64_t limit = 0; };
struct StreamsBlockedFrame { Directionality dir = Directionality::bidirectional; std::uint64_t limit = 0; };

/// NEW_CONNECTION_ID or, with `path`, PATH_NEW_CONNECTION_ID (draft-21 §4.4).
struct NewConnectionIdFrame {
  std::optional<PathId> path;
  std::uint64_t sequence = 0;
  std::uint64_t retire_prior_to = 0;
  ConnectionId id;
  StatelessResetToken reset_token{};
};
/// RETIRE_CONNECTION_ID or, with `path`, PATH_RETIRE_CONNECTION_ID (draft-21 §4.5).
struct RetireConnectionIdFrame { std::optional<PathId> path; std::uint64_t sequence = 0; };

using ChallengeData = std::array<std::byte, 8>;
struct PathChallengeFrame { ChallengeData data{}; };
struct PathResponseFrame { ChallengeData data{}; };
/// 0x1c, or 0x1d when `application` (which then has no frame type).
struct ConnectionCloseFrame {
  bool application = false;
  std::uint64_t error = 0;
  std::uint64_t frame_type = 0;
  Bytes reason;
};
struct HandshakeDoneFrame {};
/// DATAGRAM (RFC 9221) or, with `number`, NUMBERED_DATAGRAM: may arrive more than once, and is to be delivered once.
struct DatagramFrame { Bytes data; std::optional<std::uint64_t> number = std::nullopt; };

// draft-ietf-quic-multipath-21 §4. Path IDs are kept at wire width: the receiver checks them against its limit.
struct PathAbandonFrame { std::uint64_t path = 0; std::uint64_t error = 0; };
struct PathStatusFrame { std::uint64_t path = 0; std::uint64_t sequence = 0; bool available = true; };
struct MaxPathIdFrame { std::uint64_t maximum = 0; };
struct PathsBlockedFrame { std::uint64_t maximum = 0; };
struct PathCidsBlockedFrame { std::uint64_t path = 0; std::uint64_t next_sequence = 0; };

// Address-advertisement extension (architecture page, "Wire").
struct AddAddressFrame { std::uint64_t address_id = 0; std::uint64_t sequence = 0; SocketAddress address; };
struct PathsFrame { std::uint64_t available = 0; std::uint64_t active = 0; };
struct ClosePathFrame { std::uint64_t path = 0; std::uint64_t error = 0; Bytes reason; };
// clang-format on

/// The frequent ones come first so that receivers can peel them with std::get_if.
using Frame = std::variant<StreamFrame, AckFrame, DatagramFrame, PaddingFrame, PingFrame, CryptoFrame, MaxDataFrame,
                           MaxStreamDataFrame, MaxStreamsFrame, ResetStreamFrame, StopSendingFrame, NewTokenFrame,
                           DataBlockedFrame, StreamDataBlockedFrame, StreamsBlockedFrame, NewConnectionIdFrame,
                           RetireConnectionIdFrame, PathChallengeFrame, PathResponseFrame, ConnectionCloseFrame,
                           HandshakeDoneFrame, PathAbandonFrame, PathStatusFrame, MaxPathIdFrame, PathsBlockedFrame,
                           PathCidsBlockedFrame, AddAddressFrame, PathsFrame, ClosePathFrame>;

}  // namespace mpquic
