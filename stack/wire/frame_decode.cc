#include "stack/wire/frame_decode.h"

#include <algorithm>

#include "stack/wire/frame_rules.h"
#include "stack/wire/transport_params.h"

namespace mpquic {
namespace {

namespace t = frame_type;

constexpr std::uint64_t kStreamFin = 0x1;
constexpr std::uint64_t kStreamLength = 0x2;
constexpr std::uint64_t kStreamOffset = 0x4;

[[nodiscard]] std::unexpected<TransportError> malformed(std::uint64_t type, std::string_view reason) {
  return fail(error::kFrameEncodingError, reason, type);
}
[[nodiscard]] std::unexpected<TransportError> truncated(std::uint64_t type) {
  return malformed(type, "frame cut short");
}
[[nodiscard]] std::unexpected<TransportError> violation(std::uint64_t type, std::string_view reason) {
  return fail(error::kProtocolViolation, reason, type);
}

/// `Count` varints in a row, for all those frames that are nothing else.
template <std::size_t Count>
[[nodiscard]] Result<std::array<std::uint64_t, Count>> read_varints(ByteReader& reader, std::uint64_t type) {
  std::array<std::uint64_t, Count> values{};
  for (auto& value : values) {
    const auto read = reader.read_varint();
    if (!read) return truncated(type);
    value = *read;
  }
  return values;
}

/// A path ID that only has to be one: whether it is within our limit is for the owner of the limit to say.
[[nodiscard]] Result<PathId> read_path_id(ByteReader& reader, std::uint64_t type) {
  const auto value = reader.read_varint();
  if (!value) return truncated(type);
  // draft-21 §4: above any limit that could have been announced.
  if (*value > kMaxPathIdValue) return violation(type, "path ID above 2^32-1");
  return PathId{static_cast<std::uint32_t>(*value)};
}

/// RFC 9000 §19.3.1: no range may reach below packet number 0.
[[nodiscard]] Result<void> check_ranges(ByteReader& reader, const AckFrame& ack, std::uint64_t type) {
  if (ack.first_range > ack.largest.value()) return malformed(type, "first ACK range below zero");
  std::uint64_t smallest = ack.largest.value() - ack.first_range;
  for (std::uint64_t i = 0; i < ack.range_count; ++i) {
    const auto gap = reader.read_varint();
    const auto length = reader.read_varint();
    if (!gap || !length) return truncated(type);
    if (*gap + 2 > smallest || *length > smallest - *gap - 2) return malformed(type, "ACK range below zero");
    smallest -= *gap + 2 + *length;
  }
  return {};
}

/// ACK and PATH_ACK.
[[nodiscard]] Result<void> read_ack(ByteReader& reader, std::uint64_t type, Frame& out) {
  auto& ack = out.emplace<AckFrame>();
  if (type >= t::kPathAck) {
    MPQUIC_TRY_ASSIGN(path, read_path_id(reader, type));
    ack.path = path;
  }
  MPQUIC_TRY_ASSIGN(fields, read_varints<4>(reader, type));
  ack.largest = PacketNumber{fields[0]};
  ack.delay = fields[1];
  ack.range_count = fields[2];
  ack.first_range = fields[3];
  const std::size_t begin = reader.position();
  MPQUIC_TRY(check_ranges(reader, ack, type));
  ack.ranges = reader.between(begin, reader.position());
  if ((type & 1) != 0) {
    MPQUIC_TRY_ASSIGN(counts, read_varints<3>(reader, type));
    ack.ecn = EcnCounts{.ect0 = counts[0], .ect1 = counts[1], .ce = counts[2]};
  }
  return {};
}

[[nodiscard]] Result<void> read_stream(ByteReader& reader, std::uint64_t type, Frame& out) {
  auto& frame = out.emplace<StreamFrame>();
  frame.fin = (type & kStreamFin) != 0;
  const auto id = reader.read_varint();
  if (!id) return truncated(type);
  frame.id = StreamId{*id};
  if ((type & kStreamOffset) != 0) {
    const auto offset = reader.read_varint();
    if (!offset) return truncated(type);
    frame.offset = *offset;
  }
  if ((type & kStreamLength) != 0) {
    const auto data = reader.read_prefixed_bytes();
    if (!data) return truncated(type);
    frame.data = *data;
  } else {
    frame.data = reader.read_rest();
  }
  if (frame.data.size() > kMaxVarint - frame.offset) return malformed(type, "stream data beyond 2^62-1");
  return {};
}

[[nodiscard]] Result<void> read_datagram(ByteReader& reader, std::uint64_t type, Frame& out) {
  auto& frame = out.emplace<DatagramFrame>();
  if (type == t::kDatagram) {
    frame.data = reader.read_rest();
    return {};
  }
  if (type == t::kNumberedDatagram) {
    frame.number = reader.read_varint();
    if (!frame.number) return truncated(type);
  }
  const auto data = reader.read_prefixed_bytes();
  if (!data) return truncated(type);
  frame.data = *data;
  return {};
}

/// Consumes a whole run; the first byte has been read as the type.
Frame read_padding(ByteReader& reader) {
  const Bytes rest = reader.rest();
  const auto end = std::find_if(rest.begin(), rest.end(), [](std::byte b) { return b != std::byte{0}; });
  const auto run = static_cast<std::size_t>(end - rest.begin());
  static_cast<void>(reader.read_bytes(run));
  return PaddingFrame{.length = 1 + run};
}

[[nodiscard]] Result<Frame> read_crypto(ByteReader& reader, std::uint64_t type) {
  const auto offset = reader.read_varint();
  if (!offset) return truncated(type);
  const auto data = reader.read_prefixed_bytes();
  if (!data) return truncated(type);
  if (data->size() > kMaxVarint - *offset) return malformed(type, "crypto data beyond 2^62-1");
  return CryptoFrame{.offset = *offset, .data = *data};
}

[[nodiscard]] Result<Frame> read_new_token(ByteReader& reader, std::uint64_t type) {
  const auto token = reader.read_prefixed_bytes();
  if (!token) return truncated(type);
  if (token->empty()) return malformed(type, "empty token");  // RFC 9000 §19.7
  return NewTokenFrame{*token};
}

/// MAX_STREAMS and STREAMS_BLOCKED: more than 2^60 could not be expressed as a stream ID (RFC 9000 §19.11, §19.14).
[[nodiscard]] Result<std::uint64_t> read_stream_count(ByteReader& reader, std::uint64_t type) {
  const auto count = reader.read_varint();
  if (!count) return truncated(type);
  if (*count > kMaxStreamCount) return malformed(type, "stream limit above 2^60");
  return *count;
}

constexpr Directionality directionality_of_type(std::uint64_t type) {
  return (type & 1) != 0 ? Directionality::unidirectional : Directionality::bidirectional;
}

/// NEW_CONNECTION_ID and PATH_NEW_CONNECTION_ID.
[[nodiscard]] Result<Frame> read_new_connection_id(ByteReader& reader, std::uint64_t type) {
  NewConnectionIdFrame frame;
  if (type == t::kPathNewConnectionId) {
    MPQUIC_TRY_ASSIGN(path, read_path_id(reader, type));
    frame.path = path;
  }
  MPQUIC_TRY_ASSIGN(fields, read_varints<2>(reader, type));
  frame.sequence = fields[0];
  frame.retire_prior_to = fields[1];
  const auto length = reader.read_u8();
  if (!length) return truncated(type);
  // RFC 9000 §19.15.
  if (*length < 1 || *length > ConnectionId::kMaxLength) return malformed(type, "connection ID length not in 1..20");
  if (frame.retire_prior_to > frame.sequence) return malformed(type, "retire_prior_to above the sequence number");
  const auto id = reader.read_bytes(*length);
  const auto token = reader.read_array<sizeof(StatelessResetToken)>();
  if (!id || !token) return truncated(type);
  frame.id = ConnectionId(*id);
  frame.reset_token = *token;
  return frame;
}

[[nodiscard]] Result<Frame> read_retire_connection_id(ByteReader& reader, std::uint64_t type) {
  RetireConnectionIdFrame frame;
  if (type == t::kPathRetireConnectionId) {
    MPQUIC_TRY_ASSIGN(path, read_path_id(reader, type));
    frame.path = path;
  }
  const auto sequence = reader.read_varint();
  if (!sequence) return truncated(type);
  frame.sequence = *sequence;
  return frame;
}

template <class ChallengeFrame>
[[nodiscard]] Result<Frame> read_challenge(ByteReader& reader, std::uint64_t type) {
  const auto data = reader.read_array<sizeof(ChallengeData)>();
  if (!data) return truncated(type);
  return ChallengeFrame{*data};
}

[[nodiscard]] Result<Frame> read_connection_close(ByteReader& reader, std::uint64_t type) {
  ConnectionCloseFrame frame;
  frame.application = type == t::kApplicationClose;
  const auto code = reader.read_varint();
  if (!code) return truncated(type);
  frame.error = *code;
  if (!frame.application) {
    const auto cause = reader.read_varint();
    if (!cause) return truncated(type);
    frame.frame_type = *cause;
  }
  const auto reason = reader.read_prefixed_bytes();
  if (!reason) return truncated(type);
  frame.reason = *reason;
  return frame;
}

template <std::size_t Size>
[[nodiscard]] std::optional<std::array<std::uint8_t, Size>> read_octets(ByteReader& reader) {
  const auto bytes = reader.read_bytes(Size);
  if (!bytes) return std::nullopt;
  std::array<std::uint8_t, Size> octets{};
  std::memcpy(octets.data(), bytes->data(), Size);
  return octets;
}

[[nodiscard]] Result<Frame> read_add_address(ByteReader& reader, std::uint64_t type) {
  AddAddressFrame frame;
  MPQUIC_TRY_ASSIGN(fields, read_varints<2>(reader, type));
  frame.address_id = fields[0];
  frame.sequence = fields[1];
  const auto version = reader.read_u8();
  if (!version) return truncated(type);
  if (*version == kIpVersion4) {
    const auto octets = read_octets<4>(reader);
    if (!octets) return truncated(type);
    frame.address.ip = IpAddress::v4(*octets);
  } else if (*version == kIpVersion6) {
    const auto octets = read_octets<16>(reader);
    if (!octets) return truncated(type);
    frame.address.ip = IpAddress::v6(*octets);
  } else {
    return malformed(type, "IP version is neither 4 nor 6");
  }
  const auto port = reader.read_u16();
  if (!port) return truncated(type);
  frame.address.port = *port;
  return frame;
}

[[nodiscard]] Result<Frame> read_close_path(ByteReader& reader, std::uint64_t type) {
  MPQUIC_TRY_ASSIGN(fields, read_varints<2>(reader, type));
  const auto reason = reader.read_prefixed_bytes();
  if (!reason) return truncated(type);
  return ClosePathFrame{.path = fields[0], .error = fields[1], .reason = *reason};
}

/// The frames of RFC 9000 that the hot path has not taken. They are rare enough to be copied.
[[nodiscard]] Result<Frame> read_core(ByteReader& reader, std::uint64_t type) {
  switch (type) {
    case t::kPadding: return read_padding(reader);
    case t::kPing: return PingFrame{};
    case t::kResetStream: {
      MPQUIC_TRY_ASSIGN(v, read_varints<3>(reader, type));
      return ResetStreamFrame{.id = StreamId{v[0]}, .error = v[1], .final_size = v[2]};
    }
    case t::kStopSending: {
      MPQUIC_TRY_ASSIGN(v, read_varints<2>(reader, type));
      return StopSendingFrame{.id = StreamId{v[0]}, .error = v[1]};
    }
    case t::kCrypto: return read_crypto(reader, type);
    case t::kNewToken: return read_new_token(reader, type);
    case t::kMaxData: {
      MPQUIC_TRY_ASSIGN(v, read_varints<1>(reader, type));
      return MaxDataFrame{v[0]};
    }
    case t::kMaxStreamData: {
      MPQUIC_TRY_ASSIGN(v, read_varints<2>(reader, type));
      return MaxStreamDataFrame{.id = StreamId{v[0]}, .maximum = v[1]};
    }
    case t::kMaxStreamsBidi:
    case t::kMaxStreamsUni: {
      MPQUIC_TRY_ASSIGN(count, read_stream_count(reader, type));
      return MaxStreamsFrame{.dir = directionality_of_type(type), .maximum = count};
    }
    case t::kDataBlocked: {
      MPQUIC_TRY_ASSIGN(v, read_varints<1>(reader, type));
      return DataBlockedFrame{v[0]};
    }
    case t::kStreamDataBlocked: {
      MPQUIC_TRY_ASSIGN(v, read_varints<2>(reader, type));
      return StreamDataBlockedFrame{.id = StreamId{v[0]}, .limit = v[1]};
    }
    case t::kStreamsBlockedBidi:
    case t::kStreamsBlockedUni: {
      MPQUIC_TRY_ASSIGN(count, read_stream_count(reader, type));
      return StreamsBlockedFrame{.dir = directionality_of_type(type), .limit = count};
    }
    case t::kNewConnectionId: return read_new_connection_id(reader, type);
    case t::kRetireConnectionId: return read_retire_connection_id(reader, type);
    case t::kPathChallenge: return read_challenge<PathChallengeFrame>(reader, type);
    case t::kPathResponse: return read_challenge<PathResponseFrame>(reader, type);
    case t::kConnectionClose:
    case t::kApplicationClose: return read_connection_close(reader, type);
    case t::kHandshakeDone: return HandshakeDoneFrame{};
    default: return malformed(type, "unknown frame type");
  }
}

/// Multipath and our own extensions.
[[nodiscard]] Result<Frame> read_extension(ByteReader& reader, std::uint64_t type) {
  switch (type) {
    case t::kPathAbandon: {
      MPQUIC_TRY_ASSIGN(v, read_varints<2>(reader, type));
      return PathAbandonFrame{.path = v[0], .error = v[1]};
    }
    case t::kPathStatusBackup:
    case t::kPathStatusAvailable: {
      MPQUIC_TRY_ASSIGN(v, read_varints<2>(reader, type));
      return PathStatusFrame{.path = v[0], .sequence = v[1], .available = type == t::kPathStatusAvailable};
    }
    case t::kPathNewConnectionId: return read_new_connection_id(reader, type);
    case t::kPathRetireConnectionId: return read_retire_connection_id(reader, type);
    case t::kMaxPathId: {
      MPQUIC_TRY_ASSIGN(v, read_varints<1>(reader, type));
      return MaxPathIdFrame{v[0]};
    }
    case t::kPathsBlocked: {
      MPQUIC_TRY_ASSIGN(v, read_varints<1>(reader, type));
      return PathsBlockedFrame{v[0]};
    }
    case t::kPathCidsBlocked: {
      MPQUIC_TRY_ASSIGN(v, read_varints<2>(reader, type));
      return PathCidsBlockedFrame{.path = v[0], .next_sequence = v[1]};
    }
    case t::kAddAddress: return read_add_address(reader, type);
    case t::kPaths: {
      MPQUIC_TRY_ASSIGN(v, read_varints<2>(reader, type));
      return PathsFrame{.available = v[0], .active = v[1]};
    }
    case t::kClosePath: return read_close_path(reader, type);
    default: return malformed(type, "unknown frame type");
  }
}

/// Whether this packet may carry the frame, by packet type and by what was negotiated.
[[nodiscard]] Result<void> check_rule(const FrameRule& rule, std::uint64_t type, EncryptionLevel level,
                                      FrameOptions options) {
  // Where not negotiated, frames of our own are unknown in every packet; the multipath draft asks for the packet type
  // first (§4), and a DATAGRAM has an error of its own (RFC 9221 §3).
  if ((rule.extension == FrameExtension::address_advertisement && !options.address_advertisement) ||
      (rule.extension == FrameExtension::numbered_datagram && !options.numbered_datagram)) {
    return malformed(type, "unknown frame type");
  }
  if (!rule.allows(level)) return violation(type, "frame not allowed in this packet type");
  if (rule.extension == FrameExtension::multipath && !options.multipath) {
    return malformed(type, "multipath was not negotiated");
  }
  if (rule.extension == FrameExtension::datagram && !options.datagram) {
    return violation(type, "DATAGRAM was not offered");
  }
  return {};
}

}  // namespace

const Result<Frame>* FrameDecoder::next() {
  if (!frame_) return nullptr;
  if (empty_packet_) {
    frame_ = fail(error::kProtocolViolation, "packet without frames");
    return &frame_;
  }
  if (reader_.empty()) return nullptr;
  if (const auto read = read_frame(); !read) frame_ = std::unexpected(read.error());
  return &frame_;
}

Result<std::uint64_t> FrameDecoder::read_type() {
  const std::size_t begin = reader_.position();
  const auto type = reader_.read_varint();
  if (!type) return truncated(0);
  // RFC 9000 §12.4.
  if (varint_size(*type) != reader_.position() - begin) return violation(*type, "frame type not in its shortest form");
  return *type;
}

Result<void> FrameDecoder::read_frame() {
  MPQUIC_TRY_ASSIGN(type, read_type());
  // The bulk of a 1-RTT packet goes around the table: its frames are allowed there without asking.
  if (level_ == EncryptionLevel::one_rtt) {
    if (type >= t::kStream && type < t::kMaxData) return read_stream(reader_, type, *frame_);
    if ((type & ~std::uint64_t{1}) == t::kAck) return read_ack(reader_, type, *frame_);
    if ((type & ~std::uint64_t{1}) == t::kPathAck && options_.multipath) return read_ack(reader_, type, *frame_);
    if ((type & ~std::uint64_t{1}) == t::kDatagram && options_.datagram) return read_datagram(reader_, type, *frame_);
  }
  const FrameRule* const rule = find_frame_rule(type);
  if (rule == nullptr) return malformed(type, "unknown frame type");
  MPQUIC_TRY(check_rule(*rule, type, level_, options_));
  switch (rule->first) {
    case t::kStream: return read_stream(reader_, type, *frame_);
    case t::kAck:
    case t::kPathAck: return read_ack(reader_, type, *frame_);
    case t::kDatagram:
    case t::kNumberedDatagram: return read_datagram(reader_, type, *frame_);
    default: break;
  }
  MPQUIC_TRY_ASSIGN(frame,
                    rule->extension == FrameExtension::none ? read_core(reader_, type) : read_extension(reader_, type));
  *frame_ = frame;
  return {};
}

}  // namespace mpquic
