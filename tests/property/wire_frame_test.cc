#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "stack/wire/frame_decode.h"
#include "stack/wire/frame_encode.h"
#include "stack/wire/frame_rules.h"
#include "stack/wire/frame_writer.h"
#include "tests/property/wire_generators.h"
#include "tests/unit/wire/wire_testing.h"

namespace mpquic {
namespace {

using testing::any_bytes;
using testing::any_frame;
using testing::between;
using testing::Blob;
using testing::same;
using testing::Storage;

constexpr FrameOptions kAll{
    .multipath = true, .address_advertisement = true, .datagram = true, .numbered_datagram = true};

Blob encoded(const Frame& frame) {
  Blob buffer(encoded_size(frame));
  ByteWriter out(buffer);
  RC_ASSERT(encode(out, frame));
  RC_ASSERT(out.remaining() == 0U);
  return buffer;
}

RC_GTEST_PROP(WireFrames, AnyFrameRoundTrips, ()) {
  Storage storage;
  const Frame frame = any_frame(storage);
  const Blob bytes = encoded(frame);
  FrameDecoder decoder(bytes, EncryptionLevel::one_rtt, kAll);
  const auto decoded = decoder.next();
  RC_ASSERT(decoded && *decoded);
  RC_ASSERT(same(**decoded, frame));
  RC_ASSERT(!decoder.next());
}

RC_GTEST_PROP(WireFrames, AnyPacketRoundTrips, ()) {
  Storage storage;
  std::vector<Frame> frames;
  Blob payload;
  for (std::uint64_t n = between(1, 8); n > 0; --n) {
    const Frame frame = any_frame(storage);
    // Two runs of PADDING in a row are one.
    if (std::holds_alternative<PaddingFrame>(frame) && !frames.empty() &&
        std::holds_alternative<PaddingFrame>(frames.back())) {
      continue;
    }
    frames.push_back(frame);
    const Blob bytes = encoded(frame);
    payload.insert(payload.end(), bytes.begin(), bytes.end());
  }
  FrameDecoder decoder(payload, EncryptionLevel::one_rtt, kAll);
  for (const Frame& frame : frames) {
    const auto decoded = decoder.next();
    RC_ASSERT(decoded && *decoded);
    RC_ASSERT(same(**decoded, frame));
  }
  RC_ASSERT(!decoder.next());
}

RC_GTEST_PROP(WireFrames, ATruncatedFrameIsAnError, ()) {
  Storage storage;
  const Frame frame = any_frame(storage);
  RC_PRE(!std::holds_alternative<PaddingFrame>(frame));
  Blob bytes = encoded(frame);
  RC_PRE(bytes.size() > 1U);
  bytes.resize(static_cast<std::size_t>(between(1, bytes.size() - 1)));
  FrameDecoder decoder(bytes, EncryptionLevel::one_rtt, kAll);
  const auto decoded = decoder.next();
  RC_ASSERT(decoded && !*decoded);
  RC_ASSERT(decoded->error().code == error::kFrameEncodingError);
}

/// Whatever refers to bytes refers to bytes of the payload.
void check_in_bounds(Bytes payload, Bytes part) {
  if (part.empty()) return;
  RC_ASSERT(part.data() >= payload.data());
  RC_ASSERT(part.data() + part.size() <= payload.data() + payload.size());
}

RC_GTEST_PROP(WireFrames, ArbitraryBytesNeverReachOutside, ()) {
  Storage storage;
  Blob payload;
  if (testing::any_bool()) payload = encoded(any_frame(storage));  // something valid, then anything
  const Blob noise = any_bytes(0, 60);
  payload.insert(payload.end(), noise.begin(), noise.end());
  if (!payload.empty() && testing::any_bool()) {
    payload[static_cast<std::size_t>(between(0, payload.size() - 1))] ^= static_cast<std::byte>(between(1, 255));
  }
  const auto level = static_cast<EncryptionLevel>(between(0, 3));
  FrameDecoder decoder(payload, level, kAll);
  std::size_t frames = 0;
  while (const auto decoded = decoder.next()) {
    RC_ASSERT(++frames <= payload.size() + 1);
    if (!*decoded) {
      const std::uint64_t code = decoded->error().code;
      RC_ASSERT(code == error::kFrameEncodingError || code == error::kProtocolViolation);
      RC_ASSERT(!decoder.next());
      break;
    }
    if (const auto* stream = std::get_if<StreamFrame>(&**decoded)) check_in_bounds(payload, stream->data);
    if (const auto* crypto = std::get_if<CryptoFrame>(&**decoded)) check_in_bounds(payload, crypto->data);
    if (const auto* datagram = std::get_if<DatagramFrame>(&**decoded)) check_in_bounds(payload, datagram->data);
    if (const auto* ack = std::get_if<AckFrame>(&**decoded)) {
      check_in_bounds(payload, ack->ranges);
      std::uint64_t ranges = 0;
      PacketNumber below{kMaxVarint + 1};
      for_each_range(*ack, [&](PacketNumber smallest, PacketNumber largest) {
        RC_ASSERT(smallest <= largest);
        RC_ASSERT(largest < below);
        below = smallest;
        ++ranges;
      });
      RC_ASSERT(ranges == ack->range_count + 1);
    }
  }
}

RC_GTEST_PROP(WireFrames, WrittenAcksSayWhatWasReceived, ()) {
  IntervalSet received;
  std::uint64_t at = testing::any_varint(kMaxVarint4);
  for (std::uint64_t n = between(1, 30); n > 0; --n) {
    const std::uint64_t begin = at + between(1, 100);
    at = begin + between(1, 100);
    received.insert(begin, at);
  }
  Blob buffer(static_cast<std::size_t>(between(0, 150)));
  TokenList tokens;
  FrameWriter writer(buffer, EncryptionLevel::one_rtt, PathId{1}, tokens);
  const std::size_t cap = static_cast<std::size_t>(between(1, 40));
  if (!writer.write_ack(PathId{1}, received, testing::any_varint(), {}, cap, {})) {
    RC_ASSERT(writer.size() == 0U);
    return;
  }
  FrameDecoder decoder(Bytes(buffer).first(writer.size()), EncryptionLevel::one_rtt, kAll);
  const auto decoded = decoder.next();
  RC_ASSERT(decoded && *decoded);
  const auto intervals = received.intervals();
  std::size_t next = intervals.size();
  for_each_range(std::get<AckFrame>(**decoded), [&](PacketNumber smallest, PacketNumber largest) {
    RC_ASSERT(next > 0U);
    const Interval& interval = intervals[--next];
    RC_ASSERT(smallest.value() == interval.begin);
    RC_ASSERT(largest.value() + 1 == interval.end);
  });
  RC_ASSERT(intervals.size() - next <= cap);
}

RC_GTEST_PROP(WireFrames, NoFrameExceedsItsBound, ()) {
  Storage storage;
  const Frame frame = any_frame(storage);
  const FrameRule* const rule = find_frame_rule(type_of(frame));
  RC_ASSERT(rule != nullptr);
  constexpr std::size_t kMostVariable = 20 * 2 * kMaxVarintSize;  // of what any_frame() makes
  RC_ASSERT(encoded_size(frame) <= rule->max_size + kMostVariable);
}

}  // namespace
}  // namespace mpquic
