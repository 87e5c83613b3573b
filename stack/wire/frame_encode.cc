#include "stack/wire/frame_encode.h"

#include <concepts>
#include <span>

#include "stack/base/overloaded.h"
#include "stack/wire/frame_rules.h"

namespace mpquic {
namespace {

namespace t = frame_type;

constexpr std::uint64_t flag(bool set, std::uint64_t bit) { return set ? bit : 0; }
constexpr std::uint64_t uni(Directionality dir) { return flag(dir == Directionality::unidirectional, 1); }

std::uint64_t type_of(const StreamFrame& frame) {
  constexpr std::uint64_t kLength = 0x2;
  return t::kStream | flag(frame.offset != 0, 0x4) | kLength | flag(frame.fin, 0x1);
}
std::uint64_t type_of(const AckFrame& frame) {
  return (frame.path ? t::kPathAck : t::kAck) | flag(frame.ecn.has_value(), 1);
}
std::uint64_t type_of(const NewConnectionIdFrame& frame) {
  return frame.path ? t::kPathNewConnectionId : t::kNewConnectionId;
}
std::uint64_t type_of(const RetireConnectionIdFrame& frame) {
  return frame.path ? t::kPathRetireConnectionId : t::kRetireConnectionId;
}

/// Counts what a ByteWriter would write, so that one description of each frame serves size and bytes alike.
class SizeCounter {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  void varint(std::uint64_t value) { size_ += varint_size(value); }
  void u8(std::uint8_t) { size_ += 1; }
  void u16(std::uint16_t) { size_ += 2; }
  void bytes(Bytes data) { size_ += data.size(); }
  void zeros(std::size_t count) { size_ += count; }

 private:
  std::size_t size_ = 0;
};

/// Writes until something does not fit.
class ByteSink {
 public:
  explicit ByteSink(ByteWriter& out) : out_(out) {}
  [[nodiscard]] bool complete() const { return complete_; }
  void varint(std::uint64_t value) { complete_ = complete_ && out_.write_varint(value); }
  void u8(std::uint8_t value) { complete_ = complete_ && out_.write_u8(value); }
  void u16(std::uint16_t value) { complete_ = complete_ && out_.write_u16(value); }
  void bytes(Bytes data) { complete_ = complete_ && out_.write_bytes(data); }
  void zeros(std::size_t count) { complete_ = complete_ && out_.write_zeros(count); }

 private:
  ByteWriter& out_;
  bool complete_ = true;
};

/// The layout of every frame after its type, in the order of the Frame variant.
template <class Sink>
class FrameBody {
 public:
  explicit FrameBody(Sink& sink) : sink_(sink) {}

  void operator()(const StreamFrame& f) {
    sink_.varint(f.id.value());
    if (f.offset != 0) sink_.varint(f.offset);
    prefixed(f.data);
  }
  void operator()(const AckFrame& f) {
    if (f.path) sink_.varint(f.path->value());
    varints(f.largest.value(), f.delay, f.range_count, f.first_range);
    sink_.bytes(f.ranges);
    if (f.ecn) varints(f.ecn->ect0, f.ecn->ect1, f.ecn->ce);
  }
  void operator()(const DatagramFrame& f) {
    if (f.number) sink_.varint(*f.number);
    prefixed(f.data);
  }
  void operator()(const PaddingFrame& f) {
    MPQUIC_DCHECK(f.length > 0);
    sink_.zeros(f.length - 1);
  }
  void operator()(const PingFrame&) {}
  void operator()(const CryptoFrame& f) {
    sink_.varint(f.offset);
    prefixed(f.data);
  }
  void operator()(const MaxDataFrame& f) { varints(f.maximum); }
  void operator()(const MaxStreamDataFrame& f) { varints(f.id.value(), f.maximum); }
  void operator()(const MaxStreamsFrame& f) { varints(f.maximum); }
  void operator()(const ResetStreamFrame& f) { varints(f.id.value(), f.error, f.final_size); }
  void operator()(const StopSendingFrame& f) { varints(f.id.value(), f.error); }
  void operator()(const NewTokenFrame& f) { prefixed(f.token); }
  void operator()(const DataBlockedFrame& f) { varints(f.limit); }
  void operator()(const StreamDataBlockedFrame& f) { varints(f.id.value(), f.limit); }
  void operator()(const StreamsBlockedFrame& f) { varints(f.limit); }
  void operator()(const NewConnectionIdFrame& f) {
    if (f.path) sink_.varint(f.path->value());
    varints(f.sequence, f.retire_prior_to);
    sink_.u8(static_cast<std::uint8_t>(f.id.size()));
    sink_.bytes(f.id.bytes());
    sink_.bytes(f.reset_token);
  }
  void operator()(const RetireConnectionIdFrame& f) {
    if (f.path) sink_.varint(f.path->value());
    sink_.varint(f.sequence);
  }
  void operator()(const PathChallengeFrame& f) { sink_.bytes(f.data); }
  void operator()(const PathResponseFrame& f) { sink_.bytes(f.data); }
  void operator()(const ConnectionCloseFrame& f) {
    sink_.varint(f.error);
    if (!f.application) sink_.varint(f.frame_type);
    prefixed(f.reason);
  }
  void operator()(const HandshakeDoneFrame&) {}
  void operator()(const PathAbandonFrame& f) { varints(f.path, f.error); }
  void operator()(const PathStatusFrame& f) { varints(f.path, f.sequence); }
  void operator()(const MaxPathIdFrame& f) { varints(f.maximum); }
  void operator()(const PathsBlockedFrame& f) { varints(f.maximum); }
  void operator()(const PathCidsBlockedFrame& f) { varints(f.path, f.next_sequence); }
  void operator()(const AddAddressFrame& f) {
    varints(f.address_id, f.sequence);
    const bool v6 = f.address.ip.family() == IpAddress::Family::v6;
    sink_.u8(v6 ? kIpVersion6 : kIpVersion4);
    sink_.bytes(std::as_bytes(std::span(f.address.ip.octets())).first(v6 ? 16 : 4));
    sink_.u16(f.address.port);
  }
  void operator()(const PathsFrame& f) { varints(f.available, f.active); }
  void operator()(const ClosePathFrame& f) {
    varints(f.path, f.error);
    prefixed(f.reason);
  }

 private:
  void varints(std::same_as<std::uint64_t> auto... values) { (sink_.varint(values), ...); }
  void prefixed(Bytes data) {
    sink_.varint(data.size());
    sink_.bytes(data);
  }

  Sink& sink_;
};

template <class Sink>
void put(Sink& sink, const Frame& frame) {
  sink.varint(type_of(frame));
  std::visit(FrameBody<Sink>(sink), frame);
}

}  // namespace

std::uint64_t type_of(const Frame& frame) {
  return std::visit(
      overloaded{
          [](const StreamFrame& f) { return type_of(f); },
          [](const AckFrame& f) { return type_of(f); },
          [](const DatagramFrame& f) { return f.number ? t::kNumberedDatagram : t::kDatagram | 1; },
          [](const PaddingFrame&) { return t::kPadding; },
          [](const PingFrame&) { return t::kPing; },
          [](const CryptoFrame&) { return t::kCrypto; },
          [](const MaxDataFrame&) { return t::kMaxData; },
          [](const MaxStreamDataFrame&) { return t::kMaxStreamData; },
          [](const MaxStreamsFrame& f) { return t::kMaxStreamsBidi + uni(f.dir); },
          [](const ResetStreamFrame&) { return t::kResetStream; },
          [](const StopSendingFrame&) { return t::kStopSending; },
          [](const NewTokenFrame&) { return t::kNewToken; },
          [](const DataBlockedFrame&) { return t::kDataBlocked; },
          [](const StreamDataBlockedFrame&) { return t::kStreamDataBlocked; },
          [](const StreamsBlockedFrame& f) { return t::kStreamsBlockedBidi + uni(f.dir); },
          [](const NewConnectionIdFrame& f) { return type_of(f); },
          [](const RetireConnectionIdFrame& f) { return type_of(f); },
          [](const PathChallengeFrame&) { return t::kPathChallenge; },
          [](const PathResponseFrame&) { return t::kPathResponse; },
          [](const ConnectionCloseFrame& f) { return f.application ? t::kApplicationClose : t::kConnectionClose; },
          [](const HandshakeDoneFrame&) { return t::kHandshakeDone; },
          [](const PathAbandonFrame&) { return t::kPathAbandon; },
          [](const PathStatusFrame& f) { return f.available ? t::kPathStatusAvailable : t::kPathStatusBackup; },
          [](const MaxPathIdFrame&) { return t::kMaxPathId; },
          [](const PathsBlockedFrame&) { return t::kPathsBlocked; },
          [](const PathCidsBlockedFrame&) { return t::kPathCidsBlocked; },
          [](const AddAddressFrame&) { return t::kAddAddress; },
          [](const PathsFrame&) { return t::kPaths; },
          [](const ClosePathFrame&) { return t::kClosePath; },
      },
      frame);
}

std::size_t encoded_size(const Frame& frame) {
  SizeCounter counter;
  put(counter, frame);
  return counter.size();
}

bool encode(ByteWriter& out, const Frame& frame) {
  const std::size_t start = out.size();
  ByteSink sink(out);
  put(sink, frame);
  if (!sink.complete()) out.truncate(start);
  return sink.complete();
}

}  // namespace mpquic
